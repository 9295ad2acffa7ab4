import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Address, formatAddress, isUnixAddress, parseAddress } from './address.ts';

describe('parseAddress', () => {
  test.each<[string, Address]>([
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['a_b.example-x.com.:65535', { host: 'a_b.example-x.com.', port: 65_535 }],
    ['[::]:8080', { host: '::', port: 8080 }],
    ['[2001:db8::1]:443', { host: '2001:db8::1', port: 443 }],
    ['[::ffff:1.2.3.4]:1', { host: '::ffff:1.2.3.4', port: 1 }],
    ['[fe80::1%eth0]:80', { host: 'fe80::1%eth0', port: 80 }],
    ['unix:/run/a.sock', { path: '/run/a.sock' }],
    ['/run/a b:80.sock', { path: '/run/a b:80.sock' }],
    ['unix:80', { host: 'unix', port: 80 }],
  ])('parseAddress reads %j', (text, address) => expect(parseAddress(text)).toEqual(address));

  test.each([
    '',
    'a',
    'a:',
    ':80',
    'a:b',
    'a:-1',
    'a:65536',
    'a:100000',
    'a:8 0',
    'a:0x50',
    'a b:80',
    'a/b:80',
    'http://a:80',
    'u@a:80',
    'a:80/',
    '::1:80',
    '::1',
    '[::1]',
    '[::1]80',
    '[::1:80',
    '::1]:80',
    '[a]:80',
    '[]:80',
    '[127.0.0.1]:80',
    '[::g]:80',
    '[1:2:3:4:5:6:7:8:9]:80',
    '[[::1]]:80',
    'é:80',
    'unix:',
    'unix:a.sock',
    'a.sock',
    '/run/a\0b',
    'unix:/a\0',
  ])('parseAddress refuses %j and says what would be right', (text) => {
    expect(() => parseAddress(text)).toThrowError(
      new TypeError(
        `address ${JSON.stringify(text)} is not valid: expected 'host:port', '[ipv6]:port', 'unix:/path' or '/path' with a port from 0 to 65535`,
      ),
    );
  });
});

test('formatAddress prints what parseAddress reads', () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  const inet = fc.record({ host, port: fc.integer({ min: 0, max: 65_535 }) });
  const unix = fc.record({ path: fc.string({ unit: 'grapheme-ascii' }).map((text) => `/${text}`) });
  fc.assert(
    fc.property(fc.oneof(inet, unix), (address: Address) => {
      expect(parseAddress(formatAddress(address))).toEqual(address);
    }),
  );
});

test('isUnixAddress looks for a path', () => {
  expect(isUnixAddress({ path: '/a' })).toBe(true);
  expect(isUnixAddress({ host: 'a', port: 1 })).toBe(false);
  expect(isUnixAddress({ host: 'a', port: 1, path: undefined } as unknown as Address)).toBe(false);
});
