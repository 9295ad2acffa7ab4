import { describe, expect, test } from 'vitest';
import { HOP_BY_HOP_FIELDS, MAX_CONNECTION_OPTIONS, parseConnectionOptions } from './hop-by-hop.ts';

const nothing = { close: false, keepAlive: false, upgrade: false, te: false, nominated: undefined, problem: undefined };

test('HOP_BY_HOP_FIELDS are those of RFC 9110 section 7.6.1 and what stands for them in practice', () => {
  expect([...HOP_BY_HOP_FIELDS].sort()).toEqual([
    'connection',
    'http2-settings',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ]);
});

describe('parseConnectionOptions', () => {
  test.each([
    [undefined, nothing],
    ['', nothing],
    [' , ,\t,', nothing],
    ['close', { ...nothing, close: true }],
    ['Close', { ...nothing, close: true }],
    ['cLoSe', { ...nothing, close: true }],
    ['keep-alive', { ...nothing, keepAlive: true }],
    ['Keep-Alive', { ...nothing, keepAlive: true }],
    ['KEEP-ALIVE', { ...nothing, keepAlive: true }],
    ['keep-alive, close', { ...nothing, close: true, keepAlive: true }],
    ['\tclose ,, keep-alive ,', { ...nothing, close: true, keepAlive: true }],
    // Hop-by-hop fields go anyway.
    ['TE, Upgrade, transfer-encoding', { ...nothing, upgrade: true, te: true }],
    ['Upgrade', { ...nothing, upgrade: true }],
    ['upgrade, keep-alive', { ...nothing, upgrade: true, keepAlive: true }],
    ['X-A', { ...nothing, nominated: ['x-a'] }],
    ['close, X-A, te, X-B', { ...nothing, close: true, te: true, nominated: ['x-a', 'x-b'] }],
    // A look-alike of token characters leaves the real field alone.
    ['host.', { ...nothing, nominated: ['host.'] }],
    ['xclose', { ...nothing, nominated: ['xclose'] }],
  ])('parseConnectionOptions(%j)', (value, expected) => expect(parseConnectionOptions(value)).toEqual(expected));

  test.each([
    'Host',
    'content-length',
    'X-Forwarded-For',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-port',
    'x-real-ip',
    'Forwarded',
    'via',
  ])('parseConnectionOptions does not let %s be nominated', (name) => {
    const { nominated, problem } = parseConnectionOptions(`close, ${name}, x-a`);
    expect(nominated).toEqual(['x-a']);
    expect(problem).toMatch(`protected field ${name.toLowerCase()}`);
  });

  test.each(['a b', '"close"', ':authority', 'a;b', 'x\xe9', 'close\xa0', '\xa0x-a'])(
    'parseConnectionOptions finds %j malformed',
    (option) => {
      const options = parseConnectionOptions(`x-a, ${option}`);
      expect(options.problem).toMatch('is not a token');
      expect(options).toMatchObject({ close: false, nominated: ['x-a'] });
    },
  );

  test('parseConnectionOptions accepts nine options and finds a problem with ten', () => {
    const options = Array.from({ length: MAX_CONNECTION_OPTIONS + 1 }, (_, i) => `x-${i}`);
    expect(parseConnectionOptions(options.slice(1).join(',')).problem).toBeUndefined();
    expect(parseConnectionOptions(options.join(',')).problem).toMatch('10 options, at most 9');
    expect(parseConnectionOptions('close,'.repeat(10))).toMatchObject({ close: true, problem: expect.any(String) });
  });

  test('parseConnectionOptions names the first problem', () => {
    expect(parseConnectionOptions('Via, a b').problem).toMatch('via');
    expect(parseConnectionOptions('a b, Via').problem).toMatch('a b');
  });
});
