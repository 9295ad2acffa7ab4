import { expect, test } from 'vitest';
import { latin1 } from './latin1.ts';

test('latin1 gives one character per byte, of the part asked for', () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  expect(latin1(bytes, 0, 256)).toBe(String.fromCharCode(...bytes));
  expect(latin1(bytes, 0x41, 0x44)).toBe('ABC');
  expect(latin1(bytes.subarray(0x40), 1, 4)).toBe('ABC');
  expect(latin1(bytes, 5, 5)).toBe('');
});
