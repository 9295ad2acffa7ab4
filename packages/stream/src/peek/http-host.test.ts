import fc from 'fast-check';
import { expect, test } from 'vitest';
import { peekHttpHost } from './http-host.ts';

const peek = (text: string): ReturnType<typeof peekHttpHost> => peekHttpHost(Buffer.from(text, 'latin1'));

test.each([
  ['GET / HTTP/1.1\r\nHost: A.Example\r\n\r\n', 'a.example'],
  ['GET / HTTP/1.1\r\nhost:a.example.:8080\r\nX: y\r\n\r\nbody', 'a.example'],
  ['POST /x HTTP/1.0\r\nA: b\r\nHOST: \t 192.0.2.1 \r\n\r\n', '192.0.2.1'],
  ['GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n', '[2001:db8::1]'],
  ['GET http://b.example:81/x HTTP/1.1\r\nHost: a.example\r\n\r\n', 'b.example'],
  ['CUSTOM-METHOD * HTTP/1.1\r\nHost: a.example\r\n\r\n', 'a.example'],
])('peekHttpHost reads %j', (head, host) => {
  expect(peek(head)).toBe(host);
  for (let length = 0; length < head.indexOf('\r\n\r\n') + 4; length += 1)
    expect(peek(head.slice(0, length))).toBe('more');
});

test.each([
  ['no Host', 'GET / HTTP/1.1\r\nA: b\r\n\r\n'],
  ['two of them', 'GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n'],
  ['an empty one', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['one that is no host', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
  ['a path in it', 'GET / HTTP/1.1\r\nHost: a.example/x\r\n\r\n'],
  ['user information in the target', 'GET http://u@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n'],
  ['whitespace before the colon', 'GET / HTTP/1.1\r\nHost : a.example\r\n\r\n'],
  ['a folded line', 'GET / HTTP/1.1\r\nX: y\r\n Host: b\r\nHost: a.example\r\n\r\n'],
  ['another version', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['no version', 'GET /\r\nHost: a.example\r\n\r\n'],
  ['a line break within a line', 'GET / HTTP/1.1\r\nX: y\nHost: b\r\nHost: a.example\r\n\r\n'],
  ['other white space', 'GET / HTTP/1.1\r\nHost: \xa0a.example\r\n\r\n'],
  ['the word that means waiting', 'GET / HTTP/1.1\r\nHost: more\r\n\r\n'],
])('peekHttpHost finds no host where there is %s', (_, head) => {
  expect(peek(head)).toBeUndefined();
});

test('peekHttpHost does not wait for what is no HTTP', () => {
  expect(peek('\x16')).toBeUndefined();
  expect(peek('hello there'.replace(' ', '\t'))).toBeUndefined();
  expect(peek(' GET')).toBeUndefined();
  expect(peek('A'.repeat(32))).toBe('more');
  expect(peek('A'.repeat(33))).toBeUndefined();
});

test('peekHttpHost takes time in proportion to the head, whatever is in it', () => {
  const spaces = ' '.repeat(60_000);
  const hosts = [
    `GET / HTTP/1.1\r\na:${spaces}\n\r\nHost: a.example\r\n\r\n`,
    `GET / HTTP/1.1\r\na:${spaces}x${spaces}\r\nHost: a.example\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost:${spaces}a.example${spaces}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost:${spaces}a${spaces}b\r\n\r\n`,
    `GET / HTTP/1.1\r\n${'a:\r\n'.repeat(15_000)}Host: a.example\r\n\r\n`,
  ].map(peek);
  // Quadratic time would be minutes here.
  expect(hosts).toEqual([undefined, 'a.example', 'a.example', undefined, 'a.example']);
});

test('peekHttpHost never throws', () => {
  const word = fc.oneof(
    fc.constantFrom('GET ', '/ ', 'HTTP/1.1', '\r\n', 'Host:', ' a.example', '\r\n\r\n', 'http://', ':', '\0'),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      const host = peek(words.join(''));
      expect(host === undefined || /^[^\s\0]+$/.test(host)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
