import { expect, test } from 'vitest';
import { darwin } from './darwin.ts';
import { linux } from './linux.ts';
import { currentPlatform } from './platform.ts';

test('currentPlatform knows 64-bit Linux and macOS', () => {
  expect(currentPlatform('linux', 'x64')).toBe(linux);
  expect(currentPlatform('linux', 'arm64')).toBe(linux);
  expect(currentPlatform('darwin', 'arm64')).toBe(darwin);
  expect(currentPlatform('linux', 'ppc64')).toBeUndefined();
  expect(currentPlatform('linux', 'arm')).toBeUndefined();
  expect(currentPlatform('win32', 'x64')).toBeUndefined();
});

test('unixAddress has the family where the system looks for it', () => {
  expect([...linux.unixAddress(Buffer.from('/a'))]).toEqual([1, 0, 0x2f, 0x61, 0]);
  expect([...linux.unixAddress(Buffer.from('\0a'))]).toEqual([1, 0, 0, 0x61]);
  expect([...darwin.unixAddress(Buffer.from('/a'))]).toEqual([5, 1, 0x2f, 0x61, 0]);
  expect(() => darwin.unixAddress(Buffer.from('\0a'))).toThrow('macOS has no abstract unix sockets');
});
