/**
 * Fields of requests, and their crumbs: RFC 9113 section 8.2.
 */
import type { H2Case } from '../../src/h2-case.ts';
import { request } from '../../src/h2-client.ts';
import { badRequest as bad, goodRequest as good } from './judge.ts';

export const fieldRules: readonly H2Case[] = [
  ...(
    [
      ['a name with an upper-case letter', 'X-Test', 'a'],
      ['a name that is empty', '', 'a'],
      ['a name with a space', 'x test', 'a'],
      ['a name with a trailing space', 'x-test ', 'a'],
      ['a name with a colon', 'x:test', 'a'],
      ['a name with a line feed', 'x\ntest', 'a'],
      ['a name with CR LF and a field', 'x: y\r\ninjected', 'a'],
      ['a name with NUL', 'x\x00test', 'a'],
      ['a name with DEL', 'x\x7ftest', 'a'],
      ['a name with an octet above 0x7f', 'x\xe9', 'a'],
      ['a name with a separator', 'x(test)', 'a'],
      ['a value with NUL', 'x', 'a\x00b'],
      ['a value with CR', 'x', 'a\rb'],
      ['a value with LF', 'x', 'a\nb'],
      ['a value with CR LF and a field', 'x', 'a\r\ninjected: b'],
      ['a value with CR LF CR LF and a request', 'x', 'a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n'],
      ['a value with a leading space', 'x', ' a'],
      ['a value with a trailing space', 'x', 'a '],
      ['a value with a leading tab', 'x', '\ta'],
      ['a value with a trailing tab', 'x', 'a\t'],
      ['a value with a control character', 'x', 'a\x01b'],
    ] as const
  ).map(([name, field, value]) => bad(name, 'RFC 9113 8.2.1', request('/', 'GET', [field, value]))),
  ...(
    [
      ['connection', 'close'],
      ['connection', 'x-test'],
      ['keep-alive', 'timeout=5'],
      ['proxy-connection', 'keep-alive'],
      ['transfer-encoding', 'chunked'],
      ['transfer-encoding', 'identity'],
      ['upgrade', 'websocket'],
      ['te', 'gzip'],
      ['te', 'trailers, deflate'],
      ['te', ''],
    ] as const
  ).map(([field, value]) => bad(`${field}: ${value}`, 'RFC 9113 8.2.2', request('/', 'GET', [field, value]))),
  good('te: trailers', 'RFC 9113 8.2.2', request('/', 'GET', ['te', 'trailers']), []),
  good(
    'values with inner blanks, with octets above 0x7f, and empty ones',
    'RFC 9113 8.2.1',
    request('/', 'GET', ['x-a', 'a \t b'], ['x-b', '\xe9\xff'], ['x-c', '']),
    ['x-a: a \t b', 'x-b: \xe9\xff', 'x-c: '],
  ),
  good(
    'fields of one name, in their order',
    'RFC 9110 5.3',
    request('/', 'GET', ['x-a', '1'], ['x-b', '2'], ['x-a', '3']),
    ['x-a: 1', 'x-b: 2', 'x-a: 3'],
  ),
  {
    ...good(
      'crumbs of cookies are joined',
      'RFC 9113 8.2.3',
      request('/', 'GET', ['cookie', 'a=b'], ['x-a', '1'], ['cookie', 'c=d'], ['cookie', 'e=f']),
      ['cookie: a=b; c=d; e=f'],
    ),
  },
];
