/**
 * The chunked coding of request bodies (RFC 9112 section 7.1): sizes, extensions, data ends, trailers, budgets.
 */
import { accepted, head, type RequestCase, refusedInBody } from '../src/case.ts';

const HOST = 'Host: h.example';
const SOURCE = 'RFC 9112 7.1; chunk smuggling';
const SMUGGLED = head('GET /smuggled HTTP/1.1', HOST);

function post(body: string): string {
  return head('POST /chunked HTTP/1.1', HOST, 'Transfer-Encoding: chunked') + body;
}

const bad: readonly (readonly [name: string, body: string])[] = [
  ['0x before the size', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a plus sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['a minus sign', '-5\r\nhello\r\n0\r\n\r\n'],
  ['minus zero', '-0\r\n\r\n'],
  ['a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
  ['a tab before the size', '\t5\r\nhello\r\n0\r\n\r\n'],
  ['a space after the size', '5 \r\nhello\r\n0\r\n\r\n'],
  ['a tab after the size', '5\t\r\nhello\r\n0\r\n\r\n'],
  ['an underscore in the size', '0_5\r\nhello\r\n0\r\n\r\n'],
  ['a letter that is no digit', 'g\r\nhello\r\n0\r\n\r\n'],
  ['a letter after the digits', '5g\r\nhello\r\n0\r\n\r\n'],
  ['an h after the digits', '5h\r\nhello\r\n0\r\n\r\n'],
  ['a comma after the size', '5,5\r\nhello\r\n0\r\n\r\n'],
  ['a dot in the size', '5.0\r\nhello\r\n0\r\n\r\n'],
  ['quotes around the size', '"5"\r\nhello\r\n0\r\n\r\n'],
  ['a NUL after the size', '5\0\r\nhello\r\n0\r\n\r\n'],
  ['a vertical tab after the size', '5\x0b\r\nhello\r\n0\r\n\r\n'],
  ['an empty size line', '\r\nhello\r\n0\r\n\r\n'],
  ['an extension without a size', ';a=b\r\nhello\r\n0\r\n\r\n'],
  ['a digit of latin1', '\xb2\r\nhello\r\n0\r\n\r\n'],
  ['LF after the size', '5\nhello\r\n0\r\n\r\n'],
  ['CR after the size', '5\rhello\r\n0\r\n\r\n'],
  ['CR CR LF after the size', '5\r\r\nhello\r\n0\r\n\r\n'],
  ['CR and another octet after the size', '5\rXhello\r\n0\r\n\r\n'],
  ['LF after the data', '5\r\nhello\n0\r\n\r\n'],
  ['CR after the data', '5\r\nhello\r0\r\n\r\n'],
  ['nothing after the data', '5\r\nhello0\r\n\r\n'],
  ['another octet and LF after the data', '5\r\nhelloX\n0\r\n\r\n'],
  ['CR and another octet after the data', '5\r\nhello\rX0\r\n\r\n'],
  ['two other octets after the data', '5\r\nhelloXX0\r\n\r\n'],
  ['more data than the size says', '5\r\nhelloX\r\n0\r\n\r\n'],
  ['less data than the size says', '5\r\nhell\r\n0\r\n\r\n0\r\n\r\n'],
  ['LF instead of the final CRLF', '5\r\nhello\r\n0\r\n\n'],
  ['LF after the last size', '5\r\nhello\r\n0\n\r\n'],
  ['two LF at the end', '5\r\nhello\r\n0\n\n'],
  ['CR and another octet at the end', '5\r\nhello\r\n0\r\n\rX'],
  ['another octet where the body should end', '0\r\nX\r\n\r\n'],
  ['a size of 2^64', '10000000000000000\r\nhello\r\n0\r\n\r\n'],
  ['a size of 2^64 + 5', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['a size of 2^63', '8000000000000000\r\nhello\r\n0\r\n\r\n'],
  ['a size above 2^53', '20000000000001\r\nhello\r\n0\r\n\r\n'],
  ['a size that is minus one in 64 bits', 'FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n'],
  ['a size of a hundred digits', `${'f'.repeat(100)}\r\nhello\r\n0\r\n\r\n`],
  ['LF in an extension', '5;a\nhello\r\n0\r\n\r\n'],
  ['LF in the value of an extension', '5;a=b\nc\r\nhello\r\n0\r\n\r\n'],
  ['LF in a quoted extension', '5;a="b\nc"\r\nhello\r\n0\r\n\r\n'],
  ['CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'],
  ['CR in a quoted extension', '5;a="b\rc"\r\nhello\r\n0\r\n\r\n'],
  ['CRLF in a quoted extension', '5;a="\r\nhello"\r\nhello\r\n0\r\n\r\n'],
  ['NUL in an extension', '5;a\0b\r\nhello\r\n0\r\n\r\n'],
  ['a control character in an extension', '5;a\x01b\r\nhello\r\n0\r\n\r\n'],
  ['LF in an extension of the last chunk', '5\r\nhello\r\n0;a\n\r\n'],
  ['a trailer without a colon', '5\r\nhello\r\n0\r\nX-Trailer\r\n\r\n'],
  ['a trailer with an empty name', '5\r\nhello\r\n0\r\n: 1\r\n\r\n'],
  ['a trailer with a space before the colon', '5\r\nhello\r\n0\r\nX-Trailer : 1\r\n\r\n'],
  ['a trailer with a space in its name', '5\r\nhello\r\n0\r\nX Trailer: 1\r\n\r\n'],
  ['a trailer that begins with a space', '5\r\nhello\r\n0\r\n X-Trailer: 1\r\n\r\n'],
  ['a folded trailer', '5\r\nhello\r\n0\r\nX-Trailer: 1\r\n 2\r\n\r\n'],
  ['a NUL in a trailer', '5\r\nhello\r\n0\r\nX-Trailer: 1\x002\r\n\r\n'],
  ['a bare CR in a trailer', '5\r\nhello\r\n0\r\nX-Trailer: 1\r2\r\n\r\n'],
  ['a bare LF after a trailer', '5\r\nhello\r\n0\r\nX-Trailer: 1\n\r\n'],
  ['a request line as trailer', '5\r\nhello\r\n0\r\nGET /smuggled HTTP/1.1\r\nHost: h.example\r\n\r\n'],
];

const refusedBodies: RequestCase[] = bad.map(([name, body]) => ({
  name: `chunked body with ${name}`,
  source: SOURCE,
  bytes: post(body) + SMUGGLED,
  expect: refusedInBody(400),
}));

const fine: readonly (readonly [name: string, body: string, content: string])[] = [
  ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['no chunk', '0\r\n\r\n', ''],
  ['several zeros as last chunk', '5\r\nhello\r\n000\r\n\r\n', 'hello'],
  ['several chunks', '1\r\nh\r\n1\r\ne\r\n3\r\nllo\r\n0\r\n\r\n', 'hello'],
  ['a size in upper case', 'A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
  ['a size in lower case', 'a\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
  ['a size with leading zeros', '0005\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['CRLF in the data', '7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n', '\r\n0\r\n\r\n'],
  ['data that looks like chunks', 'a\r\n5\r\nhello\r\n\r\n0\r\n\r\n', '5\r\nhello\r\n'],
  ['an extension', '5;a=b\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['an extension without a value', '5;a\r\nhello\r\n0;b\r\n\r\n', 'hello'],
  ['several extensions', '5;a=b;c;d="e"\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['a quoted extension with a quoted quote', '5;a="b\\"c;d"\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['extensions within the budget', `5;a=${'x'.repeat(8_000)}\r\nhello\r\n0\r\n\r\n`, 'hello'],
];

const goodBodies: RequestCase[] = fine.map(([name, body, content]) => ({
  name: `chunked body with ${name}`,
  source: SOURCE,
  // A length of 7 covers CRLF 0 CRLF CRLF: the decoder must count, not look for ends.
  bytes: post(body),
  expect: accepted({ method: 'POST', target: '/chunked', body: content }),
}));

const tolerable: RequestCase[] = [
  ['white space before an extension', '5 ;a=b\r\nhello\r\n0\r\n\r\n'],
  ['white space around the equals sign', '5;a = b\r\nhello\r\n0\r\n\r\n'],
  ['an empty extension', '5;\r\nhello\r\n0\r\n\r\n'],
  ['an unclosed quote in an extension', '5;a="b\r\nhello\r\n0\r\n\r\n'],
  ['very many leading zeros', `${'0'.repeat(40)}5\r\nhello\r\n0\r\n\r\n`],
].map(([name = '', body = '']) => ({
  name: `chunked body with ${name}: refused, or read as one chunk of five`,
  source: 'RFC 9112 7.1.1',
  bytes: post(body),
  expect: [...accepted({ body: 'hello' }), ...refusedInBody(400)],
}));

const forbidden = ['Content-Length', 'Transfer-Encoding', 'Host', 'Authorization', 'Cookie', 'X-Forwarded-For', 'TE'];

const trailers: RequestCase[] = [
  {
    name: 'a trailer is not merged into the head',
    source: 'RFC 9110 6.5.1',
    bytes: post('5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n'),
    expect: accepted({ body: 'hello', exactly: [HOST] }),
  },
  ...forbidden.map(
    (name): RequestCase => ({
      name: `${name} as trailer vanishes`,
      source: 'RFC 9110 6.5.1',
      bytes: post(`5\r\nhello\r\n0\r\n${name}: 5\r\n\r\n`),
      expect: [...accepted({ body: 'hello', host: 'h.example', exactly: [HOST] }), ...refusedInBody(400)],
    }),
  ),
  {
    name: 'trailers within the budget',
    source: SOURCE,
    bytes: post(`5\r\nhello\r\n0\r\nX-Trailer: ${'x'.repeat(8_000)}\r\n\r\n`),
    expect: accepted({ body: 'hello' }),
  },
];

const budgets: readonly (readonly [name: string, body: string])[] = [
  ['one extension of 20 KiB', `5;a=${'x'.repeat(20_480)}\r\nhello\r\n0\r\n\r\n`],
  ['extensions of 20 KiB in many chunks', `${`1;a=${'x'.repeat(100)}\r\nh\r\n`.repeat(210)}0\r\n\r\n`],
  ['an extension of the last chunk of 20 KiB', `5\r\nhello\r\n0;a=${'x'.repeat(20_480)}\r\n\r\n`],
  ['an extension without end', `5;a=${'x'.repeat(100_000)}`],
  ['one trailer of 20 KiB', `5\r\nhello\r\n0\r\nX-Trailer: ${'x'.repeat(20_480)}\r\n\r\n`],
  ['trailers of 20 KiB in many lines', `5\r\nhello\r\n0\r\n${`X-T: ${'x'.repeat(100)}\r\n`.repeat(210)}\r\n`],
  ['a trailer without end', `5\r\nhello\r\n0\r\nX-Trailer: ${'x'.repeat(100_000)}`],
  ['a size of very many zeros', `${'0'.repeat(100_000)}5\r\nhello\r\n0\r\n\r\n`],
];

const tooMuch: RequestCase[] = budgets.map(([name, body]) => ({
  name: `chunked body with ${name}`,
  source: 'unbounded chunk metadata (CVE-2024-22019, CVE-2023-39326 classes)',
  bytes: post(body),
  expect: refusedInBody(413, 431, 400),
  large: true,
}));

export const chunkedCases: readonly RequestCase[] = [
  ...refusedBodies,
  ...goodBodies,
  ...tolerable,
  ...trailers,
  ...tooMuch,
];
