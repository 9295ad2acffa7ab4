import { CirqueError } from '@cirque/error';
import { describe, expect, test } from 'vitest';
import { HeaderMap } from './header-map.ts';
import { RequestHeader } from './request-header.ts';

describe('RequestHeader', () => {
  test('RequestHeader has method, target, version and fields', () => {
    const header = new RequestHeader('M-SEARCH', '/a?b=c');
    expect(header).toMatchObject({ method: 'M-SEARCH', target: '/a?b=c', version: '1.1' });
    expect(header.headers.size).toBe(0);
    expect(new RequestHeader('GET', '*', HeaderMap.empty(), '1.0').version).toBe('1.0');
  });

  test('two RequestHeaders share no fields', () => {
    const first = new RequestHeader('GET', '/');
    first.insertHeader('X-A', '1');
    expect(new RequestHeader('GET', '/').headers.size).toBe(0);
  });

  test.each([
    ['/a/b', '/a/b', undefined],
    ['/a?', '/a', ''],
    ['/a?b?c', '/a', 'b?c'],
    ['*', '*', undefined],
  ])('target %j has path %j and query %j', (target, path, query) => {
    const header = new RequestHeader('GET', target);
    expect([header.path, header.query]).toEqual([path, query]);
  });

  test.each(['', 'G T', 'GET\r\n', 'GÉT', 'GET:', undefined as unknown as string])('method %j is refused', (method) => {
    const header = new RequestHeader('GET', '/');
    expect(() => new RequestHeader(method, '/')).toThrowError(CirqueError);
    expect(() => {
      header.method = method;
    }).toThrowError(/method .* is not a token/);
    expect(header.method).toBe('GET');
  });

  test.each([
    '',
    '/a b',
    '/a\r\nX: y',
    '/#a',
    '/\x7f',
    '/\0',
    '/\x80',
    '/é',
    '/\u010a',
    '/\u{1f600}',
    undefined as unknown as string,
    ['/'] as unknown as string,
  ])('target %j is refused', (target) => {
    const header = new RequestHeader('GET', '/');
    expect(() => new RequestHeader('GET', target)).toThrowError(CirqueError);
    expect(() => {
      header.target = target;
    }).toThrowError(/request target .*percent-encode it/);
    expect(header.target).toBe('/');
  });

  test('a long target that is refused is not shown whole', () => {
    expect(() => new RequestHeader('GET', `/${'a'.repeat(100_000)} `)).toThrowError(/^.{0,500}$/);
  });

  test('setters change what is sent', () => {
    const header = new RequestHeader('GET', '/');
    header.method = 'PUT';
    header.target = 'http://a/';
    expect([header.method, header.target]).toEqual(['PUT', 'http://a/']);
  });

  test('fields are reached in the words of Pingora', () => {
    const header = new RequestHeader('GET', '/');
    header.insertHeader('Host', 'a');
    header.appendHeader('X-A', '1');
    header.appendHeader('x-a', '2');
    header.insertHeader('host', 'b');
    expect(header.getHeader('HOST')).toBe('b');
    expect(header.headers.serialize()).toBe('Host: b\r\nX-A: 1\r\nx-a: 2\r\n');
    expect(header.removeHeader('X-a')).toBe(true);
    expect(header.removeHeader('X-a')).toBe(false);
    expect(() => header.insertHeader('X-A', '\n')).toThrowError(CirqueError);
    expect(() => header.appendHeader('X A', '')).toThrowError(CirqueError);
  });

  test('clone is independent in both directions', () => {
    const header = new RequestHeader('GET', '/', HeaderMap.from({ Host: 'a' }), '1.0');
    const copy = header.clone();
    expect(copy).toMatchObject({ method: 'GET', target: '/', version: '1.0' });
    copy.method = 'PUT';
    copy.target = '/x';
    copy.insertHeader('Host', 'b');
    header.appendHeader('X-A', '1');
    expect([header.method, header.target, header.headers.serialize()]).toEqual(['GET', '/', 'Host: a\r\nX-A: 1\r\n']);
    expect(copy.headers.serialize()).toBe('Host: b\r\n');
  });

  test('a target that a lenient parser accepted survives clone', () => {
    const header = new RequestHeader('GET', '/\xe9', HeaderMap.empty(), '1.1', true);
    expect(header.clone().target).toBe('/\xe9');
  });
});
