/**
 * Requests, most of them hostile, and what has to become of each. Written from RFC 9110, RFC 9112 and the classes of
 * attack that are known by name. Data only; corpus.test.ts feeds them in every way.
 */
import type { TranscriptOptions } from '../transcript.ts';

/** A message and its fate. */
export interface CodecCase {
  readonly name: string;
  readonly bytes: string;
  readonly options?: TranscriptOptions;
  /** Status to refuse it with, for responses 502 whatever the reason. */
  readonly refused?: number;
  /** Refused after the head: the part of the body that may have been reported by then, at most. */
  readonly bodyBefore?: string;
  /** Start line as understood, `[framing; flags]`. */
  readonly head?: string;
  /** The fields as they would go out; by default they are as they came. */
  readonly fields?: string;
  readonly body?: string;
  readonly trailers?: string;
}

const H = 'Host: a\r\n';

/** A request with these field lines besides Host. */
function get(fields: string, start = 'GET / HTTP/1.1'): string {
  return `${start}\r\n${H}${fields}\r\n`;
}

function post(fields: string, body: string): string {
  return get(fields, 'POST / HTTP/1.1') + body;
}

const TE = 'Transfer-Encoding: chunked\r\n';

function chunked(body: string): string {
  return post(TE, body);
}

const RFC_9112_2_2_LINES: CodecCase[] = [
  {
    name: 'one empty line before the request line is ignored',
    bytes: `\r\n${get('')}`,
    head: 'GET / 1.1 [0; keep]',
    fields: H,
  },
  { name: 'two empty lines before the request line', bytes: `\r\n\r\n${get('')}`, refused: 400 },
  { name: 'bare LF before the request line', bytes: `\n${get('')}`, refused: 400 },
  { name: 'bare CR before the request line', bytes: `\r${get('')}`, refused: 400 },
  { name: 'space before the request line', bytes: ` ${get('')}`, refused: 400 },
  { name: 'bare LF after the request line', bytes: 'GET / HTTP/1.1\nHost: a\r\n\r\n', refused: 400 },
  { name: 'bare LF after a field', bytes: 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n', refused: 400 },
  { name: 'bare LF for the empty line', bytes: 'GET / HTTP/1.1\r\nHost: a\r\n\n', refused: 400 },
  { name: 'LF only, everywhere', bytes: 'GET / HTTP/1.1\nHost: a\n\n', refused: 400 },
  { name: 'bare CR after the request line', bytes: 'GET / HTTP/1.1\rHost: a\r\n\r\n', refused: 400 },
  { name: 'bare CR in a field value', bytes: get('X: a\rY: b\r\n'), refused: 400 },
  { name: 'bare CR before the colon', bytes: get('X\r: a\r\n'), refused: 400 },
  { name: 'CR CR LF after a field', bytes: get('X: a\r\r\n'), refused: 400 },
  { name: 'CR CR LF for the empty line', bytes: 'GET / HTTP/1.1\r\nHost: a\r\n\r\r\n', refused: 400 },
  { name: 'bare CR that would hide a field', bytes: get('X: a\rContent-Length: 5\r\n'), refused: 400 },
  { name: 'NUL in a field value', bytes: get('X: a\0b\r\n'), refused: 400 },
  { name: 'NUL in a field name', bytes: get('X\0: a\r\n'), refused: 400 },
  { name: 'NUL in the target', bytes: 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'NUL in the method', bytes: 'GE\0T / HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  {
    name: 'space between the request line and the first field',
    bytes: 'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
    refused: 400,
  },
  {
    name: 'tab between the request line and the first field',
    bytes: 'GET / HTTP/1.1\r\n\tX: y\r\nHost: a\r\n\r\n',
    refused: 400,
  },
  { name: 'a TLS handshake', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', refused: 400 },
  { name: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', refused: 505 },
];

const RFC_9112_3_REQUEST_LINE: CodecCase[] = [
  { name: 'HTTP/0.9', bytes: 'GET /\r\n', refused: 400 },
  { name: 'no version but a space', bytes: 'GET / \r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'no target', bytes: 'GET HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'empty target', bytes: 'GET  HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'two spaces after the method', bytes: 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'two spaces before the version', bytes: 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'space after the version', bytes: 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'tabs for spaces', bytes: 'GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'tab after the method', bytes: 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'tab before the version', bytes: 'GET /\tHTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'space in the target', bytes: 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  {
    name: 'a second request line instead of the version',
    bytes: 'GET /a HTTP/1.1 GET /b HTTP/1.1\r\nHost: a\r\n\r\n',
    refused: 400,
  },
  { name: 'fragment in the target (CVE-2023-45539)', bytes: 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'DEL in the target', bytes: 'GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'obs-text in the target', bytes: 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  {
    name: 'obs-text in the target where it is allowed',
    bytes: 'GET /\xe9\x80\xff HTTP/1.1\r\nHost: a\r\n\r\n',
    options: { lenient: { obsTextInTarget: true } },
    head: 'GET /\xe9\x80\xff 1.1 [0; keep]',
    fields: H,
  },
  {
    name: 'DEL in the target where obs-text is allowed',
    bytes: 'GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n',
    options: { lenient: { obsTextInTarget: true } },
    refused: 400,
  },
  {
    name: 'quotes, brackets and the like in the target',
    bytes: get('', 'GET /"<>\\^`{|}[]? HTTP/1.1'),
    head: 'GET /"<>\\^`{|}[]? 1.1 [0; keep]',
  },
  { name: 'colon in the method', bytes: 'GE:T / HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  { name: 'obs-text in the method', bytes: 'G\xcbT / HTTP/1.1\r\nHost: a\r\n\r\n', refused: 400 },
  {
    name: 'a method nobody knows',
    bytes: get('', "!#$%&'*+-.^_`|~aZ09 / HTTP/1.1"),
    head: "!#$%&'*+-.^_`|~aZ09 / 1.1 [0; keep]",
  },
  { name: 'lower case is another method', bytes: get('', 'get / HTTP/1.1'), head: 'get / 1.1 [0; keep]' },
  { name: 'HTTP/1.0', bytes: 'GET / HTTP/1.0\r\n\r\n', head: 'GET / 1.0 [0; close]' },
  {
    name: 'HTTP/1.2 is answered as 1.1 (RFC 9110 section 2.5)',
    bytes: get('', 'GET / HTTP/1.2'),
    head: 'GET / 1.1 [0; keep]',
  },
  { name: 'HTTP/1.9', bytes: get('', 'GET / HTTP/1.9'), head: 'GET / 1.1 [0; keep]' },
  { name: 'HTTP/2.0', bytes: get('', 'GET / HTTP/2.0'), refused: 505 },
  { name: 'HTTP/0.9 with a version', bytes: get('', 'GET / HTTP/0.9'), refused: 505 },
  ...[
    'HTTP/1.10',
    'HTTP/01.1',
    'HTTP/1',
    'HTTP/1.',
    'HTTP/.1',
    'HTTP/11',
    'HTTP/1,1',
    'HTTP/1.1.1',
    'http/1.1',
    'Http/1.1',
    'HTTP /1.1',
    'HTTP/ 1.1',
    'HTTPS/1.1',
    'HTTP/a.b',
    'HTTP/-1.1',
    'HTTP/1.\xb9',
    'ICE/1.0',
    'HTTP/1.1\0',
  ].map(
    (version): CodecCase => ({
      name: `version ${JSON.stringify(version)}`,
      bytes: get('', `GET / ${version}`),
      refused: 400,
    }),
  ),
];

const RFC_9112_3_2_TARGET_AND_HOST: CodecCase[] = [
  { name: 'no leading slash', bytes: get('', 'GET a/b HTTP/1.1'), refused: 400 },
  { name: 'query only', bytes: get('', 'GET ?a HTTP/1.1'), refused: 400 },
  {
    name: 'absolute form',
    bytes: get('', 'GET http://b:80/c?d HTTP/1.1'),
    head: 'GET http://b:80/c?d 1.1 [0; keep; absolute]',
  },
  { name: 'absolute form of a foreign scheme', bytes: get('', 'GET gopher://b/ HTTP/1.1'), refused: 400 },
  { name: 'absolute form with userinfo', bytes: get('', 'GET http://u:p@b/ HTTP/1.1'), refused: 400 },
  { name: 'absolute form without a host', bytes: get('', 'GET http:///b HTTP/1.1'), refused: 400 },
  {
    name: 'absolute form does not replace Host (RFC 9112 section 3.2)',
    bytes: 'GET http://b/ HTTP/1.1\r\n\r\n',
    refused: 400,
  },
  { name: 'asterisk for OPTIONS', bytes: get('', 'OPTIONS * HTTP/1.1'), head: 'OPTIONS * 1.1 [0; keep; asterisk]' },
  { name: 'asterisk for GET', bytes: get('', 'GET * HTTP/1.1'), refused: 400 },
  { name: 'authority form', bytes: get('', 'CONNECT b:443 HTTP/1.1'), head: 'CONNECT b:443 1.1 [0; keep; authority]' },
  { name: 'CONNECT without a port', bytes: get('', 'CONNECT b HTTP/1.1'), refused: 400 },
  { name: 'CONNECT with a path', bytes: get('', 'CONNECT / HTTP/1.1'), refused: 400 },
  { name: 'authority form for GET', bytes: get('', 'GET b:443 HTTP/1.1'), refused: 400 },
  { name: 'no Host', bytes: 'GET / HTTP/1.1\r\nX: y\r\n\r\n', refused: 400 },
  {
    name: 'no Host where that is allowed',
    bytes: 'GET / HTTP/1.1\r\nX: y\r\n\r\n',
    options: { lenient: { missingHost: true } },
    head: 'GET / 1.1 [0; keep]',
  },
  { name: 'two Hosts', bytes: get('Host: b\r\n'), refused: 400 },
  { name: 'the same Host twice', bytes: get('hOST: a\r\n'), refused: 400 },
  {
    name: 'two Hosts where none is needed',
    bytes: get('Host: b\r\n'),
    options: { lenient: { missingHost: true } },
    refused: 400,
  },
  { name: 'two Hosts in HTTP/1.0', bytes: get('Host: b\r\n', 'GET / HTTP/1.0'), refused: 400 },
  { name: 'empty Host (RFC 9112 section 3.2)', bytes: 'GET / HTTP/1.1\r\nHost:\r\n\r\n', head: 'GET / 1.1 [0; keep]' },
  { name: 'Host with IPv6 address', bytes: 'GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n', head: 'GET / 1.1 [0; keep]' },
  ...[
    'a b',
    'a,b c',
    'a/b',
    'http://a',
    'u@a',
    'a:b',
    'a:65536',
    'a:1:2',
    '::1',
    '[::1',
    '[x]',
    'a?b',
    'a#b',
    'a\\b',
    '\xe9',
    'a\x80',
    '%zz',
    'a\tb',
    '"a"',
    '<a>',
  ].map(
    (host): CodecCase => ({
      name: `Host ${JSON.stringify(host)}`,
      bytes: `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
      refused: 400,
    }),
  ),
  { name: 'bad Host in HTTP/1.0', bytes: 'GET / HTTP/1.0\r\nHost: a b\r\n\r\n', refused: 400 },
];

const RFC_9112_5_FIELDS: CodecCase[] = [
  {
    name: 'case, order and spacing of fields are kept',
    bytes: get('x-B:1\r\nX-a: \t2 \t\r\nx-b:\t3\r\nX-A:\r\n'),
    head: 'GET / 1.1 [0; keep]',
  },
  {
    name: 'every character of a token in a name',
    bytes: get("!#$%&'*+-.^_`|~aZ09: x\r\n"),
    head: 'GET / 1.1 [0; keep]',
  },
  { name: 'obs-text in a value', bytes: get('X: \x80\xa0\xff\r\n'), head: 'GET / 1.1 [0; keep]' },
  { name: 'names of object properties', bytes: get('__proto__: x\r\nconstructor: y\r\n'), head: 'GET / 1.1 [0; keep]' },
  { name: 'empty name', bytes: get(': x\r\n'), refused: 400 },
  { name: 'no colon', bytes: get('X\r\n'), refused: 400 },
  { name: 'space before the colon', bytes: get('X : y\r\n'), refused: 400 },
  { name: 'tab before the colon', bytes: get('X\t: y\r\n'), refused: 400 },
  { name: 'space before the colon of Content-Length', bytes: post('Content-Length : 5\r\n', 'hello'), refused: 400 },
  {
    name: 'space before the colon of Transfer-Encoding',
    bytes: post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
    refused: 400,
  },
  { name: 'space inside of a name', bytes: get('X Y: z\r\n'), refused: 400 },
  ...[...'"(),/;<=>?@[\\]{}', '\x7f', '\x80', '\xe9', '\x01', '\x0b', '\x0c', '\x1b'].map(
    (byte): CodecCase => ({ name: `${JSON.stringify(byte)} in a name`, bytes: get(`X${byte}Y: z\r\n`), refused: 400 }),
  ),
  ...['\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x1f', '\x7f'].map(
    (byte): CodecCase => ({ name: `${JSON.stringify(byte)} in a value`, bytes: get(`X: a${byte}b\r\n`), refused: 400 }),
  ),
  { name: 'folded line', bytes: get('X: a\r\n b\r\n'), refused: 400 },
  { name: 'line folded by a tab', bytes: get('X: a\r\n\tb\r\n'), refused: 400 },
  { name: 'folded line of nothing', bytes: get('X: a\r\n \r\n'), refused: 400 },
  { name: 'Transfer-Encoding in a fold', bytes: post('X: a\r\n Transfer-Encoding: chunked\r\n', ''), refused: 400 },
  {
    name: 'folded lines where they are allowed',
    bytes: get('X: a \r\n\t b\r\nY:\r\n c\r\nTE:\r\n trailers\r\n'),
    options: { lenient: { obsFold: true } },
    head: 'GET / 1.1 [0; keep]',
    fields: `${H}X: a b\r\nY: c\r\nTE: trailers\r\n`,
  },
  {
    name: 'a folded Content-Length counts as one value',
    bytes: post('Content-Length: 1\r\n 0\r\n', ''),
    options: { lenient: { obsFold: true } },
    refused: 400,
  },
  {
    name: 'a folded Content-Length whose number stands in the fold',
    bytes: post('Content-Length:\r\n 5\r\n', 'hello'),
    options: { lenient: { obsFold: true } },
    head: 'POST / 1.1 [5; keep]',
    fields: `${H}Content-Length: 5\r\n`,
    body: 'hello',
  },
  {
    name: 'a folded Transfer-Encoding',
    bytes: post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
    options: { lenient: { obsFold: true } },
    head: 'POST / 1.1 [chunked; keep]',
    fields: `${H}Transfer-Encoding: chunked\r\n`,
  },
  {
    name: 'a folded Host',
    bytes: 'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n',
    options: { lenient: { obsFold: true } },
    refused: 400,
  },
  {
    name: 'a fold before the first field, even where folds are allowed',
    bytes: 'GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n',
    options: { lenient: { obsFold: true } },
    refused: 400,
  },
  {
    name: 'space before a colon where folds are allowed',
    bytes: get('X : y\r\n'),
    options: { lenient: { obsFold: true } },
    refused: 400,
  },
];

const RFC_9112_6_FRAMING: CodecCase[] = [
  {
    name: 'Content-Length',
    bytes: post('Content-Length: 5\r\n', 'hello'),
    head: 'POST / 1.1 [5; keep]',
    body: 'hello',
  },
  {
    name: 'Content-Length with spaces around',
    bytes: post('content-LENGTH:\t 5 \t\r\n', 'hello'),
    head: 'POST / 1.1 [5; keep]',
    body: 'hello',
  },
  { name: 'Content-Length 0', bytes: post('Content-Length: 0\r\n', ''), head: 'POST / 1.1 [0; keep]' },
  { name: 'Content-Length of GET', bytes: `${get('Content-Length: 1\r\n')}x`, head: 'GET / 1.1 [1; keep]', body: 'x' },
  {
    name: 'Content-Length with leading zeros is written anew',
    bytes: post('X: y\r\nContent-Length: 005\r\nZ: z\r\n', 'hello'),
    head: 'POST / 1.1 [5; keep]',
    fields: `${H}X: y\r\nContent-Length: 5\r\nZ: z\r\n`,
    body: 'hello',
  },
  { name: 'no length is no body', bytes: post('', ''), head: 'POST / 1.1 [0; keep]' },
  {
    name: 'no length in HTTP/1.0 is no body (CVE-2026-2835)',
    bytes: 'POST / HTTP/1.0\r\n\r\n',
    head: 'POST / 1.0 [0; close]',
  },
  {
    name: 'Content-Length in HTTP/1.0',
    bytes: 'POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi',
    head: 'POST / 1.0 [2; close]',
    body: 'hi',
  },
  ...[
    '',
    '-1',
    '+5',
    '5 5',
    '5,5',
    '5, 5',
    '5;',
    '0x5',
    '5.0',
    '5e0',
    '1_0',
    'a',
    '5a',
    '\xb2',
    '\xa05',
    '5\xa0',
    '9007199254740993',
    '18446744073709551617',
    '4294967296000000',
    '1'.repeat(400),
    '"5"',
    '5\t5',
  ].map(
    (length): CodecCase => ({
      name: `Content-Length ${JSON.stringify(length.slice(0, 30))}`,
      bytes: post(`Content-Length: ${length}\r\n`, 'hello'),
      refused: 400,
    }),
  ),
  {
    name: 'Content-Length twice, different',
    bytes: post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
    refused: 400,
  },
  {
    name: 'Content-Length twice, equal',
    bytes: post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
    refused: 400,
  },
  {
    name: 'Content-Length twice in two spellings (CVE-2026-1525)',
    bytes: post('Content-Length: 5\r\ncontent-length: 0\r\n', 'hello'),
    refused: 400,
  },
  {
    name: 'Content-Length twice, equal, where that is allowed',
    bytes: post('Content-Length: 5\r\nX: y\r\ncontent-length: 05\r\n', 'hello'),
    options: { lenient: { repeatedContentLength: true } },
    head: 'POST / 1.1 [5; keep]',
    fields: `${H}Content-Length: 5\r\nX: y\r\n`,
    body: 'hello',
  },
  ...[
    '5\r\nContent-Length: 6',
    '5\r\nContent-Length: x',
    'x\r\nContent-Length: 5',
    'x\r\nContent-Length: x',
    '5\r\nContent-Length: 5\r\nContent-Length: 6',
    '5, 5',
  ].map(
    (lengths): CodecCase => ({
      name: `Content-Length ${JSON.stringify(lengths)} where equal ones are allowed`,
      bytes: post(`Content-Length: ${lengths}\r\n`, 'hello'),
      options: { lenient: { repeatedContentLength: true } },
      refused: 400,
    }),
  ),
  { name: 'chunked', bytes: chunked('5\r\nhello\r\n0\r\n\r\n'), head: 'POST / 1.1 [chunked; keep]', body: 'hello' },
  ...['CHUNKED', 'Chunked', '\t chunked \t'].map(
    (coding): CodecCase => ({
      name: `Transfer-Encoding ${JSON.stringify(coding)}`,
      bytes: post(`transfer-ENCODING:${coding}\r\n`, '0\r\n\r\n'),
      head: 'POST / 1.1 [chunked; keep]',
    }),
  ),
  ...['gzip, chunked', 'identity, chunked', ', chunked', 'x,chunked'].map(
    (coding): CodecCase => ({
      name: `Transfer-Encoding ${JSON.stringify(coding)}`,
      bytes: post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n'),
      refused: 501,
    }),
  ),
  ...[
    '',
    'identity',
    'gzip',
    'chunked, gzip',
    'chunked, chunked',
    'chunked,',
    'chunked, identity',
    'xchunked',
    'chunkedx',
    'chunked;q=1',
    '"chunked"',
    "'chunked'",
    'chunk',
    'chunked\x0bx',
    'chunked\xa0',
    '\xa0chunked',
    'cow',
    'chunked chunked',
    'chunked\x00',
  ].map(
    (coding): CodecCase => ({
      name: `Transfer-Encoding ${JSON.stringify(coding)}`,
      bytes: post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n'),
      refused: 400,
    }),
  ),
  { name: 'Transfer-Encoding on two lines', bytes: post(`${TE}${TE}`, '0\r\n\r\n'), refused: 400 },
  {
    name: 'Transfer-Encoding on two lines, one of them odd',
    bytes: post(`${TE}Transfer-Encoding: x\r\n`, '0\r\n\r\n'),
    refused: 400,
  },
  {
    name: 'Transfer-Encoding on two lines, the first of them empty',
    bytes: post(`Transfer-Encoding:\r\n${TE}`, '0\r\n\r\n'),
    refused: 501,
  },
  {
    name: 'Transfer-Encoding with an underscore is another field',
    bytes: post('Transfer_Encoding: chunked\r\n', ''),
    head: 'POST / 1.1 [0; keep]',
  },
  { name: 'CL.TE', bytes: post(`Content-Length: 4\r\n${TE}`, '0\r\n\r\n'), refused: 400 },
  { name: 'TE.CL', bytes: post(`${TE}Content-Length: 4\r\n`, '0\r\n\r\n'), refused: 400 },
  {
    name: 'Transfer-Encoding with an invalid Content-Length',
    bytes: post(`${TE}Content-Length: x\r\n`, '0\r\n\r\n'),
    refused: 400,
  },
  {
    name: 'Content-Length with Transfer-Encoding where that is allowed: chunked, and then close',
    bytes: post(`Content-Length: 4\r\n${TE}X: y\r\nContent-Length: 99\r\n`, '5\r\nhello\r\n0\r\n\r\n'),
    options: { lenient: { contentLengthWithTransferEncoding: true } },
    head: 'POST / 1.1 [chunked; close]',
    fields: `${H}${TE}X: y\r\n`,
    body: 'hello',
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0 (CVE-2026-2835)',
    bytes: `${get(TE, 'POST / HTTP/1.0')}0\r\n\r\n`,
    refused: 400,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0 with keep-alive',
    bytes: get(`${TE}Connection: keep-alive\r\n`, 'POST / HTTP/1.0'),
    refused: 400,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0 where both framings are allowed',
    bytes: get(`${TE}Content-Length: 5\r\n`, 'POST / HTTP/1.0'),
    options: { lenient: { contentLengthWithTransferEncoding: true } },
    refused: 400,
  },
];

function ofBody(name: string, body: string, more: Omit<CodecCase, 'name' | 'bytes'>): CodecCase {
  return {
    name,
    bytes: chunked(body),
    ...(more.refused === undefined ? { head: 'POST / 1.1 [chunked; keep]' } : {}),
    ...more,
  };
}

const RFC_9112_7_CHUNKS: CodecCase[] = [
  ofBody('several chunks', '5\r\nhello\r\n1\r\n,\r\n6\r\n world\r\n0\r\n\r\n', { body: 'hello, world' }),
  ofBody(
    'hexadecimal sizes of both cases',
    `a\r\n${'x'.repeat(10)}\r\nF\r\n${'y'.repeat(15)}\r\n1B\r\n${'z'.repeat(27)}\r\n0\r\n\r\n`,
    {
      body: 'x'.repeat(10) + 'y'.repeat(15) + 'z'.repeat(27),
    },
  ),
  ofBody('leading zeros of a size', '0000000000005\r\nhello\r\n0000000000000\r\n\r\n', { body: 'hello' }),
  ofBody('chunk data that looks like chunks', '7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n', { body: '0\r\n\r\n0\r' }),
  ofBody('extensions', '5;a\r\nhello\r\n1;a=b;c="d e\\"";\tf\r\n!\r\n0;last\r\n\r\n', { body: 'hello!' }),
  ofBody('obs-text in an extension', '1;a=\xff\r\n!\r\n0\r\n\r\n', { body: '!' }),
  ofBody('trailers', '1\r\n!\r\n0\r\nX-A: b\r\nx-a:c\r\n\r\n', { body: '!', trailers: 'X-A: b\r\nx-a:c\r\n' }),
  ofBody(
    'trailers that would frame the message frame nothing',
    '0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n',
    {
      trailers: 'Content-Length: 9\r\nTransfer-Encoding: x\r\nHost: b\r\n',
    },
  ),
  ...[
    '',
    ' ',
    '-1',
    '+5',
    '0x5',
    'x',
    'g',
    '5 ',
    ' 5',
    '\t5',
    '5_0',
    '5.',
    '5,',
    '5h',
    '\xb2',
    '5\0',
    '\0',
    "'",
    '5\x0b',
    '5 ;a',
    'ffffffffffffff',
    '10000000000000',
    '00000000000005',
    'fffffffffffffffff',
  ].map((size) => ofBody(`chunk size ${JSON.stringify(size)}`, `${size}\r\nhello\r\n0\r\n\r\n`, { refused: 400 })),
  ofBody('a second chunk without a size', '5\r\nhello\r\n\r\n0\r\n\r\n', { refused: 400, bodyBefore: 'hello' }),
  ofBody('chunk size ended by LF', '5\nhello\r\n0\r\n\r\n', { refused: 400 }),
  ofBody('chunk size ended by CR', '5\rhello\r\n0\r\n\r\n', { refused: 400 }),
  ofBody('chunk size ended by CR CR LF', '5\r\r\nhello\r\n0\r\n\r\n', { refused: 400 }),
  ofBody('chunk data ended by LF', '5\r\nhello\n0\r\n\r\n', { refused: 400, bodyBefore: 'hello' }),
  ofBody('chunk data ended by CR', '5\r\nhello\r0\r\n\r\n', { refused: 400, bodyBefore: 'hello' }),
  ofBody('chunk data ended by nothing', '5\r\nhello0\r\n\r\n', { refused: 400, bodyBefore: 'hello' }),
  ofBody('chunk data longer than its size', '5\r\nhello!\r\n0\r\n\r\n', { refused: 400, bodyBefore: 'hello' }),
  ofBody('LF in an extension', '5;a\nb\r\nhello\r\n0\r\n\r\n', { refused: 400 }),
  ofBody('CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n', { refused: 400 }),
  ofBody('quoted CRLF in an extension', '5;a="\r\nhello\r\n0\r\n\r\n', { body: 'hello' }),
  ofBody('NUL in an extension', '5;a\0\r\nhello\r\n0\r\n\r\n', { refused: 400 }),
  ofBody('DEL in an extension', '5;\x7f\r\nhello\r\n0\r\n\r\n', { refused: 400 }),
  ofBody('extension ended by LF', '5;a\nhello\r\n0\r\n\r\n', { refused: 400 }),
  ofBody('last chunk ended by LF', '0\n\r\n', { refused: 400 }),
  ofBody('trailer section ended by LF', '0\r\n\n', { refused: 400 }),
  ofBody('trailer ended by LF', '0\r\nX: y\n\r\n', { refused: 400 }),
  ofBody('trailer section ended by CR CR LF', '0\r\n\r\r\n', { refused: 400 }),
  ofBody('folded trailer', '0\r\nX: y\r\n z\r\n\r\n', { refused: 400 }),
  ofBody('trailer section that begins with a fold', '0\r\n X: y\r\n\r\n', { refused: 400 }),
  ofBody('space before the colon of a trailer', '0\r\nX : y\r\n\r\n', { refused: 400 }),
  ofBody('NUL in a trailer', '0\r\nX: \0\r\n\r\n', { refused: 400 }),
  ofBody('a request line among trailers', '0\r\nGET / HTTP/1.1\r\n\r\n', { refused: 400 }),
];

const PERSISTENCE_AND_EXPECTATIONS: CodecCase[] = [
  { name: 'Connection: close', bytes: get('Connection: close\r\n'), head: 'GET / 1.1 [0; close]' },
  {
    name: 'close wins over keep-alive',
    bytes: get('Connection: keep-alive\r\nConnection: x, CLOSE\r\n'),
    head: 'GET / 1.1 [0; close]',
  },
  {
    name: 'HTTP/1.0 with keep-alive',
    bytes: 'GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n',
    head: 'GET / 1.0 [0; keep]',
  },
  {
    name: 'HTTP/1.0 with keep-alive and close',
    bytes: 'GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n\r\n',
    head: 'GET / 1.0 [0; close]',
  },
  {
    name: 'Proxy-Connection is not Connection',
    bytes: get('Proxy-Connection: close\r\n'),
    head: 'GET / 1.1 [0; keep]',
  },
  ...[
    'Host',
    'content-length',
    'X-Forwarded-For',
    'VIA',
    'a b',
    '"close"',
    ':path',
    'close\xa0',
    'a,b,c,d,e,f,g,h,i,j',
  ].map(
    (option): CodecCase => ({
      name: `Connection ${JSON.stringify(option)}`,
      bytes: get(`Connection: keep-alive, ${option}\r\n`),
      refused: 400,
    }),
  ),
  { name: 'ten options on ten lines', bytes: get('Connection: x\r\n'.repeat(10)), refused: 400 },
  {
    name: 'Expect: 100-continue',
    bytes: post('Expect: 100-Continue\r\nContent-Length: 2\r\n', 'hi'),
    head: 'POST / 1.1 [2; keep; expect]',
    body: 'hi',
  },
  {
    name: 'Expect of HTTP/1.0 is ignored (RFC 9110 section 10.1.1)',
    bytes: 'POST / HTTP/1.0\r\nExpect: x\r\n\r\n',
    head: 'POST / 1.0 [0; close]',
  },
  ...[
    '',
    '200-ok',
    '100-continue, 100-continue',
    '100-continue; x',
    'y\r\nExpect: 100-continue',
    '100-continue\r\nExpect: 100-continue',
  ].map(
    (expectation): CodecCase => ({
      name: `Expect ${JSON.stringify(expectation)}`,
      bytes: get(`Expect: ${expectation}\r\n`),
      refused: 417,
    }),
  ),
];

export const REQUESTS: readonly CodecCase[] = [
  ...RFC_9112_2_2_LINES,
  ...RFC_9112_3_REQUEST_LINE,
  ...RFC_9112_3_2_TARGET_AND_HOST,
  ...RFC_9112_5_FIELDS,
  ...RFC_9112_6_FRAMING,
  ...RFC_9112_7_CHUNKS,
  ...PERSISTENCE_AND_EXPECTATIONS,
];
