/**
 * Transfer-Encoding: exactly `chunked`, on 1.1, alone (RFC 9112 sections 6.1 and 6.3).
 */
import { accepted, head, type RequestCase, refused } from '../src/case.ts';

const HOST = 'Host: h.example';
const SOURCE = 'RFC 9112 6.1, 6.3; TE smuggling (CVE-2026-2835 class)';
const SMUGGLED = head('GET /smuggled HTTP/1.1', HOST);
/** A body that ends at once for a reader of chunks and goes on for everybody else. */
const TRAP = `0\r\n\r\n${SMUGGLED}`;

function post(...lines: string[]): string {
  return head('POST /coding HTTP/1.1', HOST, ...lines);
}

const unknown: readonly (readonly [name: string, value: string])[] = [
  ['another coding', 'gzip'],
  ['identity', 'identity'],
  ['a coding before chunked', 'gzip, chunked'],
  ['a coding after chunked', 'chunked, gzip'],
  ['identity after chunked', 'chunked, identity'],
  ['identity before chunked', 'identity, chunked'],
  ['chunked twice', 'chunked, chunked'],
  ['chunked twice without space', 'chunked,chunked'],
  ['a leading comma', ',chunked'],
  ['a trailing comma', 'chunked,'],
  ['empty members', ', ,chunked, ,'],
  ['a parameter', 'chunked;q=1'],
  ['a parameter with a space', 'chunked ;a=b'],
  ['double quotes', '"chunked"'],
  ['single quotes', "'chunked'"],
  ['a letter before', 'xchunked'],
  ['a letter after', 'chunkedx'],
  ['a letter missing', 'chunke'],
  ['a space inside', 'chun ked'],
  ['a word after', 'chunked x'],
  ['a hyphen after', 'chunked-'],
  ['nothing', ''],
  ['white space only', ' \t'],
  ['a vertical tab before', '\x0bchunked'],
  ['a form feed after', 'chunked\x0c'],
  ['a NUL inside', 'chu\0nked'],
  ['a NUL after', 'chunked\0'],
  ['a non-breaking space before', '\xa0chunked'],
  ['a Kelvin sign', 'chun\xe2\x84\xaaed'],
  ['a long s', 'chunked\xc5\xbf'],
  ['a colon', ': chunked'],
  ['a bracket', '(chunked)'],
];

const refusedValues: RequestCase[] = unknown.flatMap(([name, value]) => [
  {
    name: `Transfer-Encoding with ${name}`,
    source: SOURCE,
    bytes: post(`Transfer-Encoding: ${value}`) + TRAP,
    expect: refused(501, 400),
  },
  {
    name: `Transfer-Encoding with ${name}, beside Content-Length`,
    source: SOURCE,
    bytes: post(`Transfer-Encoding: ${value}`, `Content-Length: ${TRAP.length}`) + TRAP,
    expect: refused(400, 501),
  },
]);

