/**
 * Status lines and heads of responses that no client may see as they are (RFC 9112 sections 4 and 5).
 */
import { badGateway, head, type ResponseCase, type ResponseOutcome } from '../src/case.ts';

const LENGTH = 'Content-Length: 2';

function answer(statusLine: string, ...lines: string[]): string {
  return `${head(statusLine, LENGTH, ...lines)}ok`;
}

const passed: ResponseOutcome = { status: 200, body: 'ok', end: 'complete', client: 'kept', upstream: 'reused' };

const badStatusLines: readonly (readonly [name: string, line: string])[] = [
  ['no HTTP at all', 'hello'],
  ['another protocol', 'ICY 200 OK'],
  ['a lower-case protocol', 'http/1.1 200 OK'],
  ['no version', 'HTTP 200 OK'],
  ['a version without a minor', 'HTTP/1 200 OK'],
  ['a two-digit minor', 'HTTP/1.10 200 OK'],
  ['a leading zero in the version', 'HTTP/01.1 200 OK'],
  ['version 2.0', 'HTTP/2.0 200 OK'],
  ['version 0.9', 'HTTP/0.9 200 OK'],
  ['a space at the start', ' HTTP/1.1 200 OK'],
  ['two spaces before the code', 'HTTP/1.1  200 OK'],
  ['a tab before the code', 'HTTP/1.1\t200 OK'],
  ['a two-digit code', 'HTTP/1.1 20 OK'],
  ['a one-digit code', 'HTTP/1.1 2 OK'],
  ['a four-digit code', 'HTTP/1.1 2000 OK'],
  ['no code', 'HTTP/1.1 OK'],
  ['a code with a letter', 'HTTP/1.1 2x0 OK'],
  ['a signed code', 'HTTP/1.1 +20 OK'],
  ['a negative code', 'HTTP/1.1 -20 OK'],
  ['a code of 000', 'HTTP/1.1 000 Zero'],
  ['a code of 099', 'HTTP/1.1 099 Low'],
  ['a code of 600', 'HTTP/1.1 600 High'],
  ['a code of 999', 'HTTP/1.1 999 High'],
  ['a code glued to the reason', 'HTTP/1.1 200OK'],
  ['a NUL in the reason', 'HTTP/1.1 200 O\0K'],
  ['a CR in the reason', 'HTTP/1.1 200 O\rK'],
  ['a control character in the reason', 'HTTP/1.1 200 O\x01K'],
  ['DEL in the reason', 'HTTP/1.1 200 O\x7fK'],
  ['a request line', 'GET / HTTP/1.1'],
];

const refusedStatusLines: ResponseCase[] = badStatusLines.map(([name, line]) => ({
  name: `status line with ${name}`,
  source: 'RFC 9112 4',
  bytes: answer(line),
  expect: badGateway(),
}));

const reasons: ResponseCase[] = [
  ...['OK', 'Fine Indeed', 'caf\xe9', 'a\tb', ':', '200'].map(
    (reason): ResponseCase => ({
      name: `reason phrase ${JSON.stringify(reason)} passes`,
      source: 'RFC 9112 4',
      bytes: answer(`HTTP/1.1 200 ${reason}`),
      expect: [{ ...passed, reason }],
    }),
  ),
  {
    name: 'an empty reason phrase',
    source: 'RFC 9112 4',
    bytes: answer('HTTP/1.1 200 '),
    expect: [passed],
  },
  {
    name: 'no space before an absent reason phrase: passed with one, or refused',
    source: 'RFC 9112 4',
    bytes: answer('HTTP/1.1 200'),
    expect: [passed, ...badGateway()],
  },
  {
    name: 'an empty line before the status line: dropped, or refused',
    source: 'RFC 9112 2.2',
    bytes: `\r\n${answer('HTTP/1.1 200 OK')}`,
    expect: [passed, ...badGateway()],
  },
  ...[200, 201, 203, 206, 226, 299, 300, 302, 399, 400, 401, 404, 418, 451, 499, 500, 502, 503, 599].map(
    (status): ResponseCase => ({
      name: `code ${status} passes`,
      source: 'RFC 9110 15',
      bytes: answer(`HTTP/1.1 ${status} Some Reason`),
      expect: [{ ...passed, status, reason: 'Some Reason' }],
    }),
  ),
  {
    name: 'version 1.2 is treated as 1.1',
    source: 'RFC 9110 2.5',
    bytes: answer('HTTP/1.2 200 OK'),
    expect: [{ ...passed, upstream: 'either' }],
  },
];

