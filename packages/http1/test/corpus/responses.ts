/**
 * Responses, most of them hostile or broken, and what has to become of each; see requests.ts.
 */
import type { CodecCase } from './requests.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const TE = 'Transfer-Encoding: chunked\r\n';

function response(fields: string, body = '', start = 'HTTP/1.1 200 OK'): string {
  return `${start}\r\n${fields}\r\n${body}`;
}

const RFC_9112_4_STATUS_LINE: CodecCase[] = [
  {
    name: 'a usual response',
    bytes: response('Content-Length: 2\r\n', 'hi'),
    head: '200 OK 1.1 [2; keep]',
    body: 'hi',
  },
  {
    name: 'another reason',
    bytes: response('Content-Length: 0\r\n', '', 'HTTP/1.1 200 Fine, thanks'),
    head: '200 Fine, thanks 1.1 [0; keep]',
  },
  { name: 'empty reason', bytes: response('Content-Length: 0\r\n', '', 'HTTP/1.1 200 '), head: '200  1.1 [0; keep]' },
  {
    name: 'no reason, no space',
    bytes: response('Content-Length: 0\r\n', '', 'HTTP/1.1 200'),
    head: '200  1.1 [0; keep]',
  },
  {
    name: 'obs-text and tabs in the reason',
    bytes: response('Content-Length: 0\r\n', '', 'HTTP/1.1 200 \tO\xff'),
    head: '200 \tO\xff 1.1 [0; keep]',
  },
  {
    name: 'a status nobody knows',
    bytes: response('Content-Length: 0\r\n', '', 'HTTP/1.1 599 X'),
    head: '599 X 1.1 [0; keep]',
  },
  { name: 'HTTP/1.0', bytes: response('Content-Length: 0\r\n', '', 'HTTP/1.0 200 OK'), head: '200 OK 1.0 [0; close]' },
  {
    name: 'HTTP/1.0 with keep-alive',
    bytes: response('Connection: keep-alive\r\nContent-Length: 0\r\n', '', 'HTTP/1.0 200 OK'),
    head: '200 OK 1.0 [0; keep]',
  },
  { name: 'HTTP/1.3', bytes: response('Content-Length: 0\r\n', '', 'HTTP/1.3 200 OK'), head: '200 OK 1.1 [0; keep]' },
  ...[
    'HTTP/1.1 099 X',
    'HTTP/1.1 000 X',
    'HTTP/1.1 600 X',
    'HTTP/1.1 999 X',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 2x0 OK',
    'HTTP/1.1 -20 OK',
    'HTTP/1.1 +20 OK',
    'HTTP/1.1 2\xb20 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 200,OK',
    'HTTP/1.1',
    'HTTP/1.1 ',
    'HTTP/1.10 200 OK',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/1 200 OK',
    'HTTP/1.x 200 OK',
    'http/1.1 200 OK',
    'HTTPS/1.1 200 OK',
    'ICY 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    '200 OK',
    'GET / HTTP/1.1',
    '<html>',
    '\0',
    'HTTP/1.1 200 O\0K',
    'HTTP/1.1 200 O\x7fK',
    'HTTP/1.1 200 O\rK',
    'HTTP/1.1 200 O\x1bK',
    'HTTP/1.1 20\0 OK',
  ].map(
    (line): CodecCase => ({
      name: `status line ${JSON.stringify(line)}`,
      bytes: response('Content-Length: 0\r\n', '', line),
      refused: 502,
    }),
  ),
  { name: 'status line ended by LF', bytes: 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n', refused: 502 },
  { name: 'status line ended by CR CR LF', bytes: 'HTTP/1.1 200 OK\r\r\nContent-Length: 0\r\n\r\n', refused: 502 },
];

const RFC_9112_5_FIELDS: CodecCase[] = [
  {
    name: 'white space before a colon is removed (RFC 9112 section 5.1)',
    bytes: response('Server : x\r\nContent-Length \t: 2\r\nX:y\r\n', 'hi'),
    head: '200 OK 1.1 [2; keep]',
    fields: 'Server: x\r\nContent-Length: 2\r\nX:y\r\n',
    body: 'hi',
  },
  {
    name: 'a fold becomes a space (RFC 9112 section 5.2)',
    bytes: response('X: a\r\n\tb \r\n  c\r\nContent-Length: 2\r\n', 'hi'),
    head: '200 OK 1.1 [2; keep]',
    fields: 'X: a b c\r\nContent-Length: 2\r\n',
    body: 'hi',
  },
  {
    name: 'framing fields in folds count as what they are then',
    bytes: response('Transfer-Encoding:\r\n chunked\r\n', '2\r\nhi\r\n0\r\n\r\n'),
    head: '200 OK 1.1 [chunked; keep]',
    fields: 'Transfer-Encoding: chunked\r\n',
    body: 'hi',
  },
  {
    name: 'a field that hides in a fold is no field',
    bytes: response('X: a\r\n Content-Length: 9\r\nContent-Length: 2\r\n', 'hi'),
    head: '200 OK 1.1 [2; keep]',
    fields: 'X: a Content-Length: 9\r\nContent-Length: 2\r\n',
    body: 'hi',
  },
  {
    name: 'hop-by-hop lines are found after normalisation as well',
    bytes: response('Connection :\r\n close\r\nContent-Length: 0\r\n'),
    head: '200 OK 1.1 [0; close]',
    fields: 'Connection: close\r\nContent-Length: 0\r\n',
  },
  {
    name: 'a folded Content-Length of two numbers',
    bytes: response('Content-Length: 1\r\n 2\r\n', 'hi'),
    refused: 502,
  },
  { name: 'a fold before the first field', bytes: `${OK} X: y\r\n\r\n`, refused: 502 },
  { name: 'a name that ends with its line', bytes: response('X\r\n : y\r\n'), refused: 502 },
  { name: 'no colon', bytes: response('X\r\n'), refused: 502 },
  { name: 'empty name', bytes: response(': x\r\n'), refused: 502 },
  { name: 'white space and a colon only', bytes: response('X: y\r\n'.replace('X', ' ')), refused: 502 },
  { name: 'space inside of a name', bytes: response('X Y: z\r\n'), refused: 502 },
  { name: 'NUL in a value', bytes: response('X: a\0\r\n'), refused: 502 },
  { name: 'NUL in a fold', bytes: response('X: a\r\n b\0\r\n'), refused: 502 },
  { name: 'bare CR in a value', bytes: response('X: a\rb\r\n'), refused: 502 },
  { name: 'bare CR in a fold', bytes: response('X: a\r\n b\rc\r\n'), refused: 502 },
  { name: 'bare LF', bytes: response('X: a\nY: b\r\n'), refused: 502 },
  { name: 'bare LF for the empty line', bytes: `${OK}X: a\r\n\n`, refused: 502 },
];

const RFC_9112_6_FRAMING: CodecCase[] = [
  {
    name: 'until close',
    bytes: response('X: y\r\n', 'hi'),
    options: { closed: true },
    head: '200 OK 1.1 [until close; close]',
    body: 'hi',
  },
  {
    name: 'Content-Length twice, equal, counts as one',
    bytes: response('Content-Length: 2\r\ncontent-length: 02\r\n', 'hi'),
    head: '200 OK 1.1 [2; keep]',
    fields: 'Content-Length: 2\r\n',
    body: 'hi',
  },
  {
    name: 'Content-Length with leading zeros is written anew',
    bytes: response('Content-Length: 02\r\n', 'hi'),
    head: '200 OK 1.1 [2; keep]',
    fields: 'Content-Length: 2\r\n',
    body: 'hi',
  },
  ...[
    '',
    '-1',
    '+2',
    '2, 2',
    '2,3',
    '0x2',
    '2 ',
    'x',
    '1'.repeat(17),
    '2\r\nContent-Length: 3',
    'x\r\nContent-Length: 2',
    '2\r\nContent-Length: x',
  ].map(
    (length): CodecCase =>
      length === '2 '
        ? {
            name: 'Content-Length with a space behind',
            bytes: response('Content-Length: 2 \r\n', 'hi'),
            head: '200 OK 1.1 [2; keep]',
            body: 'hi',
          }
        : {
            name: `Content-Length ${JSON.stringify(length)}`,
            bytes: response(`Content-Length: ${length}\r\n`, 'hi'),
            refused: 502,
          },
  ),
  {
    name: 'chunked',
    bytes: response(TE, '2;x\r\nhi\r\n0\r\nT: u\r\n\r\n'),
    head: '200 OK 1.1 [chunked; keep]',
    body: 'hi',
    trailers: 'T: u\r\n',
  },
  {
    name: 'Transfer-Encoding wins over Content-Length, which goes, and so does the connection',
    bytes: response(`Content-Length: 9\r\n${TE}content-length: x\r\n`, '2\r\nhi\r\n0\r\n\r\n'),
    head: '200 OK 1.1 [chunked; close]',
    fields: TE,
    body: 'hi',
  },
  ...[
    '',
    'gzip',
    'gzip, chunked',
    'chunked, chunked',
    'chunked, identity',
    'xchunked',
    'chunked\xa0',
    'chunked\r\nTransfer-Encoding: chunked',
    'identity',
  ].map(
    (coding): CodecCase => ({
      name: `Transfer-Encoding ${JSON.stringify(coding)}`,
      bytes: response(`Transfer-Encoding: ${coding}\r\n`, 'hi'),
      refused: 502,
    }),
  ),
  { name: 'Transfer-Encoding in HTTP/1.0', bytes: response(TE, '0\r\n\r\n', 'HTTP/1.0 200 OK'), refused: 502 },
  { name: 'chunk that is not closed', bytes: response(TE, '2\r\nhi0\r\n\r\n'), refused: 502, bodyBefore: 'hi' },
  { name: 'chunk size ended by LF', bytes: response(TE, '2\nhi\r\n0\r\n\r\n'), refused: 502 },
];

const RFC_9112_6_3_WITHOUT_BODY: CodecCase[] = [
  {
    name: 'HEAD with Content-Length',
    bytes: response('Content-Length: 5\r\n'),
    options: { methods: ['HEAD'] },
    head: '200 OK 1.1 [0; keep]',
  },
  {
    name: 'HEAD with Transfer-Encoding',
    bytes: response(TE),
    options: { methods: ['HEAD'] },
    head: '200 OK 1.1 [0; keep]',
  },
  {
    name: 'HEAD without framing',
    bytes: response('X: y\r\n'),
    options: { methods: ['HEAD'] },
    head: '200 OK 1.1 [0; keep]',
  },
  {
    name: 'HEAD with an invalid Content-Length loses it',
    bytes: response('Content-Length: x\r\nX: y\r\n'),
    options: { methods: ['HEAD'] },
    head: '200 OK 1.1 [0; keep]',
    fields: 'X: y\r\n',
  },
  {
    name: '304 with Content-Length',
    bytes: response('Content-Length: 5\r\n', '', 'HTTP/1.1 304 Not Modified'),
    head: '304 Not Modified 1.1 [0; keep]',
  },
  {
    name: '304 with Transfer-Encoding',
    bytes: response(TE, '', 'HTTP/1.1 304 Not Modified'),
    head: '304 Not Modified 1.1 [0; keep]',
  },
  {
    name: '204 loses its Content-Length (RFC 9110 section 8.6)',
    bytes: response('Content-Length: 5\r\nX: y\r\n', '', 'HTTP/1.1 204 No Content'),
    head: '204 No Content 1.1 [0; keep]',
    fields: 'X: y\r\n',
  },
  {
    name: '100 loses its Content-Length',
    bytes: response('Content-Length: 5\r\n', '', 'HTTP/1.1 100 Continue'),
    head: '100 Continue 1.1 [0; keep]',
    fields: '',
  },
  {
    name: '103 with fields',
    bytes: response('Link: </x>\r\n', '', 'HTTP/1.1 103 Early Hints'),
    head: '103 Early Hints 1.1 [0; keep]',
  },
  {
    name: '101',
    bytes: response('Upgrade: x\r\nConnection: upgrade\r\n', '', 'HTTP/1.1 101 Switching Protocols'),
    head: '101 Switching Protocols 1.1 [0; keep]',
  },
  {
    name: '2xx to CONNECT ignores both framings (RFC 9110 section 9.3.6)',
    bytes: response(`Content-Length: 5\r\n`),
    options: { methods: ['CONNECT'] },
    head: '200 OK 1.1 [0; keep]',
  },
  {
    name: '2xx to CONNECT ignores Transfer-Encoding',
    bytes: response(TE),
    options: { methods: ['CONNECT'] },
    head: '200 OK 1.1 [0; keep]',
  },
  {
    name: '4xx to CONNECT has a body',
    bytes: response('Content-Length: 2\r\n', 'no', 'HTTP/1.1 403 Forbidden'),
    options: { methods: ['CONNECT'] },
    head: '403 Forbidden 1.1 [2; keep]',
    body: 'no',
  },
  {
    name: 'lower-case head is not HEAD',
    bytes: response('Content-Length: 2\r\n', 'hi'),
    options: { methods: ['head'] },
    head: '200 OK 1.1 [2; keep]',
    body: 'hi',
  },
];

const PERSISTENCE: CodecCase[] = [
  {
    name: 'Connection: close',
    bytes: response('Connection: close\r\nContent-Length: 0\r\n'),
    head: '200 OK 1.1 [0; close]',
  },
  {
    name: 'close among other options',
    bytes: response('Connection: x, Close\r\nContent-Length: 0\r\n'),
    head: '200 OK 1.1 [0; close]',
  },
  {
    name: 'an option that is no token is ignored',
    bytes: response('Connection: "x", Host\r\nContent-Length: 0\r\n'),
    head: '200 OK 1.1 [0; keep]',
  },
  {
    name: 'a flood of options',
    bytes: response(`Connection: ${'x,'.repeat(5_000)}\r\nContent-Length: 0\r\n`),
    refused: 502,
  },
];

export const RESPONSES: readonly CodecCase[] = [
  ...RFC_9112_4_STATUS_LINE,
  ...RFC_9112_5_FIELDS,
  ...RFC_9112_6_FRAMING,
  ...RFC_9112_6_3_WITHOUT_BODY,
  ...PERSISTENCE,
];
