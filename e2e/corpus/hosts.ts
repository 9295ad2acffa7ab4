/**
 * Host: exactly one on HTTP/1.1, with a value that is a host and an optional port (RFC 9112 section 3.2).
 */
import { accepted, acceptedAndClosed, head, type RequestCase, refused } from '../src/case.ts';

const SOURCE = 'RFC 9112 3.2; RFC 9110 7.2';

const valid: readonly string[] = [
  'h.example',
  'h.example:80',
  'h.example:65535',
  'h.example:',
  'H.EXAMPLE',
  'localhost',
  '127.0.0.1',
  '127.0.0.1:8080',
  '[::1]',
  '[2001:db8::1]:8080',
  'a_b.example',
  'xn--bcher-kva.example',
  'h.example.',
];

const invalid: readonly (readonly [name: string, value: string])[] = [
  ['a space', 'h example'],
  ['a tab', 'h\texample'],
  ['a list', 'h.example, other.example'],
  ['a list without a space', 'h.example,other.example:80/'],
  ['a path', 'h.example/path'],
  ['a leading slash', '/h.example'],
  ['a scheme', 'http://h.example'],
  ['user information', 'user@h.example'],
  ['user information with a password', 'user:pass@h.example'],
  ['a query', 'h.example?q'],
  ['a fragment', 'h.example#f'],
  ['a backslash', 'h.example\\other'],
  ['a port that is no number', 'h.example:http'],
  ['a signed port', 'h.example:+80'],
  ['two ports', 'h.example:80:80'],
  ['a port above 65535', 'h.example:99999'],
  ['an address in brackets that is none', '[h.example]'],
  ['an unclosed bracket', '[::1'],
  ['an unopened bracket', '::1]'],
  ['an IPv6 address without brackets', '::1'],
  ['something after the brackets', '[::1]x'],
  ['angle brackets', '<h.example>'],
  ['quotes', '"h.example"'],
  ['braces', '{h.example}'],
  ['a caret', 'h^.example'],
  ['a bar', 'h|.example'],
  ['an octet above 127', 'h\xe9.example'],
  ['a control character', 'h\x01.example'],
  ['NUL', 'h.example\0'],
  ['DEL', 'h\x7f.example'],
];

const one: RequestCase[] = [
  ...valid.map((value) => ({
    name: `Host ${value}`,
    source: SOURCE,
    bytes: head('GET /host HTTP/1.1', `Host: ${value}`),
    expect: accepted({ target: '/host', host: value }),
  })),
  ...invalid.map(([name, value]) => ({
    name: `Host with ${name}`,
    source: SOURCE,
    bytes: head('GET /host HTTP/1.1', `Host: ${value}`),
    expect: refused(400),
  })),
];

const rows: readonly (readonly [name: string, ...lines: string[]])[] = [
  ['no Host', 'GET / HTTP/1.1'],
  ['no Host on 1.2', 'GET / HTTP/1.2'],
  ['no Host but other fields', 'GET / HTTP/1.1', 'X-Host: h.example', 'Hos: h.example'],
  ['two equal Hosts', 'GET / HTTP/1.1', 'Host: h.example', 'Host: h.example'],
  ['two Hosts that differ', 'GET / HTTP/1.1', 'Host: h.example', 'Host: other.example'],
  ['two Hosts that differ in the case of the name', 'GET / HTTP/1.1', 'Host: h.example', 'hOST: other.example'],
  ['two Hosts with fields between', 'GET / HTTP/1.1', 'Host: h.example', 'X-A: 1', 'X-B: 2', 'Host: other.example'],
  ['two Hosts of which one is empty', 'GET / HTTP/1.1', 'Host:', 'Host: h.example'],
  ['two Hosts and absolute-form', 'GET http://h.example/ HTTP/1.1', 'Host: h.example', 'Host: h.example'],
  ['an invalid Host and absolute-form', 'GET http://h.example/ HTTP/1.1', 'Host: a b'],
  ['two Hosts on 1.0', 'GET / HTTP/1.0', 'Host: h.example', 'Host: other.example'],
  ['an invalid Host on 1.0', 'GET / HTTP/1.0', 'Host: a b'],
  ['Host with a space before the colon', 'GET / HTTP/1.1', 'Host : h.example'],
  ['a folded Host', 'GET / HTTP/1.1', 'Host:', ' h.example'],
  ['a Host continued by a fold', 'GET / HTTP/1.1', 'Host: h.example', ' other.example'],
  ['a second, folded Host hidden after another field', 'GET / HTTP/1.1', 'X-A: 1', ' Host: h.example'],
];

const others: RequestCase[] = [
  ...rows.map(([name, ...lines]) => ({ name, source: SOURCE, bytes: head(...lines), expect: refused(400) })),
  {
    name: 'an empty Host: forwarded as it is, or refused',
    source: SOURCE,
    bytes: head('GET /host HTTP/1.1', 'Host:'),
    expect: [...refused(400), ...accepted({ host: '' })],
  },
  {
    name: 'no Host on 1.0',
    source: SOURCE,
    bytes: head('GET /host HTTP/1.0'),
    expect: acceptedAndClosed({ target: '/host' }),
  },
];

export const hostCases: readonly RequestCase[] = [...one, ...others];
