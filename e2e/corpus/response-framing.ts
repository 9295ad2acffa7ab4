/**
 * How long a response body is, seen from a proxy that trusts no origin (RFC 9112 section 6.3).
 */
import { badGateway, head, type ResponseCase, type ResponseOutcome } from '../src/case.ts';

const OK = 'HTTP/1.1 200 OK';
const SOURCE = 'RFC 9112 6.3';
const HEAD_REQUEST = head('HEAD /case HTTP/1.1', 'Host: h.example');
const OLD_REQUEST = head('GET /case HTTP/1.0', 'Host: h.example');

const hello: ResponseOutcome = { status: 200, body: 'hello', end: 'complete', client: 'kept', upstream: 'reused' };
const helloDropped: ResponseOutcome = { ...hello, upstream: 'dropped' };
const empty: ResponseOutcome = { ...hello, body: '', framing: 'none' };

const invalidLengths: readonly string[] = [
  '',
  '+5',
  '-5',
  '0x5',
  '5.0',
  '5 5',
  '5;',
  '"5"',
  '5a',
  'five',
  '5, 6',
  ',5',
  '\x0b5',
  '18446744073709551621',
  '9'.repeat(40),
];

const badLength: ResponseCase[] = [
  ...invalidLengths.map((value) => ({
    name: `Content-Length ${JSON.stringify(value)}`,
    source: SOURCE,
    bytes: `${head(OK, `Content-Length: ${value}`)}hello`,
    expect: badGateway(),
  })),
  {
    name: 'two Content-Length lines that differ',
    source: SOURCE,
    bytes: `${head(OK, 'Content-Length: 5', 'Content-Length: 6')}hello`,
    expect: badGateway(),
  },
  {
    name: 'two Content-Length lines in different case that differ',
    source: SOURCE,
    bytes: `${head(OK, 'Content-Length: 5', 'X-A: 1', 'content-length: 0')}hello`,
    expect: badGateway(),
  },
  {
    name: 'a fold that makes Content-Length invalid',
    source: SOURCE,
    bytes: `${head(OK, 'Content-Length: 5\r\n 6')}hello`,
    expect: badGateway(),
  },
  {
    name: 'two equal Content-Length lines: made one, or refused',
    source: SOURCE,
    bytes: `${head(OK, 'Content-Length: 5', 'Content-Length: 5')}hello`,
    expect: [{ ...hello, upstream: 'either' }, ...badGateway()],
  },
  {
    name: 'a list of equal Content-Lengths: made one, or refused',
    source: SOURCE,
    bytes: `${head(OK, 'Content-Length: 5, 5')}hello`,
    expect: [{ ...hello, upstream: 'either' }, ...badGateway()],
  },
];

