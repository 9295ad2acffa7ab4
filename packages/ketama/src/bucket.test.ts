import { expect, test } from 'vitest';
import { checkBucket, type KetamaBucket, splitAddress } from './bucket.ts';

test.each([
  ['10.0.0.1:443', '10.0.0.1', '443'],
  ['origin.example:8080', 'origin.example', '8080'],
  ['127.0.0.3:0081', '127.0.0.3', '0081'],
  ['localhost', 'localhost', ''],
  ['[::1]:7777', '::1', '7777'],
  ['[fe80::1%eth0]:80', 'fe80::1%eth0', '80'],
  ['[::1]', '::1', ''],
  ['unix:/run/a.sock', '/run/a.sock', ''],
  ['UNIX:/run/a:80', '/run/a:80', ''],
  ['name:with:80', 'name:with', '80'],
  ['name:port', 'name:port', ''],
])('splitAddress: %s is host %s and port %s', (address, host, port) => {
  expect(splitAddress(address, false)).toEqual({ host, port });
});

test('splitAddress keeps the brackets of IPv6 when told to', () => {
  expect(splitAddress('[::1]:80', true)).toEqual({ host: '[::1]', port: '80' });
  expect(splitAddress('10.0.0.1:80', true)).toEqual({ host: '10.0.0.1', port: '80' });
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('checkBucket refuses the weight %s', (weight) => {
  const check = (): void => checkBucket({ address: 'a:1', weight }, 3);
  expect(check).toThrow(RangeError);
  expect(check).toThrow(`weight of bucket 3 (a:1) must be a positive integer, got ${weight}`);
});

test('checkBucket refuses an address that is empty or no text', () => {
  expect(() => checkBucket({ address: '', weight: 1 }, 0)).toThrow(TypeError);
  const wrong = { address: 80, weight: 1 } as unknown as KetamaBucket;
  expect(() => checkBucket(wrong, 2)).toThrow('address of bucket 2 must be a text such as "10.0.0.1:80", got 80');
});
