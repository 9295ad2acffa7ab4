/**
 * Random responses for the differential test: well-formed ones, and ones with a flaw anywhere.
 */
import fc from 'fast-check';

const content = fc.oneof(
  fc.constantFrom('', 'hello', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfoo'),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
);

const field = fc.constantFrom(
  'X-A: 1',
  'X-A:1',
  'X-A: \t1 \t',
  'X-Empty:',
  'Set-Cookie: a=1',
  'Set-Cookie: b=2',
  'x-lower: caf\xe9',
  'Content_Length: 7',
  'Server: property',
);

function chunked(body: string, size: number): string {
  const chunks: string[] = [];
  for (let at = 0; at < body.length; at += size) {
    const piece = body.slice(at, at + size);
    chunks.push(`${piece.length.toString(16)}\r\n${piece}\r\n`);
  }
  return `${chunks.join('')}0\r\n\r\n`;
}

const framed = fc.oneof(
  content.map((body) => ({ lines: [`Content-Length: ${body.length}`], bytes: body })),
  content.map((body) => ({ lines: [] as string[], bytes: body })),
  fc.tuple(content, fc.integer({ min: 1, max: 12 })).map(([body, size]) => ({
    lines: ['Transfer-Encoding: chunked'],
    bytes: chunked(body, size),
  })),
);

/** A well-formed response, which ends with the connection. */
export const soundResponse: fc.Arbitrary<string> = fc
  .record({
    status: fc.constantFrom('200 OK', '404 Not Found', '500 Oops', '206 '),
    framed,
    fields: fc.array(field, { maxLength: 4 }),
    interim: fc.constantFrom('', '', '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
  })
  .map(({ status, framed: { lines, bytes }, fields, interim }) => {
    const half = Math.floor(fields.length / 2);
    const all = [...fields.slice(0, half), ...lines, ...fields.slice(half)].map((line) => `${line}\r\n`).join('');
    return `${interim}HTTP/1.1 ${status}\r\n${all}\r\n${bytes}`;
  });

type Edit = (bytes: string, at: number) => string;

const insertions = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ',',
  ';',
  '0',
  '5',
  'f',
  '\x0b',
  '\xff',
  '\r\n ',
  '\r\n\r\n',
];

const edits: readonly Edit[] = [
  ...insertions.map(
    (text): Edit =>
      (bytes, at) =>
        bytes.slice(0, at) + text + bytes.slice(at),
  ),
  (bytes, at) => bytes.slice(0, at) + bytes.slice(at + 1),
  (bytes, at) => bytes.slice(0, at),
  (bytes, at) => bytes.slice(0, at) + bytes.slice(at, at + 1) + bytes.slice(at),
  (bytes) => bytes.replace('\r\n', '\n'),
  (bytes) => bytes.replace(/HTTP\/1\.1 (?=[2-5])/, 'HTTP/1.0 '),
  (bytes) => bytes.replace('\r\n', '\r\nContent-Length: 3\r\n'),
  (bytes) => bytes.replace('\r\n', '\r\nTransfer-Encoding: chunked\r\n'),
];

/** A response with one octet too many, too few or wrong, cut short, or with one more framing field. */
export const flawedResponse: fc.Arbitrary<string> = fc
  .tuple(soundResponse, fc.nat(), fc.constantFrom(...edits))
  .map(([bytes, at, edit]) => edit(bytes, at % (bytes.length + 1)));