const badLines: readonly (readonly [name: string, line: string])[] = [
  ['no colon', 'X-Field'],
  ['no colon and a value', 'X-Field value'],
  ['an empty name', ': value'],
  ['a space inside the name', 'X Field: value'],
  ['a delimiter in the name', 'X(Field): value'],
  ['an octet above 127 in the name', 'X-F\xe9: value'],
  ['a control character in the name', 'X\x01: value'],
  ['a NUL in the name', 'X\0: value'],
  ['a NUL in the value', 'X-Field: a\0b'],
  ['a CR in the value', 'X-Field: a\rb'],
  ['a CR that hides a field', 'X-Field: a\rSet-Cookie: b=1'],
  ['a bare LF after the value', 'X-Field: a\nSet-Cookie: b=1'],
  ['a second status line', 'HTTP/1.1 200 OK'],
];

const refusedLines: ResponseCase[] = badLines.map(([name, line]) => ({
  name: `field line with ${name}`,
  source: 'RFC 9112 5; response splitting',
  bytes: answer('HTTP/1.1 200 OK', line),
  expect: badGateway(),
}));

const lineEnds: ResponseCase[] = [
  ['LF everywhere', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ['LF after the status line', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok'],
  ['LF as the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok'],
  ['CR after the status line', 'HTTP/1.1 200 OK\rContent-Length: 2\r\n\r\nok'],
  ['CR CR LF after a field', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\r\n\r\nok'],
  ['white space before the first field', 'HTTP/1.1 200 OK\r\n X-A: 1\r\nContent-Length: 2\r\n\r\nok'],
].map(([name = '', bytes = '']) => ({
  name: `response head with ${name}`,
  source: 'RFC 9112 2.2',
  bytes,
  expect: badGateway(),
}));

function repaired(name: string, line: string, seen: string): ResponseCase {
  return {
    name,
    source: 'RFC 9112 5.1, 5.2',
    bytes: answer('HTTP/1.1 200 OK', line, 'X-Last: 1'),
    expect: [{ ...passed, inOrder: [seen, 'X-Last: 1'] }],
  };
}

const repairs: ResponseCase[] = [
  repaired('a space before the colon is removed', 'X-Field : value', 'X-Field: value'),
  repaired('a tab before the colon is removed', 'X-Field\t: value', 'X-Field: value'),
  repaired('several spaces before the colon are removed', 'X-Field \t : value', 'X-Field: value'),
  repaired('a fold becomes a space', 'X-Field: one\r\n two', 'X-Field: one two'),
  repaired('a fold by tab becomes a space', 'X-Field: one\r\n\ttwo', 'X-Field: one two'),
  repaired('two folds become spaces', 'X-Field: one\r\n two\r\n three', 'X-Field: one two three'),
  repaired(
    'a folded look-alike of a field stays in the value',
    'X-Field: a\r\n Set-Cookie: b',
    'X-Field: a Set-Cookie: b',
  ),
  repaired('octets above 127 pass', 'X-Field: caf\xc3\xa9', 'X-Field: caf\xc3\xa9'),
  repaired('an empty value passes', 'X-Field:', 'X-Field: '),
  repaired('the name __proto__ passes', '__proto__: polluted', '__proto__: polluted'),
  {
    name: 'a space before the colon of Content-Length is removed',
    source: 'RFC 9112 5.1',
    bytes: `${head('HTTP/1.1 200 OK', 'Content-Length : 2')}ok`,
    expect: [{ ...passed, inOrder: ['Content-Length: 2'] }],
  },
  {
    name: 'a space before the colon of Transfer-Encoding is removed',
    source: 'RFC 9112 5.1',
    bytes: `${head('HTTP/1.1 200 OK', 'Transfer-Encoding : chunked')}2\r\nok\r\n0\r\n\r\n`,
    expect: [{ ...passed, framing: 'chunked' }],
  },
];

export const statusLineCases: readonly ResponseCase[] = [
  ...refusedStatusLines,
  ...reasons,
  ...refusedLines,
  ...lineEnds,
  ...repairs,
];
