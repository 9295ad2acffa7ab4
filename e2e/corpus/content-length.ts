/**
 * Content-Length: one line of digits, or nothing (RFC 9110 section 8.6, RFC 9112 section 6.3).
 */
import { accepted, head, type RequestCase, type RequestOutcome, refused } from '../src/case.ts';

const HOST = 'Host: h.example';
const SOURCE = 'RFC 9112 6.3; CL smuggling (CVE-2021-40346, CVE-2023-40225, CVE-2026-1525 classes)';
/** What a second reader could take for a request of its own. */
const SMUGGLED = head('GET /smuggled HTTP/1.1', HOST);

function post(lines: readonly string[], body: string): string {
  return head('POST /length HTTP/1.1', HOST, ...lines) + body;
}

const invalid: readonly (readonly [name: string, value: string])[] = [
  ['empty', ''],
  ['white space only', ' \t '],
  ['a plus sign', '+5'],
  ['a minus sign', '-5'],
  ['minus zero', '-0'],
  ['hexadecimal', '0x5'],
  ['a fraction', '5.0'],
  ['an exponent', '5e0'],
  ['two numbers', '5 5'],
  ['two numbers with a tab', '5\t5'],
  ['a number and a word', '5 bytes'],
  ['a trailing comma', '5,'],
  ['a leading comma', ',5'],
  ['a list of equal values', '5, 5'],
  ['a list of equal values without space', '5,5'],
  ['a list that differs', '5, 6'],
  ['a semicolon', '5;'],
  ['a parameter', '5;a=b'],
  ['quotes', '"5"'],
  ['an underscore', '1_0'],
  ['a thousands separator', '1.000'],
  ['a letter', '5a'],
  ['words', 'five'],
  ['NaN', 'NaN'],
  ['Infinity', 'Infinity'],
  ['a digit outside ASCII', '\xd9\xa5'],
  ['a superscript digit of latin1', '\xb5\xb2'],
  ['a vertical tab', '\x0b5'],
  ['a form feed', '5\x0c'],
  ['NUL', '5\0'],
  ['NUL first', '\x005'],
  ['a non-breaking space', '\xa05'],
  ['2^64 + 5', '18446744073709551621'],
  ['many digits', '9'.repeat(40)],
  ['a thousand digits', '1'.repeat(1_000)],
];

const tooLarge: RequestCase[] = ['9007199254740993', '9223372036854775808', '99999999999999999999'].map((value) => ({
  name: `Content-Length ${value}`,
  source: SOURCE,
  bytes: post([`Content-Length: ${value}`], SMUGGLED),
  expect: refused(400, 413),
}));

const refusedValues: RequestCase[] = invalid.map(([name, value]) => ({
  name: `Content-Length with ${name}`,
  source: SOURCE,
  bytes: post([`Content-Length: ${value}`], `hello${SMUGGLED}`),
  expect: refused(400),
}));

const pairs: readonly (readonly [name: string, ...lines: string[]])[] = [
  ['two equal lines', 'Content-Length: 5', 'Content-Length: 5'],
  ['two lines that differ', 'Content-Length: 5', 'Content-Length: 6'],
  ['two lines in different case', 'Content-Length: 5', 'content-length: 5'],
  ['two lines in different case that differ', 'CONTENT-LENGTH: 0', 'Content-Length: 5'],
  ['two lines with fields between', 'Content-Length: 5', 'X-A: 1', 'X-B: 2', 'Content-Length: 5'],
  ['a valid and an empty line', 'Content-Length: 5', 'Content-Length:'],
  ['three lines', 'Content-Length: 5', 'Content-Length: 5', 'Content-Length: 5'],
  ['a line with a bare name after it', 'Content-Length: 5', 'Content-Length'],
  ['a space before the colon', 'Content-Length : 5'],
  ['a tab before the colon', 'Content-Length\t: 5'],
  ['a vertical tab before the colon', 'Content-Length\x0b: 5'],
  ['a NUL before the colon', 'Content-Length\0: 5'],
  ['a control character before the name', '\x0bContent-Length: 5'],
  ['a space before the name', ' Content-Length: 5'],
];

