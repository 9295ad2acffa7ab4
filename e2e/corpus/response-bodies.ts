/**
 * Bodies of responses that are cut, malformed or too long, and bytes that belong to no message
 * (RFC 9112 sections 7.1, 8 and 9.2).
 */
import { badGateway, head, type ResponseCase, type ResponseOutcome } from '../src/case.ts';

const OK = 'HTTP/1.1 200 OK';
const CHUNKED = head(OK, 'Transfer-Encoding: chunked');
const OLD_REQUEST = head('GET /case HTTP/1.0', 'Host: h.example');

const hello: ResponseOutcome = { status: 200, body: 'hello', end: 'complete', client: 'kept', upstream: 'reused' };
const dropped: ResponseOutcome = { ...hello, upstream: 'dropped' };
const truncated: ResponseOutcome = { status: 200, end: 'truncated', client: 'closed', upstream: 'dropped' };

/** Cut or malformed inside the body: the client sees an unfinished message, or a 502 when nothing was sent yet. */
const broken: readonly ResponseOutcome[] = [truncated, ...badGateway()];

const cuts: readonly (readonly [name: string, bytes: string])[] = [
  ['inside a body by length', `${head(OK, 'Content-Length: 50')}hello`],
  ['before the first octet of a body by length', head(OK, 'Content-Length: 50')],
  ['before the first chunk', CHUNKED],
  ['inside a chunk size', `${CHUNKED}5`],
  ['inside a chunk', `${CHUNKED}5\r\nhel`],
  ['after the data of a chunk', `${CHUNKED}5\r\nhello`],
  ['between two chunks', `${CHUNKED}5\r\nhello\r\n`],
  ['inside the last chunk', `${CHUNKED}5\r\nhello\r\n0\r\n`],
  ['inside the trailers', `${CHUNKED}5\r\nhello\r\n0\r\nX-Trailer: 1\r\n`],
];

const cutBodies: ResponseCase[] = cuts.flatMap(([name, bytes]) =>
  (['fin', 'reset'] as const).map((afterwards) => ({
    name: `cut by ${afterwards} ${name}`,
    source: 'RFC 9112 8',
    bytes,
    afterwards,
    expect: broken,
  })),
);

