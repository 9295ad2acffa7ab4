/**
 * The four forms of request targets, the octets allowed in them, and what becomes of the authority
 * (RFC 9112 section 3.2, RFC 9110 sections 4.2 and 7.7).
 */
import { accepted, acceptedAndClosed, head, type RequestCase, refused } from '../src/case.ts';

const HOST = 'Host: h.example';

/** Origin-form targets that must reach the origin octet by octet. */
const untouched: readonly string[] = [
  '/',
  '//evil.example/x',
  '/../../etc/passwd',
  '/a/./b/../c',
  '/a//b///c',
  '/%00%0d%0a%2e%2e%2F',
  "/~user/!$&'()*+,;=:@",
  '/?',
  '/?a=b?c=d&e=/x',
  '/a?http://other.example/',
  '/http://other.example/',
  '/*',
  '/;x=1',
  '/a%20b+c',
];

const originForm: RequestCase[] = untouched.map((target) => ({
  name: `target ${target} stays as it is`,
  source: 'RFC 9110 7.7; RFC 9112 3.2.1',
  bytes: head(`GET ${target} HTTP/1.1`, HOST),
  expect: accepted({ target, host: 'h.example' }),
}));

const wrong: readonly (readonly [name: string, target: string])[] = [
  ['no leading slash', 'index.html'],
  ['a query without a path', '?q=1'],
  ['a fragment', '/page#top'],
  ['a fragment in a query', '/page?q#top'],
  ['a lone fragment', '#'],
  ['a control character', '/a\x01b'],
  ['an escape character', '/a\x1bb'],
  ['DEL', '/a\x7fb'],
  ['asterisk with more', '*foo'],
  ['asterisk twice', '**'],
  ['a backslash first', '\\index.html'],
];

const malformed: RequestCase[] = wrong.map(([name, target]) => ({
  name: `target with ${name}`,
  source: 'RFC 9112 3.2',
  bytes: head(`GET ${target} HTTP/1.1`, HOST),
  expect: refused(400),
}));

const highOctets: RequestCase[] = [
  ['UTF-8', '/caf\xc3\xa9', '/caf%C3%A9'],
  ['latin1', '/caf\xe9', '/caf%E9'],
  ['a non-breaking space', '/a\xa0b', '/a%A0b'],
  ['0xFF', '/\xff', '/%FF'],
].map(([name = '', target = '', encoded = '']) => ({
  name: `target with ${name}: refused or percent-encoded, never raw`,
  source: 'RFC 3986 2; RFC 9112 3.2',
  bytes: head(`GET ${target} HTTP/1.1`, HOST),
  expect: [...refused(400), ...accepted({ target: [encoded, encoded.toLowerCase()] })],
}));

/** Target, then the forms in which the origin may see it, then the Host it must see. */
const absolute: readonly (readonly [target: string, path: string, host: string | RegExp])[] = [
  ['http://other.example/path?q=1', '/path?q=1', 'other.example'],
  ['http://other.example:8080/path', '/path', 'other.example:8080'],
  ['http://other.example', '/', 'other.example'],
  ['http://other.example?q=1', '/?q=1', 'other.example'],
  ['http://other.example/', '/', 'other.example'],
  ['HTTP://other.example/upper', '/upper', 'other.example'],
  ['http://OTHER.example/case', '/case', /^other\.example$/i],
  ['http://127.0.0.1:1/v4', '/v4', '127.0.0.1:1'],
  ['http://[::1]:80/v6', '/v6', /^\[::1\](:80)?$/],
  ['http://other.example//double', '//double', 'other.example'],
  ['http://other.example/a?b=http://c.example/', '/a?b=http://c.example/', 'other.example'],
];

const absoluteForm: RequestCase[] = absolute.map(([target, path, host]) => ({
  name: `absolute-form ${target}: its authority becomes Host`,
  source: 'RFC 9112 3.2.2',
  bytes: head(`GET ${target} HTTP/1.1`, HOST),
  expect: accepted({ target: [path, target], host }),
}));