const refusedPairs: RequestCase[] = pairs.map(([name, ...lines]) => ({
  name: `Content-Length: ${name}`,
  source: SOURCE,
  bytes: post(lines, `hello${SMUGGLED}`),
  expect: refused(400),
}));

const leadingZeros: readonly RequestOutcome[] = [...accepted({ body: 'hello' }), ...refused(400)];

const good: RequestCase[] = [
  {
    name: 'Content-Length frames the body',
    source: SOURCE,
    bytes: post(['Content-Length: 5'], 'hello'),
    expect: accepted({ method: 'POST', body: 'hello', inOrder: ['Content-Length: 5'] }),
  },
  {
    name: 'a body that looks like a request stays a body',
    source: SOURCE,
    bytes: post([`Content-Length: ${SMUGGLED.length}`], SMUGGLED),
    expect: accepted({ body: SMUGGLED }),
  },
  {
    name: 'Content-Length 0 on POST',
    source: SOURCE,
    bytes: post(['Content-Length: 0'], ''),
    expect: accepted({ body: '', inOrder: ['Content-Length: 0'] }),
  },
  {
    name: 'POST without a length has no body',
    source: 'RFC 9112 6.3',
    bytes: post([], ''),
    expect: accepted({ method: 'POST', body: '' }),
  },
  {
    name: 'white space around Content-Length',
    source: 'RFC 9112 5',
    bytes: post(['Content-Length: \t5 \t'], 'hello'),
    expect: accepted({ body: 'hello' }),
  },
  {
    name: 'Content-Length spelt in odd case',
    source: 'RFC 9110 5.1',
    bytes: post(['cOnTeNt-lEnGtH: 5'], 'hello'),
    expect: accepted({ body: 'hello', inOrder: ['cOnTeNt-lEnGtH: 5'] }),
  },
  {
    name: 'a few leading zeros',
    source: 'RFC 9110 8.6',
    bytes: post(['Content-Length: 0005'], 'hello'),
    expect: leadingZeros,
  },
  {
    name: 'leading zeros beyond twenty digits',
    source: 'RFC 9110 8.6',
    bytes: post([`Content-Length: ${'0'.repeat(30)}5`], 'hello'),
    expect: leadingZeros,
  },
  ...['GET', 'DELETE', 'OPTIONS', 'FOO'].map(
    (method): RequestCase => ({
      name: `${method} with a body keeps its framing`,
      source: 'RFC 9110 9.3.1, 9.3.5',
      bytes: `${head(`${method} /length HTTP/1.1`, HOST, 'Content-Length: 5')}hello`,
      expect: accepted({ method, body: 'hello' }),
    }),
  ),
  {
    name: 'HEAD with a body keeps its framing',
    source: 'RFC 9110 9.3.2',
    bytes: `${head('HEAD /length HTTP/1.1', HOST, 'Content-Length: 5')}hello`,
    methods: ['HEAD'],
    expect: accepted({ method: 'HEAD', body: 'hello' }),
  },
  {
    name: 'bytes of a body with every octet',
    source: 'RFC 9110 6.4',
    bytes: post(['Content-Length: 256'], String.fromCharCode(...Array(256).keys())),
    expect: accepted({ body: String.fromCharCode(...Array(256).keys()) }),
  },
];

const onHttp10: RequestCase[] = [
  {
    name: 'HTTP/1.0: an ambiguous length is refused too',
    source: SOURCE,
    bytes: `${head('POST /length HTTP/1.0', HOST, 'Connection: keep-alive', 'Content-Length: 5', 'Content-Length: 6')}hello${SMUGGLED}`,
    expect: refused(400),
  },
  {
    name: 'HTTP/1.0: a POST without a length is never read to the end of the connection',
    source: 'close-delimited request (CVE-2026-2835 class); RFC 9112 6.3',
    bytes: `${head('POST /length HTTP/1.0', HOST)}${SMUGGLED}`,
    expect: [
      { answers: [200], connection: 'closed', origin: { complete: 1 }, forwarded: [{ method: 'POST', body: '' }] },
      ...refused(400, 411),
    ],
  },
];

export const contentLengthCases: readonly RequestCase[] = [
  ...refusedValues,
  ...tooLarge,
  ...refusedPairs,
  ...good,
  ...onHttp10,
];