const cutHeads: readonly (readonly [name: string, bytes: string])[] = [
  ['before the first octet', ''],
  ['inside the status line', 'HTTP/1.1 2'],
  ['after the status line', 'HTTP/1.1 200 OK\r\n'],
  ['inside a field', 'HTTP/1.1 200 OK\r\nContent-Len'],
  ['before the end of the head', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n'],
  ['after an interim answer', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
];

const noHead: ResponseCase[] = cutHeads.flatMap(([name, bytes]) =>
  (['fin', 'reset'] as const).map((afterwards) => ({
    name: `cut by ${afterwards} ${name}`,
    source: 'RFC 9112 8; RFC 9110 15.6.3',
    bytes,
    afterwards,
    expect: badGateway(),
  })),
);

const cutForOldClient: ResponseCase[] = [
  {
    name: 'a close-delimited body cut by reset: no final chunk for the client',
    source: 'RFC 9112 8',
    bytes: `${head(OK)}hello`,
    afterwards: 'reset',
    expect: broken,
  },
  {
    name: 'a chunked body cut by fin: an HTTP/1.0 client gets a reset, the only sign there is',
    source: 'RFC 9112 8',
    request: OLD_REQUEST,
    bytes: `${CHUNKED}5\r\nhello\r\n`,
    afterwards: 'fin',
    expect: broken,
  },
  {
    name: 'a close-delimited body cut by reset: an HTTP/1.0 client gets a reset',
    source: 'RFC 9112 8',
    request: OLD_REQUEST,
    bytes: `${head(OK)}hello`,
    afterwards: 'reset',
    expect: broken,
  },
];

const badChunks: readonly (readonly [name: string, body: string])[] = [
  ['0x before the size', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a sign', '-5\r\nhello\r\n0\r\n\r\n'],
  ['a letter that is no digit', 'g\r\nhello\r\n0\r\n\r\n'],
  ['an empty size line', '\r\nhello\r\n0\r\n\r\n'],
  ['LF after the size', '5\nhello\r\n0\r\n\r\n'],
  ['LF after the data', '5\r\nhello\n0\r\n\r\n'],
  ['another octet and LF after the data', '5\r\nhelloX\n0\r\n\r\n'],
  ['CR and another octet after the data', '5\r\nhello\rX0\r\n\r\n'],
  ['nothing after the data', '5\r\nhello0\r\n\r\n'],
  ['more data than the size says', '5\r\nhelloX\r\n0\r\n\r\n'],
  ['a size of 2^64 + 5', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['a bad second chunk', '5\r\nhello\r\nzz\r\nhello\r\n0\r\n\r\n'],
  ['LF in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n'],
  ['an extension of 20 KiB', `5;a=${'x'.repeat(20_480)}\r\nhello\r\n0\r\n\r\n`],
  ['a malformed trailer', '5\r\nhello\r\n0\r\nX Trailer\r\n\r\n'],
  ['a NUL in a trailer', '5\r\nhello\r\n0\r\nX-Trailer: a\0b\r\n\r\n'],
  ['trailers of 20 KiB', `5\r\nhello\r\n0\r\nX-Trailer: ${'x'.repeat(20_480)}\r\n\r\n`],
];

const malformed: ResponseCase[] = badChunks.map(([name, body]) => ({
  name: `chunked body with ${name}`,
  source: 'RFC 9112 7.1',
  bytes: CHUNKED + body,
  expect: broken,
}));

const chunked: ResponseCase[] = [
  {
    name: 'several chunks',
    source: 'RFC 9112 7.1',
    bytes: `${CHUNKED}1\r\nh\r\n004\r\nello\r\n00\r\n\r\n`,
    expect: [hello],
  },
  {
    name: 'chunk extensions are not passed on',
    source: 'RFC 9112 7.1.1',
    bytes: `${CHUNKED}5;a=b;c\r\nhello\r\n0;d\r\n\r\n`,
    expect: [hello],
  },
  {
    name: 'trailers are not merged into the head',
    source: 'RFC 9110 6.5.1',
    bytes: `${CHUNKED}5\r\nhello\r\n0\r\nX-Trailer: 1\r\nETag: "a"\r\n\r\n`,
    expect: [hello],
  },
  {
    name: 'forbidden trailers vanish',
    source: 'RFC 9110 6.5.1',
    bytes: `${CHUNKED}5\r\nhello\r\n0\r\nContent-Length: 3\r\nSet-Cookie: a=1\r\nTransfer-Encoding: gzip\r\n\r\n`,
    expect: [{ ...hello, lacks: ['Content-Length', 'Set-Cookie'] }, ...broken],
  },
  {
    name: 'nothing but the last chunk',
    source: 'RFC 9112 7.1',
    bytes: `${CHUNKED}0\r\n\r\n`,
    expect: [{ ...hello, body: '' }],
  },
];

const INJECTED = `${head('HTTP/1.1 203 Injected', 'Content-Length: 8')}injected`;

const surplus: readonly (readonly [name: string, extra: string])[] = [
  ['more octets', 'EXTRA'],
  ['one octet', 'X'],
  ['an empty line', '\r\n'],
  ['a second response', INJECTED],
  ['three more responses', INJECTED.repeat(3)],
  ['the beginning of a response', 'HTTP/1.1 200 OK\r\nX-'],
  ['an interim response', 'HTTP/1.1 100 Continue\r\n\r\n'],
];

const after: ResponseCase[] = surplus.flatMap(([name, extra]) => [
  {
    name: `${name} after a body by length`,
    source: 'RFC 9112 9.2; response queue poisoning (CVE-2026-48931 class)',
    bytes: `${head(OK, 'Content-Length: 5')}hello${extra}`,
    expect: [dropped],
  },
  {
    name: `${name} after a chunked body`,
    source: 'RFC 9112 9.2; response queue poisoning',
    bytes: `${CHUNKED}5\r\nhello\r\n0\r\n\r\n${extra}`,
    expect: [dropped],
  },
  {
    name: `${name} after 204`,
    source: 'RFC 9112 9.2; response queue poisoning',
    bytes: `${head('HTTP/1.1 204 No Content')}${extra}`,
    expect: [{ ...dropped, status: 204, body: '' }],
  },
]);

export const responseBodyCases: readonly ResponseCase[] = [
  ...cutBodies,
  ...noHead,
  ...cutForOldClient,
  ...malformed,
  ...chunked,
  ...after,
];
