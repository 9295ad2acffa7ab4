/**
 * Field lines: names, colons, values, folds, and what must arrive unchanged (RFC 9112 section 5, RFC 9110 section 5).
 */
import { accepted, head, type RequestCase, refused } from '../src/case.ts';

const HOST = 'Host: h.example';

function withLine(line: string): string {
  return head('GET /fields HTTP/1.1', HOST, line, 'X-Last: 1');
}

const badNameOctets = '"(),/;<=>?@[\\]{}\x01\x0b\x0c\x7f\x80\xa0\xff';

const badNames: RequestCase[] = [...badNameOctets].map((octet) => ({
  name: `field name with ${JSON.stringify(octet)}`,
  source: 'RFC 9110 5.1, 5.6.2',
  bytes: withLine(`X-${octet}A: 1`),
  expect: refused(400),
}));

const malformed: readonly (readonly [name: string, line: string])[] = [
  ['a field line without a colon', 'X-Field'],
  ['a field line without a colon that has a value', 'X-Field value'],
  ['an empty field name', ': value'],
  ['an empty field name and value', ':'],
  ['a space inside the name', 'X Field: value'],
  ['a space before the colon', 'X-Field : value'],
  ['a tab before the colon', 'X-Field\t: value'],
  ['many spaces before the colon', 'X-Field     : value'],
  ['a space before the colon of Content-Length', 'Content-Length : 0'],
  ['a space before the colon of Transfer-Encoding', 'Transfer-Encoding : chunked'],
  ['a non-breaking space before the colon', 'X-Field\xa0: value'],
  ['a fold by space', 'X-Field: value\r\n continued'],
  ['a fold by tab', 'X-Field: value\r\n\tcontinued'],
  ['a fold before the value', 'X-Field:\r\n value'],
  ['a fold of white space only', 'X-Field: value\r\n \r\n'],
  ['a fold that looks like a field', 'X-Field: value\r\n Content-Length: 5'],
  ['a folded Transfer-Encoding', 'Transfer-Encoding:\r\n chunked'],
  ['a folded Content-Length', 'Content-Length:\r\n 0'],
  ['a request line among the fields', 'GET /other HTTP/1.1'],
];

const refusedLines: RequestCase[] = malformed.map(([name, line]) => ({
  name,
  source: 'RFC 9112 5.1, 5.2',
  bytes: withLine(line),
  expect: refused(400),
}));

const kept: readonly (readonly [name: string, sent: string, seen: string])[] = [
  ['no white space after the colon', 'X-A:1', 'X-A: 1'],
  ['spaces and tabs around the value', 'X-A: \t 1 \t', 'X-A: 1'],
  ['an empty value', 'X-A:', 'X-A: '],
  ['a value of white space only', 'X-A:  \t', 'X-A: '],
  ['a tab inside the value', 'X-A: 1\t2', 'X-A: 1\t2'],
  ['a colon at the start of the value', 'X-A: : 1', 'X-A: : 1'],
  ['octets above 127 in the value', 'X-A: caf\xc3\xa9 \xff', 'X-A: caf\xc3\xa9 \xff'],
  ['quotes and backslashes', 'X-A: "a\\"b", \\', 'X-A: "a\\"b", \\'],
  ['every punctuation mark of a token as name', "!#$%&'*+-.^_`|~: 1", "!#$%&'*+-.^_`|~: 1"],
  ['a name in odd case', 'x-oDd-CASE: 1', 'x-oDd-CASE: 1'],
  ['a digit as name', '1: 1', '1: 1'],
  ['the name __proto__', '__proto__: polluted', '__proto__: polluted'],
  ['the name constructor', 'constructor: polluted', 'constructor: polluted'],
  ['the name hasOwnProperty', 'hasOwnProperty: polluted', 'hasOwnProperty: polluted'],
  ['the name toString', 'toString: polluted', 'toString: polluted'],
  ['a look-alike of Content-Length', 'Content_Length: 5', 'Content_Length: 5'],
  ['a look-alike of Transfer-Encoding', 'Transfer_Encoding: chunked', 'Transfer_Encoding: chunked'],
  ['a name that begins with Content-Length', 'Content-Lengthx: 5', 'Content-Lengthx: 5'],
  ['a name that begins with Transfer-Encoding', 'Transfer-Encodings: chunked', 'Transfer-Encodings: chunked'],
];

const preserved: RequestCase[] = kept.map(([name, sent, seen]) => ({
  name: `${name}: forwarded`,
  source: 'RFC 9110 5.5; 5.6.2',
  bytes: withLine(sent),
  expect: accepted({ target: '/fields', exactly: [HOST, seen, 'X-Last: 1'] }),
}));

const whole: RequestCase[] = [
  {
    name: 'order, case and duplicates of fields stay as they are',
    source: 'RFC 9110 5.3',
    bytes: head(
      'GET /order HTTP/1.1',
      'X-b: 1',
      'x-A: 2',
      HOST,
      'X-B: 3',
      'Cookie: a=1',
      'X-A: 4',
      'cookie: b=2',
      'X-b: 1',
    ),
    expect: accepted({
      exactly: ['X-b: 1', 'x-A: 2', HOST, 'X-B: 3', 'Cookie: a=1', 'X-A: 4', 'cookie: b=2', 'X-b: 1'],
    }),
  },
  {
    name: 'nothing is added to a plain request',
    source: 'architecture: Via and X-Forwarded-* are opt-in',
    bytes: head('GET /plain HTTP/1.1', HOST, 'User-Agent: e2e', 'Accept: */*'),
    expect: accepted({ exactly: [HOST, 'User-Agent: e2e', 'Accept: */*'] }),
  },
  {
    name: 'Via, Forwarded and X-Forwarded-* of the client pass and get no company',
    source: 'architecture: Via and X-Forwarded-* are opt-in',
    bytes: head('GET /via HTTP/1.1', HOST, 'Via: 1.1 a', 'X-Forwarded-For: 192.0.2.1', 'Forwarded: for=192.0.2.1'),
    expect: accepted({ exactly: [HOST, 'Via: 1.1 a', 'X-Forwarded-For: 192.0.2.1', 'Forwarded: for=192.0.2.1'] }),
  },
  {
    name: 'conditional, range and authorization fields pass',
    source: 'RFC 9110 13.1, 14.2, 11.6.2',
    bytes: head('GET /cond HTTP/1.1', HOST, 'If-None-Match: "a"', 'Range: bytes=0-1', 'Authorization: Basic YTpi'),
    expect: accepted({ exactly: [HOST, 'If-None-Match: "a"', 'Range: bytes=0-1', 'Authorization: Basic YTpi'] }),
  },
];

const controls: RequestCase[] = ['\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x7f'].map((octet) => ({
  name: `control character ${JSON.stringify(octet)} in a value: refused or made harmless`,
  source: 'RFC 9110 5.5',
  bytes: withLine(`X-A: 1${octet}2`),
  expect: [...refused(400), ...accepted({ inOrder: ['X-A: 1 2'] })],
}));

export const fieldCases: readonly RequestCase[] = [...badNames, ...refusedLines, ...preserved, ...whole, ...controls];
