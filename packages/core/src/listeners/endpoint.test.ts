import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listeningAddress, MAX_UNIX_PATH_BYTES, tcpEndpoint, unixEndpoint } from './endpoint.ts';

describe('tcpEndpoint', () => {
  test.each([
    ['0.0.0.0:6188', { host: '0.0.0.0', port: 6188 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
  ])('tcpEndpoint reads %s', (text, address) => {
    expect(tcpEndpoint(text)).toEqual({ kind: 'tcp', address, backlog: 4_096, ipv6Only: false, reusePort: false });
  });

  test('tcpEndpoint takes an address object', () => {
    expect(tcpEndpoint({ host: '::1', port: 1 }).address).toEqual({ host: '::1', port: 1 });
  });

  test.each([
    ['nonsense', undefined, /address "nonsense" is not valid/],
    ['127.0.0.1:70000', undefined, /is not valid/],
    ['/run/x.sock', undefined, /unix sockets are added by addUds\(\)/],
    ['a:1', { backlog: 0 }, /backlog must be a whole number from 1 to 65535, got 0/],
    ['a:1', { backlog: 1.5 }, /backlog must be/],
    ['a:1', { ipv6Only: 'yes' }, /ipv6Only must be true or false, got yes/],
    ['a:1', { reusePort: 1 }, /reusePort must be true or false, got 1/],
    ['a:1', { keepAlive: {} }, /keepAlive.idleMs must be a whole number from 1000 to 32767000, got NaN/],
    ['a:1', { keepAlive: { idleMs: 10 } }, /keepAlive.idleMs must be a whole number from 1000 to 32767000, got 10/],
    ['a:1', { keepAlive: { idleMs: 1_000, intervalMs: 1 } }, /keepAlive.intervalMs must be .* from 1000 .*, got 1$/],
    ['a:1', { keepAlive: { idleMs: 1_000, count: 128 } }, /keepAlive.count must be .* from 1 to 127, got 128/],
    ['a:1', { userTimeoutMs: 0 }, /userTimeoutMs must be a whole number from 1 to 2147483647, got 0/],
    ['a:1', { dscp: 64 }, /dscp must be a whole number from 0 to 63, got 64/],
    ['a:1', { sendBufferBytes: 0 }, /sendBufferBytes must be a whole number from 1 to 1073741823, got 0/],
    ['a:1', { receiveBufferBytes: '1' }, /receiveBufferBytes must be a whole number from 1 to 1073741823, got 1/],
    ['a:1', { fastOpen: true }, /fastOpen must be a whole number from 1 to 65535, got true/],
    ['a:1', { nagle: true }, /addTcp\(\) has no option "nagle"; it has ipv6Only, backlog, reusePort, keepAlive/],
  ])('tcpEndpoint refuses %s with %j', (address, options, message) => {
    expect(() => tcpEndpoint(address, options as never)).toThrow(message);
  });
});

describe('unixEndpoint', () => {
  test('unixEndpoint makes paths absolute and takes the unix: form', () => {
    expect(unixEndpoint('x.sock')).toEqual({
      kind: 'unix',
      address: { path: resolve('x.sock') },
      backlog: 4_096,
      mode: 0o666,
    });
    expect(unixEndpoint('unix:/run/x.sock', { mode: 0o600 })).toMatchObject({
      address: { path: '/run/x.sock' },
      mode: 0o600,
    });
  });

  test.each([
    ['', undefined, /needs the path of a socket file, got ""/],
    ['a\0b', undefined, /needs the path/],
    [5, undefined, /needs the path of a socket file, got 5/],
    ['/x', { mode: 0o1777 }, /mode must be permission bits from 0 to 0o777, got 1023/],
    ['/x', { mode: '600' }, /mode must be permission bits/],
    ['/x', { backlog: 70_000 }, /backlog must be/],
    ['/x', { perm: 1 }, /addUds\(\) has no option "perm"; it has mode, backlog/],
  ])('unixEndpoint refuses %j with %j', (path, options, message) => {
    expect(() => unixEndpoint(path as never, options as never)).toThrow(message);
  });

  test('unixEndpoint counts the bytes of a path', () => {
    const longest = `/${'x'.repeat(MAX_UNIX_PATH_BYTES - 1)}`;
    expect(unixEndpoint(longest).address.path).toBe(longest);
    expect(() => unixEndpoint(`${longest}y`)).toThrow(
      `has ${MAX_UNIX_PATH_BYTES + 1} bytes; the system allows ${MAX_UNIX_PATH_BYTES}`,
    );
    expect(() => unixEndpoint(join('/', 'ä'.repeat(60)))).toThrow(RangeError);
  });
});

test('listeningAddress adds the text form', () => {
  expect(listeningAddress({ host: '::1', port: 5 })).toEqual({ host: '::1', port: 5, text: '[::1]:5' });
  expect(listeningAddress({ path: '/run/x' })).toEqual({ path: '/run/x', text: 'unix:/run/x' });
});
