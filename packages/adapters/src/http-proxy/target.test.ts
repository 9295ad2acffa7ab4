import { describe, expect, test } from 'vitest';
import { joinPaths, type ProxyTarget, parseTarget } from './target.ts';

describe('parseTarget', () => {
  test.each<[ProxyTarget, object]>([
    ['http://a.example', { tls: false, address: { host: 'a.example', port: 80 }, host: 'a.example', path: '' }],
    ['https://a.example/', { tls: true, address: { host: 'a.example', port: 443 }, host: 'a.example', path: '' }],
    [
      'ws://a.example:81/p?q',
      { tls: false, address: { host: 'a.example', port: 81 }, host: 'a.example:81', path: '/p?q' },
    ],
    ['http://[::1]:9000', { address: { host: '::1', port: 9000 }, host: '[::1]:9000' }],
    [new URL('wss://a.example'), { tls: true, address: { host: 'a.example', port: 443 } }],
    [
      { host: 'a', port: '81' },
      { tls: false, address: { host: 'a', port: 81 }, host: 'a:81' },
    ],
    [
      { hostname: 'b', host: 'a:1', port: 81, protocol: 'https' },
      { tls: true, address: { host: 'b', port: 81 } },
    ],
    [
      { host: 'a:99', port: 81, pathname: '/x' },
      { address: { host: 'a', port: 81 }, path: '/x' },
    ],
    [{ socketPath: '/run/x.sock' }, { address: { path: '/run/x.sock' }, host: 'localhost' }],
  ])('parseTarget takes %j', (given, expected) => {
    expect(parseTarget('target', given)).toMatchObject(expected);
  });

  test.each<[unknown, string]>([
    ['localhost:9000', 'a protocol of http:'],
    ['nonsense', 'a URL such as'],
    [{ port: 1 }, 'a host'],
    [{ host: 'a', port: 70_000 }, 'a port'],
    [7, 'a URL or an object'],
  ])('parseTarget refuses %j', (given, message) => {
    expect(() => parseTarget('forward', given as ProxyTarget)).toThrow(message);
    expect(() => parseTarget('forward', given as ProxyTarget)).toThrow('option forward');
  });
});

test.each([
  ['', '/a?b', '/a?b'],
  ['/base', '/a', '/base/a'],
  ['/base/', '/a', '/base/a'],
  ['/base', '', '/base'],
  ['', '', '/'],
  ['/base?x=1', '/a?y=2', '/base/a?x=1&y=2'],
  ['/base?x=1', '', '/base?x=1'],
  ['/base', '/a//b?u=http://x//y', '/base/a//b?u=http://x//y'],
  ['', '/?', '/'],
])('joinPaths of %j and %j is %j', (base, path, expected) => {
  expect(joinPaths(base, path)).toBe(expected);
});
