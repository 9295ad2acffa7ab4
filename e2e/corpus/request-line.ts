/**
 * Request lines, protocol versions and what stands around the first line (RFC 9112 sections 2.2, 2.3 and 3).
 */
import { accepted, acceptedAndClosed, head, type RequestCase, refused } from '../src/case.ts';

const HOST = 'Host: h.example';

function malformed(source: string, rows: readonly (readonly [name: string, line: string])[]): RequestCase[] {
  return rows.map(([name, line]) => ({ name, source, bytes: head(line, HOST), expect: refused(400) }));
}

const grammar = malformed('RFC 9112 3', [
  ['request line without a version (HTTP/0.9 form)', 'GET /'],
  ['request line that ends after the target and a space', 'GET / '],
  ['request line of a method only', 'GET'],
  ['two spaces before the target', 'GET  / HTTP/1.1'],
  ['two spaces before the version', 'GET /  HTTP/1.1'],
  ['tab instead of the first space', 'GET\t/ HTTP/1.1'],
  ['tab instead of the second space', 'GET /\tHTTP/1.1'],
  ['vertical tab instead of a space', 'GET /\x0bHTTP/1.1'],
  ['form feed instead of a space', 'GET\x0c/ HTTP/1.1'],
  ['space at the start of the line', ' GET / HTTP/1.1'],
  ['tab at the start of the line', '\tGET / HTTP/1.1'],
  ['space after the version', 'GET / HTTP/1.1 '],
  ['tab after the version', 'GET / HTTP/1.1\t'],
  ['a fourth word', 'GET / HTTP/1.1 extra'],
  ['a space inside the target', 'GET /a b HTTP/1.1'],
  ['a tab inside the target', 'GET /a\tb HTTP/1.1'],
  ['method with a delimiter', 'G(T / HTTP/1.1'],
  ['method with a colon', 'GET: / HTTP/1.1'],
  ['method with a quote', '"GET" / HTTP/1.1'],
  ['method with an octet above 127', 'G\xc9T / HTTP/1.1'],
  ['method with a control character', 'G\x01T / HTTP/1.1'],
  ['NUL in the method', 'G\x00T / HTTP/1.1'],
  ['NUL after the version', 'GET / HTTP/1.1\x00'],
  ['byte order mark before the method', '\xef\xbb\xbfGET / HTTP/1.1'],
  ['a status line instead of a request line', 'HTTP/1.1 200 OK'],
  ['a field line instead of a request line', 'X-Field: value'],
]);

const versions = malformed('RFC 9112 2.3', [
  ['version with a two-digit minor', 'GET / HTTP/1.10'],
  ['version with a leading zero', 'GET / HTTP/01.1'],
  ['version with a minor of two digits, 1.01', 'GET / HTTP/1.01'],
  ['version in lower case', 'GET / http/1.1'],
  ['version in mixed case', 'GET / Http/1.1'],
  ['version with a comma', 'GET / HTTP/1,1'],
  ['version without a minor', 'GET / HTTP/1'],
  ['version with an empty minor', 'GET / HTTP/1.'],
  ['version with an empty major', 'GET / HTTP/.1'],
  ['version without a dot', 'GET / HTTP/11'],
  ['version without a slash', 'GET / HTTP1.1'],
  ['version without a number', 'GET / HTTP/'],
  ['version with a third part', 'GET / HTTP/1.1.1'],
  ['version with a sign', 'GET / HTTP/+1.1'],
  ['version with a hexadecimal digit', 'GET / HTTP/1.A'],
  ['version with a space after the name', 'GET / HTTP /1.1'],
  ['version of another protocol', 'GET / HTTPS/1.1'],
  ['version of a cut protocol name', 'GET / HTP/1.1'],
  ['version of another protocol, RTSP', 'GET / RTSP/1.0'],
]);

const unsupported: RequestCase[] = ['HTTP/2.0', 'HTTP/3.0', 'HTTP/2.1', 'HTTP/9.9', 'HTTP/0.9'].map((version) => ({
  name: `well-formed version ${version}`,
  source: 'RFC 9110 15.6.6',
  bytes: head(`GET / ${version}`, HOST),
  expect: refused(505),
}));

