import { describe, expect, test } from 'vitest';
import { rewriteCookie, rewriteLocation } from './rewrites.ts';
import type { ServerOptions } from './server-options.ts';
import { parseTarget } from './target.ts';

describe('rewriteLocation', () => {
  const target = parseTarget('target', 'http://backend.example:8080');
  test.each<[string, number, ServerOptions, string]>([
    ['http://backend.example:8080/a?b#c', 302, {}, 'http://backend.example:8080/a?b#c'],
    ['http://backend.example:8080/a?b#c', 302, { hostRewrite: 'front:1' }, 'http://front:1/a?b#c'],
    ['http://backend.example:8080/', 301, { autoRewrite: true }, 'http://client.example/'],
    ['http://backend.example:8080/', 307, { protocolRewrite: 'https' }, 'https://backend.example:8080/'],
    [
      'http://backend.example:8080/',
      201,
      { hostRewrite: 'a', autoRewrite: true, protocolRewrite: 'https:' },
      'https://a/',
    ],
    ['http://other.example/', 302, { hostRewrite: 'front' }, 'http://other.example/'],
    ['/relative', 302, { hostRewrite: 'front' }, '/relative'],
    ['http://backend.example:8080/', 200, { hostRewrite: 'front' }, 'http://backend.example:8080/'],
  ])('rewriteLocation of %s, %i, %j is %s', (location, status, options, expected) => {
    expect(rewriteLocation(location, status, target, 'client.example', options)).toBe(expected);
  });
});

describe('rewriteCookie', () => {
  const cookie = 'a=Domain=x; Path=/app; Domain=backend.example; Secure';
  test.each<['domain' | 'path', Parameters<typeof rewriteCookie>[2], string]>([
    ['domain', undefined, cookie],
    ['domain', false, cookie],
    ['domain', 'front.example', 'a=Domain=x; Path=/app; Domain=front.example; Secure'],
    ['domain', '', 'a=Domain=x; Path=/app; Secure'],
    ['domain', { 'backend.example': 'b', '*': 'c' }, 'a=Domain=x; Path=/app; Domain=b; Secure'],
    ['domain', { 'other.example': 'b' }, cookie],
    ['domain', { 'other.example': 'b', '*': '' }, 'a=Domain=x; Path=/app; Secure'],
    ['path', '/', 'a=Domain=x; Path=/; Domain=backend.example; Secure'],
  ])('rewriteCookie %s by %j is %s', (attribute, rewrite, expected) => {
    expect(rewriteCookie(cookie, attribute, rewrite)).toBe(expected);
  });
});
