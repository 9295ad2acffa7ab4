import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AccessLogFacts, accessLogRecord } from './access-log.ts';
import { accessLogLine } from './access-log-line.ts';

const FACTS: AccessLogFacts = {
  clientAddress: '192.0.2.1',
  method: 'GET',
  target: '/a?b=c',
  version: '1.1',
  status: 200,
  requestBytes: 0,
  responseBytes: 12,
  durationMs: 1.23456789,
};

const NOW = new Date(2026, 10, 21, 5, 59, 0).getTime();

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('/a?token=b&c=d', '"\\', '\x1b[31m'));
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

const anyFacts: fc.Arbitrary<AccessLogFacts> = fc.record({
  requestId: maybe(text),
  clientAddress: maybe(text),
  method: text,
  target: text,
  host: maybe(text),
  version: fc.constantFrom('1.0', '1.1', '2'),
  status: fc.constantFrom(0, 101, 200, 404, 503),
  requestBytes: fc.nat(),
  responseBytes: fc.nat(),
  durationMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  upstream: maybe(text),
  retries: maybe(fc.nat(3)),
  reused: maybe(fc.boolean()),
  referer: maybe(text),
  userAgent: maybe(text),
  error: maybe(text),
  fields: maybe(fc.dictionary(fc.constantFrom('Accept', 'Cookie', 'Referer'), text)),
});

describe('accessLogLine json', () => {
  test('is the record as one line of JSON, behind the time, in the same order', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const line = accessLogLine('json', facts, NOW);
        expect(line).toBe(`${JSON.stringify({ time: NOW, ...accessLogRecord(facts) })}\n`);
        expect(line.indexOf('\n')).toBe(line.length - 1);
      }),
    );
  });

  test('is the same line when texts come again', () => {
    const facts = { ...FACTS, host: 'a', userAgent: 'say "a"', referer: '/?token=t', upstream: '10.0.0.1:80' };
    const first = accessLogLine('json', facts, NOW);
    accessLogLine('json', { ...facts, host: 'b', userAgent: "say 'a'", referer: '/?other=t', method: 'PUT' }, NOW);
    expect(accessLogLine('json', facts, NOW)).toBe(first);
    expect(JSON.parse(first)).toEqual({ time: NOW, ...accessLogRecord(facts) });
  });

  test('leaves absent facts out', () => {
    expect(accessLogLine('json', FACTS, 1_795_222_485_920)).toBe(
      '{"time":1795222485920,"client":"192.0.2.1","method":"GET","target":"/a?b=c","version":"1.1","status":200,' +
        '"requestBytes":0,"responseBytes":12,"durationMs":1.235}\n',
    );
  });

  test('cuts long text, hides secrets', () => {
    const facts = {
      ...FACTS,
      userAgent: 'x'.repeat(100_000),
      referer: 'https://u:p@h/?token=x',
      target: '/?api_key=k',
    };
    expect(JSON.parse(accessLogLine('json', facts, NOW))).toMatchObject({
      userAgent: `${'x'.repeat(2_048)}...`,
      referer: 'https://[redacted]@h/?token=[redacted]',
      target: '/?api_key=[redacted]',
    });
  });
});

describe('accessLogLine combined', () => {
  const combined = (more: Partial<AccessLogFacts>): string =>
    accessLogLine('combined', { ...FACTS, ...more }, NOW).replace(/ [+-]\d{4}\]/, ' +0000]');

  test('is what nginx writes', () => {
    expect(combined({ referer: 'https://example.com/', userAgent: 'curl/8.5.0' })).toBe(
      '192.0.2.1 - - [21/Nov/2026:05:59:00 +0000] "GET /a?b=c HTTP/1.1" 200 12 "https://example.com/" "curl/8.5.0"\n',
    );
  });

  test('is the same line when texts come again', () => {
    const facts = { referer: 'https://example.com/?code=1', userAgent: 'a"b' };
    const first = combined(facts);
    combined({ referer: 'https://example.com/?node=1', userAgent: 'a.b', clientAddress: '192.0.2.2', version: '1.0' });
    expect(combined(facts)).toBe(first);
    expect(first).toContain(' "https://example.com/?code=[redacted]" "a\\x22b"\n');
  });

  test('has a dash for what is absent, and the version as the protocol is called', () => {
    expect(combined({ clientAddress: undefined, version: '2', status: 0 })).toBe(
      '- - - [21/Nov/2026:05:59:00 +0000] "GET /a?b=c HTTP/2.0" 000 12 "-" "-"\n',
    );
  });

  test('escapes as nginx does: quotes, backslashes, and what is not printable ASCII', () => {
    expect(combined({ userAgent: 'a"b\\c\r\n\x1b[31m\x7f\xfc\u20ac' })).toContain(
      ' "-" "a\\x22b\\x5Cc\\x0D\\x0A\\x1B[31m\\x7F\\xFC\\xE2\\x82\\xAC"\n',
    );
  });

  test('hides secrets and cuts long text', () => {
    const line = combined({ target: `/?token=a&x=${'x'.repeat(5_000)}`, referer: 'https://u:p@h/?code=x' });
    expect(line).toContain('"GET /?token=[redacted]&x=xx');
    expect(line).toContain('"https://[redacted]@h/?code=[redacted]"');
    expect(line.length).toBeLessThan(2_300);
  });

  test('is one line of printable ASCII with nine fields, whatever comes', () => {
    const shape = /^\S+ - - \[[^\]]+\] "([^"]*)" \d{3} \d+ "([^"]*)" "([^"]*)"\n$/;
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const line = accessLogLine('combined', { ...facts, clientAddress: '::1' }, NOW);
        expect(line).toMatch(shape);
        expect(line).toMatch(/^[ -~]+\n$/);
      }),
    );
  });
});