const surroundings: RequestCase[] = [
  {
    name: 'the connection preface of HTTP/2',
    source: 'RFC 9113 3.4',
    bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    expect: refused(505, 400),
  },
  {
    name: 'the start of a TLS handshake',
    source: 'RFC 8446 5.1',
    bytes: '\x16\x03\x01\x00\x2e\x01\x00\x00\x2a\x03\x03abcdefghijklmnopqrstuvwxyz012345\x00\x00\x02\x13\x01\r\n\r\n',
    expect: refused(400),
  },
  {
    name: 'octets that mean nothing',
    source: 'RFC 9112 2.2',
    bytes: '\x00\xff\xfe\x80\x7f\x01\r\n\r\n',
    expect: refused(400),
  },
  {
    name: 'one empty line before the request line',
    source: 'RFC 9112 2.2',
    bytes: `\r\n${head('GET /after-crlf HTTP/1.1', HOST)}`,
    expect: accepted({ target: '/after-crlf' }),
  },
  {
    name: 'a bare LF before the request line',
    source: 'RFC 9112 2.2',
    bytes: `\n${head('GET / HTTP/1.1', HOST)}`,
    expect: refused(400),
  },
  {
    name: 'a bare CR before the request line',
    source: 'RFC 9112 2.2',
    bytes: `\r${head('GET / HTTP/1.1', HOST)}`,
    expect: refused(400),
  },
  {
    name: 'empty lines without end',
    source: 'RFC 9112 2.2; resource exhaustion',
    bytes: '\r\n'.repeat(40_000) + head('GET / HTTP/1.1', HOST),
    expect: refused(400, 431),
    large: true,
  },
  {
    name: 'white space between the request line and the first field',
    source: 'RFC 9112 2.2',
    bytes: head('GET / HTTP/1.1', ' X-Folded: yes', HOST),
    expect: refused(400),
  },
  {
    name: 'a tab between the request line and the first field',
    source: 'RFC 9112 2.2',
    bytes: head('GET / HTTP/1.1', '\tX-Folded: yes', HOST),
    expect: refused(400),
  },
  {
    name: 'a line of white space only before the first field',
    source: 'RFC 9112 2.2',
    bytes: head('GET / HTTP/1.1', ' ', HOST),
    expect: refused(400),
  },
];

const methods: RequestCase[] = [
  ...[
    'GET',
    'POST',
    'PUT',
    'DELETE',
    'PATCH',
    'OPTIONS',
    'PROPFIND',
    'QUERY',
    'FOO',
    'get',
    'M-SEARCH',
    "!#$%&'*+.^_`|~-0aZ",
  ].map(
    (method): RequestCase => ({
      name: `method ${method} is forwarded as it is spelt`,
      source: 'RFC 9110 9.1',
      bytes: head(`${method} /method HTTP/1.1`, HOST),
      expect: accepted({ method, target: '/method' }),
    }),
  ),
  {
    name: 'method HEAD is forwarded and has no body in its answer',
    source: 'RFC 9110 9.3.2',
    bytes: head('HEAD /method HTTP/1.1', HOST),
    methods: ['HEAD'],
    expect: accepted({ method: 'HEAD', target: '/method' }),
  },
];

const ownVersion: RequestCase[] = [
  {
    name: 'HTTP/1.2 is treated as 1.1',
    source: 'RFC 9110 2.5',
    bytes: head('GET /minor HTTP/1.2', HOST),
    expect: accepted({ target: '/minor' }),
  },
  {
    name: 'HTTP/1.9 is treated as 1.1',
    source: 'RFC 9110 2.5',
    bytes: head('GET /minor HTTP/1.9', HOST),
    expect: accepted({ target: '/minor' }),
  },
  {
    name: 'HTTP/1.0 goes upstream as 1.1 and closes',
    source: 'RFC 9110 2.5; RFC 9112 9.3',
    bytes: head('GET /old HTTP/1.0', HOST),
    expect: acceptedAndClosed({ target: '/old', host: 'h.example' }),
  },
];

export const requestLineCases: readonly RequestCase[] = [
  ...grammar,
  ...versions,
  ...unsupported,
  ...surroundings,
  ...methods,
  ...ownVersion,
];
