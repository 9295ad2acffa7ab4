/**
 * Bare LF, bare CR and NUL wherever a head can hold them (RFC 9112 section 2.2; smuggling by line ends).
 */
import { type RequestCase, refused } from '../src/case.ts';

const SOURCE = 'RFC 9112 2.2; smuggling by line ends';

const rows: readonly (readonly [name: string, bytes: string])[] = [
  ['LF instead of CRLF everywhere', 'GET / HTTP/1.1\nHost: h.example\n\n'],
  ['LF after the request line', 'GET / HTTP/1.1\nHost: h.example\r\n\r\n'],
  ['LF after a field', 'GET / HTTP/1.1\r\nHost: h.example\nX-A: 1\r\n\r\n'],
  ['LF after the last field', 'GET / HTTP/1.1\r\nHost: h.example\n\r\n'],
  ['LF as the empty line', 'GET / HTTP/1.1\r\nHost: h.example\r\n\n'],
  ['two LF at the end of the head', 'GET / HTTP/1.1\r\nHost: h.example\n\n'],
  ['CR instead of CRLF after the request line', 'GET / HTTP/1.1\rHost: h.example\r\n\r\n'],
  ['CR instead of CRLF after a field', 'GET / HTTP/1.1\r\nHost: h.example\rX-A: 1\r\n\r\n'],
  ['CR CR LF after the request line', 'GET / HTTP/1.1\r\r\nHost: h.example\r\n\r\n'],
  ['CR CR LF after a field', 'GET / HTTP/1.1\r\nHost: h.example\r\r\n\r\n'],
  ['CR CR LF as the empty line', 'GET / HTTP/1.1\r\nHost: h.example\r\n\r\r\n\r\n'],
  ['CR inside the method', 'G\rET / HTTP/1.1\r\nHost: h.example\r\n\r\n'],
  ['CR inside the target', 'GET /a\rb HTTP/1.1\r\nHost: h.example\r\n\r\n'],
  ['CR inside a field name', 'GET / HTTP/1.1\r\nHost: h.example\r\nX-\rA: 1\r\n\r\n'],
  ['CR before the colon', 'GET / HTTP/1.1\r\nHost: h.example\r\nX-A\r: 1\r\n\r\n'],
  ['CR inside a field value', 'GET / HTTP/1.1\r\nHost: h.example\r\nX-A: 1\r2\r\n\r\n'],
  ['CR hiding a second field', 'GET / HTTP/1.1\r\nHost: h.example\r\nX-A: 1\rContent-Length: 5\r\n\r\nhello'],
  ['LF hiding a second field', 'GET / HTTP/1.1\r\nHost: h.example\r\nX-A: 1\nContent-Length: 5\r\n\r\nhello'],
  [
    'CR hiding Transfer-Encoding',
    'POST / HTTP/1.1\r\nHost: h.example\r\nX: 1\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['NUL inside the target', 'GET /a\0b HTTP/1.1\r\nHost: h.example\r\n\r\n'],
  ['NUL inside a field name', 'GET / HTTP/1.1\r\nHost: h.example\r\nX-\0A: 1\r\n\r\n'],
  ['NUL inside a field value', 'GET / HTTP/1.1\r\nHost: h.example\r\nX-A: 1\x002\r\n\r\n'],
  ['NUL at the end of a field value', 'GET / HTTP/1.1\r\nHost: h.example\r\nX-A: 1\0\r\n\r\n'],
  ['NUL at the start of a field value', 'GET / HTTP/1.1\r\nHost: h.example\r\nX-A: \x001\r\n\r\n'],
  ['NUL before CRLF CRLF', 'GET / HTTP/1.1\r\nHost: h.example\r\n\0\r\n\r\n'],
  [
    'LF in a field before a second head',
    'GET / HTTP/1.1\r\nHost: h.example\r\nX: \n\nGET /smuggled HTTP/1.1\r\nHost: h.example\r\n\r\n',
  ],
];

export const lineEndCases: readonly RequestCase[] = rows.map(([name, bytes]) => ({
  name,
  source: SOURCE,
  bytes,
  expect: refused(400),
}));
