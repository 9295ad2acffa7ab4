/**
 * Random requests for the differential test: well-formed ones, and ones with a flaw where framing is decided.
 */
import fc from 'fast-check';
import { get } from './wire-client.ts';

/** What follows every random request on the same connection: it must be seen as itself or not at all. */
export const SENTINEL: string = get('/sentinel', 'Connection: close');

const body = fc.oneof(
  fc.constant(''),
  fc.constantFrom('hello', '0\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n', 'GET /inner HTTP/1.1\r\nHost: inner\r\n\r\n'),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
);

const target = fc.constantFrom('/', '/a/b?c=d', '//x', '/%41', '/?', '/a;b=c', '/index.html?x=%0d%0a');

const extraField = fc.constantFrom(
  'X-A: 1',
  'X-A:1',
  'X-A: \t1 \t',
  'X-Empty:',
  'Accept: */*',
  'Cookie: a=1; b=2',
  'x-lower: caf\xe9',
  'Connection: keep-alive',
  'Content_Length: 7',
  'Transfer_Encoding: chunked',
  'User-Agent: property',
);

/** The body in chunks of the given sizes, the rest in one. */
function chunked(content: string, sizes: readonly number[]): string {
  const chunks: string[] = [];
  let rest = content;
  for (const size of [...sizes, content.length]) {
    const piece = rest.slice(0, size);
    rest = rest.slice(size);
    if (piece !== '') chunks.push(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  }
  return `${chunks.join('')}0\r\n\r\n`;
}

const framed = fc.oneof(
  fc.constant({ lines: [] as string[], bytes: '' }),
  body.map((content) => ({ lines: [`Content-Length: ${content.length}`], bytes: content })),
  fc
    .tuple(body, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }))
    .map(([content, sizes]) => ({ lines: ['Transfer-Encoding: chunked'], bytes: chunked(content, sizes) })),
);

/** A well-formed request: both sides must accept it and see the same. */
export const soundRequest: fc.Arbitrary<string> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'),
    target,
    framed,
    extras: fc.array(extraField, { maxLength: 4 }),
  })
  .map(({ method, target, framed, extras }) => {
    const half = Math.floor(extras.length / 2);
    const lines = ['Host: h.example', ...extras.slice(0, half), ...framed.lines, ...extras.slice(half)];
    return `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${framed.bytes}`;
  });

const oddFraming = fc.constantFrom(
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 05',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length:',
  'Content-Length: 5 ',
  'Content-Length : 5',
  'content-length: 6',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\x0bchunked',
  'Transfer-Encoding: xchunked',
  'X-A: 1\r\n Content-Length: 5',
  'X-A: 1\rContent-Length: 5',
  'X-A: 1\nContent-Length: 5',
  'Host: other.example',
  'Connection: close',
  'Connection: Content-Length',
  'Expect: 100-continue',
);

/** A well-formed request with one or two more framing fields in its head. */
const withOddField = fc
  .tuple(soundRequest, fc.array(oddFraming, { minLength: 1, maxLength: 2 }))
  .map(([bytes, odd]) => {
    const at = bytes.indexOf('\r\n') + 2;
    return `${bytes.slice(0, at)}${odd.join('\r\n')}\r\n${bytes.slice(at)}`;
  });

type Edit = (bytes: string, at: number) => string;

const edits: readonly Edit[] = [
  ...['\r', '\n', '\r\n', ' ', '\t', '\0', ':', ',', ';', '0', '5', '\x0b', '\xff'].map(
    (text): Edit =>
      (bytes, at) =>
        bytes.slice(0, at) + text + bytes.slice(at),
  ),
  (bytes, at) => bytes.slice(0, at) + bytes.slice(at + 1),
  (bytes, at) => bytes.slice(0, at) + bytes.slice(at, at + 1) + bytes.slice(at),
  (bytes) => bytes.replace('\r\n', '\n'),
  (bytes) => bytes.replace(/\r\n(?!.*\r\n)/s, '\n'),
  (bytes) => bytes.replace('HTTP/1.1', 'HTTP/1.0'),
];

/** A request with one octet too many, too few or wrong, anywhere. */
const withEdit = fc
  .tuple(soundRequest, fc.nat(), fc.constantFrom(...edits))
  .map(([bytes, at, edit]) => edit(bytes, at % (bytes.length + 1)));

/** A request that may be anything: refused, accepted, or left waiting for more. */
export const flawedRequest: fc.Arbitrary<string> = fc.oneof(withOddField, withEdit);