const pairs: readonly (readonly [name: string, ...lines: string[]])[] = [
  ['Content-Length before it', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
  ['Content-Length after it', 'Transfer-Encoding: chunked', 'Content-Length: 5'],
  ['Content-Length 0', 'Content-Length: 0', 'Transfer-Encoding: chunked'],
  ['Content-Length that is right', 'Transfer-Encoding: chunked', `Content-Length: ${TRAP.length}`],
  ['an invalid Content-Length', 'Transfer-Encoding: chunked', 'Content-Length: x'],
  ['both in odd case', 'tRANSFER-eNCODING: CHUNKED', 'cONTENT-lENGTH: 5'],
  ['both with fields between', 'Content-Length: 5', 'X-A: 1', 'X-B: 2', 'X-C: 3', 'Transfer-Encoding: chunked'],
];

const withLength: RequestCase[] = pairs.map(([name, ...lines]) => ({
  name: `Transfer-Encoding and ${name}`,
  source: 'RFC 9112 6.1: CL.TE and TE.CL',
  bytes: post(...lines) + TRAP,
  expect: refused(400),
}));

const multiple: readonly (readonly [name: string, ...lines: string[]])[] = [
  ['chunked twice', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ['identity, then chunked', 'Transfer-Encoding: identity', 'Transfer-Encoding: chunked'],
  ['chunked, then identity', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
  ['chunked, then nothing', 'Transfer-Encoding: chunked', 'Transfer-Encoding:'],
  ['in different case', 'Transfer-Encoding: chunked', 'transfer-encoding: x'],
  ['with a field between', 'Transfer-Encoding: x', 'X-A: 1', 'Transfer-Encoding: chunked'],
];

const several: RequestCase[] = multiple.map(([name, ...lines]) => ({
  name: `two lines of Transfer-Encoding, ${name}`,
  source: SOURCE,
  bytes: post(...lines) + TRAP,
  expect: refused(400, 501),
}));

const disguised: readonly (readonly [name: string, line: string])[] = [
  ['a space before the colon', 'Transfer-Encoding : chunked'],
  ['a tab before the colon', 'Transfer-Encoding\t: chunked'],
  ['a non-breaking space before the colon', 'Transfer-Encoding\xa0: chunked'],
  ['a NUL before the colon', 'Transfer-Encoding\0: chunked'],
  ['a space before the name', ' Transfer-Encoding: chunked'],
  ['a vertical tab before the name', '\x0bTransfer-Encoding: chunked'],
  ['a fold before the value', 'Transfer-Encoding:\r\n chunked'],
  ['a fold inside the value', 'Transfer-Encoding: chunked\r\n , identity'],
  ['a bare CR before it', 'X-A: 1\rTransfer-Encoding: chunked'],
  ['a bare LF before it', 'X-A: 1\nTransfer-Encoding: chunked'],
  ['no colon', 'Transfer-Encoding chunked'],
];

const hidden: RequestCase[] = disguised.flatMap(([name, line]) => [
  { name: `Transfer-Encoding disguised by ${name}`, source: SOURCE, bytes: post(line) + TRAP, expect: refused(400) },
  {
    name: `Transfer-Encoding disguised by ${name}, beside Content-Length`,
    source: SOURCE,
    bytes: post(`Content-Length: ${TRAP.length}`, line) + TRAP,
    expect: refused(400),
  },
]);

const onHttp10: RequestCase[] = [
  {
    name: 'Transfer-Encoding on 1.0',
    source: SOURCE,
    bytes: head('POST /coding HTTP/1.0', HOST, 'Transfer-Encoding: chunked') + TRAP,
    expect: refused(400),
  },
  {
    name: 'Transfer-Encoding on 1.0 with keep-alive',
    source: SOURCE,
    bytes: head('POST /coding HTTP/1.0', HOST, 'Connection: keep-alive', 'Transfer-Encoding: chunked') + TRAP,
    expect: refused(400),
  },
  {
    name: 'Transfer-Encoding and Content-Length on 1.0',
    source: SOURCE,
    bytes:
      head('POST /coding HTTP/1.0', HOST, 'Connection: keep-alive', 'Content-Length: 5', 'Transfer-Encoding: chunked') +
      TRAP,
    expect: refused(400),
  },
];

const good: RequestCase[] = [
  ...['chunked', 'Chunked', 'CHUNKED', 'cHuNkEd', '\tchunked \t'].map(
    (value): RequestCase => ({
      name: `Transfer-Encoding ${JSON.stringify(value)}`,
      source: 'RFC 9112 7',
      bytes: `${post(`Transfer-Encoding: ${value}`)}5\r\nhello\r\n0\r\n\r\n`,
      expect: accepted({ method: 'POST', body: 'hello' }),
    }),
  ),
  {
    name: 'a look-alike of Transfer-Encoding does not frame',
    source: SOURCE,
    bytes: `${post('Transfer_Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`,
    expect: accepted({ body: '0\r\n\r\n' }),
  },
  {
    name: 'a chunked body on GET keeps its framing',
    source: 'RFC 9110 9.3.1',
    bytes: `${head('GET /coding HTTP/1.1', HOST, 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    expect: accepted({ method: 'GET', body: 'hello' }),
  },
];

export const transferEncodingCases: readonly RequestCase[] = [
  ...refusedValues,
  ...withLength,
  ...several,
  ...hidden,
  ...onHttp10,
  ...good,
];