const codings: ResponseCase[] = [
  {
    name: 'chunked beside Content-Length: chunked wins, the length goes',
    source: SOURCE,
    bytes: `${head(OK, 'Content-Length: 3', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    expect: [{ ...helloDropped, lacks: ['Content-Length'] }],
  },
  {
    name: 'Content-Length after chunked: chunked wins, the length goes',
    source: SOURCE,
    bytes: `${head(OK, 'Transfer-Encoding: chunked', 'Content-Length: 30')}5\r\nhello\r\n0\r\n\r\n`,
    expect: [{ ...helloDropped, lacks: ['Content-Length'] }],
  },
  {
    name: 'Chunked in odd case',
    source: 'RFC 9112 7',
    bytes: `${head(OK, 'Transfer-Encoding: cHUNKed')}5\r\nhello\r\n0\r\n\r\n`,
    expect: [{ ...hello, lacks: ['Content-Length'] }],
  },
  ...['gzip', 'identity', 'chunked, gzip', 'xchunked', 'chunked;a=b', '"chunked"', ''].map(
    (value): ResponseCase => ({
      name: `Transfer-Encoding ${JSON.stringify(value)}: refused, or read to the end of the connection`,
      source: 'RFC 9112 6.3',
      bytes: `${head(OK, `Transfer-Encoding: ${value}`)}hello`,
      afterwards: 'fin',
      expect: [...badGateway(), { ...helloDropped, client: 'either' }],
    }),
  ),
  ...[
    ['chunked twice in two lines', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['chunked, chunked', ['Transfer-Encoding: chunked, chunked']],
    ['gzip, chunked', ['Transfer-Encoding: gzip, chunked']],
    ['identity beside chunked', ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked']],
  ].map(
    ([name, lines]): ResponseCase => ({
      name: `Transfer-Encoding ${name as string}`,
      source: 'RFC 9112 6.1, 7.1',
      bytes: `${head(OK, ...(lines as string[]))}5\r\nhello\r\n0\r\n\r\n`,
      afterwards: 'fin',
      expect: badGateway(),
    }),
  ),
  {
    name: 'Transfer-Encoding on 1.0 is not trusted',
    source: 'RFC 9112 6.1',
    bytes: `${head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    afterwards: 'fin',
    expect: [...badGateway(), { ...helloDropped, client: 'either' }],
  },
];

const closeDelimited: ResponseCase[] = [
  {
    name: 'a close-delimited body goes out in chunks',
    source: SOURCE,
    bytes: `${head(OK)}hello`,
    afterwards: 'fin',
    expect: [{ ...helloDropped, framing: 'chunked' }],
  },
  {
    name: 'a close-delimited body of nothing',
    source: SOURCE,
    bytes: head(OK),
    afterwards: 'fin',
    expect: [{ ...helloDropped, body: '' }],
  },
  {
    name: 'a close-delimited body of an HTTP/1.0 origin',
    source: 'RFC 9110 2.5',
    bytes: `${head('HTTP/1.0 200 OK')}hello`,
    afterwards: 'fin',
    expect: [{ ...helloDropped, framing: 'chunked' }],
  },
  {
    name: 'a close-delimited body for an HTTP/1.0 client',
    source: 'RFC 9112 6.1',
    request: OLD_REQUEST,
    bytes: `${head(OK)}hello`,
    afterwards: 'fin',
    expect: [{ ...helloDropped, client: 'closed', framing: 'close', lacks: ['Transfer-Encoding'] }],
  },
  {
    name: 'a chunked body for an HTTP/1.0 client',
    source: 'RFC 9112 6.1',
    request: OLD_REQUEST,
    bytes: `${head(OK, 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    expect: [{ ...hello, client: 'closed', framing: 'close', lacks: ['Transfer-Encoding'] }],
  },
  {
    name: 'a body by length from an HTTP/1.0 origin',
    source: 'RFC 9112 9.3',
    bytes: `${head('HTTP/1.0 200 OK', 'Content-Length: 5')}hello`,
    expect: [{ ...helloDropped, framing: 'length' }],
  },
  {
    name: 'a body by length from an HTTP/1.0 origin with keep-alive',
    source: 'RFC 9112 9.3',
    bytes: `${head('HTTP/1.0 200 OK', 'Connection: keep-alive', 'Content-Length: 5')}hello`,
    expect: [{ ...hello, upstream: 'either', lacks: ['Keep-Alive'] }],
  },
  {
    name: 'Connection: close of the origin ends its connection, not the one of the client',
    source: 'RFC 9112 9.6',
    bytes: `${head(OK, 'Connection: close', 'Content-Length: 5')}hello`,
    expect: [helloDropped],
  },
];

const bodiless: ResponseCase[] = [
  {
    name: 'HEAD: a length without a body',
    source: SOURCE,
    request: HEAD_REQUEST,
    bytes: head(OK, 'Content-Length: 5'),
    expect: [{ ...empty, inOrder: ['Content-Length: 5'] }],
  },
  {
    name: 'HEAD: chunked without a body',
    source: SOURCE,
    request: HEAD_REQUEST,
    bytes: head(OK, 'Transfer-Encoding: chunked'),
    expect: [empty],
  },
  {
    name: 'HEAD: no framing field',
    source: SOURCE,
    request: HEAD_REQUEST,
    bytes: head(OK, 'X-A: 1'),
    expect: [{ ...empty, inOrder: ['X-A: 1'] }],
  },
  {
    name: 'HEAD: a body all the same',
    source: SOURCE,
    request: HEAD_REQUEST,
    bytes: `${head(OK, 'Content-Length: 5')}hello`,
    expect: [{ ...empty, upstream: 'dropped' }],
  },
  {
    name: 'HEAD: a second response as body',
    source: 'response queue poisoning',
    request: HEAD_REQUEST,
    bytes: `${head(OK, 'Content-Length: 5')}${head('HTTP/1.1 203 Injected', 'Content-Length: 0')}`,
    expect: [{ ...empty, upstream: 'dropped' }],
  },
  ...[204, 304].flatMap((status): ResponseCase[] => [
    {
      name: `${status} without a framing field`,
      source: SOURCE,
      bytes: head(`HTTP/1.1 ${status} Nothing`, 'ETag: "a"'),
      expect: [{ ...empty, status, inOrder: ['ETag: "a"'] }],
    },
    {
      name: `${status} with a body all the same`,
      source: SOURCE,
      bytes: `${head(`HTTP/1.1 ${status} Nothing`, 'Content-Length: 5')}hello`,
      expect: [{ ...empty, status, upstream: 'dropped' }, ...badGateway()],
    },
    {
      name: `${status} with a chunked body all the same`,
      source: SOURCE,
      bytes: `${head(`HTTP/1.1 ${status} Nothing`, 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
      expect: [{ ...empty, status, upstream: 'dropped' }, ...badGateway()],
    },
  ]),
  {
    name: '204 with Content-Length: the field goes',
    source: 'RFC 9110 8.6',
    bytes: head('HTTP/1.1 204 Nothing', 'Content-Length: 0'),
    expect: [{ ...empty, status: 204, lacks: ['Content-Length'] }],
  },
  {
    name: '304 with the length of what was not sent',
    source: 'RFC 9110 15.4.5',
    bytes: head('HTTP/1.1 304 Not Modified', 'Content-Length: 500'),
    expect: [{ ...empty, status: 304, inOrder: ['Content-Length: 500'] }],
  },
  {
    name: 'a response of length 0',
    source: SOURCE,
    bytes: head(OK, 'Content-Length: 0'),
    expect: [{ ...hello, body: '', framing: 'length' }],
  },
];

export const responseFramingCases: readonly ResponseCase[] = [...badLength, ...codings, ...closeDelimited, ...bodiless];