const wrongAbsolute: readonly (readonly [name: string, target: string])[] = [
  ['an empty authority', 'http:///path'],
  ['a port and no host', 'http://:80/path'],
  ['user information', 'http://user:pass@other.example/'],
  ['user information that looks like a host', 'http://h.example@other.example/'],
  ['a port that is no number', 'http://other.example:http/'],
  ['a port above 65535', 'http://other.example:99999/'],
  ['a signed port', 'http://other.example:-80/'],
  ['an unclosed IPv6 address', 'http://[::1/'],
  ['brackets around a name', 'http://[other.example]/'],
  ['a backslash in the authority', 'http://other.example\\@h.example/'],
  ['one slash', 'http:/other.example/'],
  ['no slashes', 'http:other.example'],
  ['a fragment', 'http://other.example/#top'],
  ['a fragment after the authority', 'http://other.example#top'],
  ['a control character in the authority', 'http://other\x01.example/'],
  ['an octet above 127 in the authority', 'http://oth\xe9r.example/'],
];

const malformedAbsolute: RequestCase[] = wrongAbsolute.map(([name, target]) => ({
  name: `absolute-form with ${name}`,
  source: 'RFC 9110 4.2; RFC 9112 3.2.2',
  bytes: head(`GET ${target} HTTP/1.1`, HOST),
  expect: refused(400),
}));

const others: RequestCase[] = [
  {
    name: 'a percent sign without two digits: refused or left as it is',
    source: 'RFC 3986 2.1',
    bytes: head('GET /%zz% HTTP/1.1', HOST),
    expect: [...refused(400), ...accepted({ target: '/%zz%' })],
  },
  {
    name: 'absolute-form of another scheme',
    source: 'RFC 9110 7.4',
    bytes: head('GET ftp://other.example/file HTTP/1.1', HOST),
    expect: refused(400, 421),
  },
  {
    name: 'absolute-form on 1.1 does not replace a missing Host',
    source: 'RFC 9112 3.2',
    bytes: head('GET http://other.example/ HTTP/1.1'),
    expect: refused(400),
  },
  {
    name: 'absolute-form on 1.0 without Host',
    source: 'RFC 9112 3.2.2',
    bytes: head('GET http://other.example/old HTTP/1.0'),
    expect: acceptedAndClosed({ target: ['/old', 'http://other.example/old'], host: 'other.example' }),
  },
  {
    name: 'authority-form with another method than CONNECT',
    source: 'RFC 9112 3.2.3',
    bytes: head('GET other.example:80 HTTP/1.1', HOST),
    expect: refused(400),
  },
  {
    name: 'a bare host name as target',
    source: 'RFC 9112 3.2.3',
    bytes: head('GET other.example HTTP/1.1', HOST),
    expect: refused(400),
  },
  {
    name: 'CONNECT',
    source: 'RFC 9110 9.3.6',
    bytes: head('CONNECT other.example:443 HTTP/1.1', 'Host: other.example:443'),
    expect: refused(405),
  },
  {
    name: 'CONNECT with early data that looks like a request',
    source: 'RFC 9110 9.3.6; CVE-2025-64763 class',
    bytes: head('CONNECT other.example:443 HTTP/1.1', 'Host: other.example:443') + head('GET /early HTTP/1.1', HOST),
    expect: refused(405),
  },
  {
    name: 'CONNECT with a path',
    source: 'RFC 9112 3.2.3',
    bytes: head('CONNECT /path HTTP/1.1', HOST),
    expect: refused(400, 405),
  },
  {
    name: 'OPTIONS with asterisk',
    source: 'RFC 9112 3.2.4',
    bytes: head('OPTIONS * HTTP/1.1', HOST),
    expect: accepted({ method: 'OPTIONS', target: '*', host: 'h.example' }),
  },
  {
    name: 'OPTIONS in absolute-form without a path becomes asterisk',
    source: 'RFC 9112 3.2.4',
    bytes: head('OPTIONS http://other.example HTTP/1.1', HOST),
    expect: accepted({ method: 'OPTIONS', target: ['*', 'http://other.example'], host: 'other.example' }),
  },
  ...['GET', 'POST', 'HEAD', 'options', 'TRACE'].map(
    (method): RequestCase => ({
      name: `asterisk with ${method}`,
      source: 'RFC 9112 3.2.4',
      bytes: head(`${method} * HTTP/1.1`, HOST),
      methods: [method],
      expect: refused(400),
    }),
  ),
];

export const targetCases: readonly RequestCase[] = [
  ...originForm,
  ...malformed,
  ...highOctets,
  ...absoluteForm,
  ...malformedAbsolute,
  ...others,
];
