/**
 * Heads that anybody may send survive the way through the codec: order, case, spacing and repetition of fields.
 */
import { byteByByte, cutAtRandom } from '@cirque/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  INCOMPLETE,
  parseRequestHead,
  parseResponseHead,
  RequestRules,
  ResponseRules,
  requestHead,
  resolveHttp1Limits,
  responseHead,
  serializeRequestHead,
  serializeResponseHead,
} from '../src/index.ts';
import { requestTranscript, responseTranscript } from './transcript.ts';

const TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const TARGET = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).filter((char) => char !== '#');
const VALUE = [
  '\t',
  ...Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).filter((char) => /[ -~\x80-\xff]/.test(char)),
];

const token = fc.string({ unit: fc.constantFrom(...TOKEN), minLength: 1, maxLength: 20 });
const blank = fc.string({ unit: fc.constantFrom(' ', '\t'), maxLength: 3 });
const value = fc.string({ unit: fc.constantFrom(...VALUE), maxLength: 30 });
const meaning = /^(host|content-length|transfer-encoding|connection|expect)$/i;
const field = fc
  .tuple(fc.oneof(token, fc.constantFrom('X-A', 'x-a', 'Set-Cookie', 'set-cookie', 'TE', 'Upgrade')), blank, value)
  .filter(([name]) => !meaning.test(name))
  .map(([name, space, text]) => `${name}:${space}${text}\r\n`);
const fields = fc.array(field, { maxLength: 15 }).map((lines) => lines.join(''));
const target = fc.string({ unit: fc.constantFrom(...TARGET), maxLength: 60 }).map((text) => `/${text}`);
const method = token.filter((text) => text !== 'CONNECT');
const reason = fc.string({ unit: fc.constantFrom(...VALUE), maxLength: 20 });
const status = fc.integer({ min: 200, max: 599 });

const requestRules = new RequestRules(resolveHttp1Limits(), {});
const responseRules = new ResponseRules(resolveHttp1Limits());

test('a request head comes out as it went in', () => {
  fc.assert(
    fc.property(method, target, fields, fields, fc.nat(), (verb, path, before, after, seed) => {
      const text = `${verb} ${path} HTTP/1.1\r\n${before}Host: a\r\n${after}\r\n`;
      const bytes = Buffer.from(text, 'latin1');
      expect(parseRequestHead(bytes, 0, bytes.length, requestRules)).toBe(bytes.length);
      const { header } = requestHead;
      expect(serializeRequestHead(header, '')).toBe(text);
      // Once the fields were looked at, and from a map that was built field by field.
      expect(header.headers.get('host')).toBe('a');
      expect(serializeRequestHead(header.clone(), '')).toBe(text);
      for (let end = 0; end < bytes.length; end += 7) {
        expect(parseRequestHead(bytes, 0, end, requestRules)).toBe(INCOMPLETE);
      }
      const whole = requestTranscript([bytes]);
      expect(whole.state).toBe('complete');
      expect(requestTranscript(cutAtRandom(bytes, seed))).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});

test('a response head comes out as it went in', () => {
  fc.assert(
    fc.property(status, reason, fields, fc.nat(), (code, phrase, lines, seed) => {
      const text = `HTTP/1.1 ${code} ${phrase}\r\n${lines}\r\n`;
      const bytes = Buffer.from(text, 'latin1');
      expect(parseResponseHead(bytes, 0, bytes.length, responseRules, 'GET')).toBe(bytes.length);
      expect(serializeResponseHead(responseHead.header, '')).toBe(text);
      expect([...responseHead.header.headers]).toHaveLength(lines === '' ? 0 : lines.split('\r\n').length - 1);
      expect(serializeResponseHead(responseHead.header.clone(), '')).toBe(text);
      const whole = responseTranscript([bytes], { closed: true });
      expect(whole.error).toBeUndefined();
      expect(responseTranscript(cutAtRandom(bytes, seed), { closed: true })).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});

test('what was edited is parsed as it was meant', () => {
  const edit = fc.tuple(token, value);
  fc.assert(
    fc.property(fields, fc.array(edit, { maxLength: 5 }), (lines, edits) => {
      const text = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`, 'latin1');
      parseRequestHead(text, 0, text.length, requestRules);
      const { header } = requestHead;
      for (const [name, text] of edits) if (!meaning.test(name)) header.appendHeader(name, text);
      const sent = Buffer.from(serializeRequestHead(header, ''), 'latin1');
      const expected = [...header.headers].map(([name, text]) => [name, text.replace(/^[ \t]+|[ \t]+$/g, '')]);
      expect(parseRequestHead(sent, 0, sent.length, requestRules)).toBe(sent.length);
      expect([...requestHead.header.headers]).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test('a head of a browser, byte by byte', () => {
  const head = [
    'GET /articles/2026/11?page=2&sort=new HTTP/1.1',
    'Host: www.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: de,en-US;q=0.7,en;q=0.3',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Cookie: session=0123456789abcdef; theme=dark',
    'Upgrade-Insecure-Requests: 1',
    '',
    '',
  ].join('\r\n');
  const { events } = requestTranscript(byteByByte(head));
  expect(events).toEqual([
    `head GET /articles/2026/11?page=2&sort=new 1.1 [0; keep]\n${head.slice(head.indexOf('Host'), -2)}`,
    'end',
  ]);
});
