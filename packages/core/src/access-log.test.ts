import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AccessLogFacts, accessLogRecord, redactTarget } from './access-log.ts';

const FACTS: AccessLogFacts = {
  clientAddress: '192.0.2.1',
  method: 'GET',
  target: '/a?b=c',
  host: 'example.com',
  version: '1.1',
  status: 200,
  requestBytes: 0,
  responseBytes: 12,
  durationMs: 1.23456789,
};

describe('accessLogRecord', () => {
  test('accessLogRecord keeps the facts and leaves absent ones out', () => {
    expect(accessLogRecord(FACTS)).toEqual({
      client: '192.0.2.1',
      method: 'GET',
      target: '/a?b=c',
      host: 'example.com',
      version: '1.1',
      status: 200,
      requestBytes: 0,
      responseBytes: 12,
      durationMs: 1.235,
    });
  });

  test('accessLogRecord has the upstream side when there was one', () => {
    const record = accessLogRecord({
      ...FACTS,
      upstream: '10.0.0.1:80',
      retries: 2,
      reused: false,
      error: 'Upstream ReadError',
    });
    expect(record).toMatchObject({ upstream: '10.0.0.1:80', retries: 2, reused: false, error: 'Upstream ReadError' });
    expect(accessLogRecord({ ...FACTS, retries: 0 })).not.toHaveProperty('retries');
  });

  test('accessLogRecord lets nothing through that could forge a line or drive a terminal', () => {
    const evil = 'a\r\nb\u001b[31m\u202e\u0085\u2028';
    const record = accessLogRecord({
      ...FACTS,
      host: evil,
      target: `/${evil}`,
      method: evil,
      fields: { 'user-agent': evil },
    });
    const shown = [...Object.values(record), ...Object.values(record.fields as object)].join('');
    expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
    expect(record.host).toContain('\\r\\n');
  });

  test('accessLogRecord cuts long text', () => {
    const record = accessLogRecord({ ...FACTS, target: `/${'x'.repeat(100_000)}` });
    expect((record.target as string).length).toBe(2_048 + 3);
  });

  test.each([
    'Authorization',
    'proxy-authorization',
    'Cookie',
    'Set-Cookie',
    'X-Auth-Token',
    'X-Api-Key',
    'x-hub-signature',
  ])('accessLogRecord hides the value of %s', (name) => {
    expect(accessLogRecord({ ...FACTS, fields: { [name]: 'hunter2' } }).fields).toEqual({
      [name.toLowerCase()]: '[redacted]',
    });
  });

  test('accessLogRecord shows other fields, and redacts inside URLs', () => {
    const fields = { 'User-Agent': 'curl', Referer: 'https://u:p@h/?token=x', Accept: undefined };
    expect(accessLogRecord({ ...FACTS, fields }).fields).toEqual({
      'user-agent': 'curl',
      referer: 'https://[redacted]@h/?token=[redacted]',
    });
  });
});

describe('redactTarget', () => {
  test.each([
    ['/p?token=abc&x=1', '/p?token=[redacted]&x=1'],
    ['/p?x=1&access_token=abc#f', '/p?x=1&access_token=[redacted]#f'],
    ['/p?API_KEY=abc;password=d', '/p?API_KEY=[redacted];password=[redacted]'],
    ['/p?monkey=1&decode=2&tokens', '/p?monkey=1&decode=2&tokens'],
    ['http://user:pw@host/p', 'http://[redacted]@host/p'],
    ['/a@b', '/a@b'],
  ])('redactTarget of %s is %s', (target, expected) => {
    expect(redactTarget(target)).toBe(expected);
  });

  test('redactTarget stays quick on hostile input', () => {
    const started = performance.now();
    redactTarget(`/?${'token'.repeat(20_000)}`);
    redactTarget('?'.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(200);
  });
});

test('redactTarget hides what it hides by name alone, whatever else is there', () => {
  const words = fc.constantFrom(
    'a',
    'token',
    'x_secret',
    'code',
    'mycode',
    'key',
    'API-Key',
    'sig',
    'design',
    'PWD',
    '',
  );
  const pairs = fc.array(fc.tuple(fc.constantFrom('&', ';'), words, fc.constantFrom('', '=', '=v', '=v@w')));
  const sensitive = /token|secret|passw(?:or)?d|api[_-]?key|signature|credential|^(?:auth|code|key|pwd|sig)$/i;
  fc.assert(
    fc.property(pairs, (parts) => {
      const target = `/p?x=1${parts.map((part) => part.join('')).join('')}`;
      const expected = parts.map(([before, name, value]) =>
        value !== '' && sensitive.test(name) ? `${before}${name}=[redacted]` : `${before}${name}${value}`,
      );
      expect(redactTarget(target)).toBe(`/p?x=1${expected.join('')}`);
    }),
  );
});
