import { expect, test } from 'vitest';
import { cutLines, indexFields, isSameName } from './field-block.ts';

test('indexFields finds names and values without the white space around them', () => {
  expect(indexFields('')).toEqual([]);
  expect(indexFields('A:b\r\n')).toEqual([0, 1, 2, 3]);
  expect(indexFields('A: \t b c \r\nBb:\r\nC:  \r\n')).toEqual([0, 1, 5, 8, 11, 13, 14, 14, 16, 17, 20, 20]);
});

test('cutLines leaves out the given lines', () => {
  expect(cutLines('A: b\r\nC: d\r\nE: f\r\n', [])).toBe('A: b\r\nC: d\r\nE: f\r\n');
  expect(cutLines('A: b\r\nC: d\r\nE: f\r\n', [0, 6])).toBe('C: d\r\nE: f\r\n');
  expect(cutLines('A: b\r\nC: d\r\nE: f\r\n', [6, 12])).toBe('A: b\r\nE: f\r\n');
  expect(cutLines('A: b\r\nC: d\r\nE: f\r\n', [0, 6, 6, 12, 12, 18])).toBe('');
});

test('isSameName ignores case only', () => {
  expect(isSameName('X-A', 'x-a')).toBe(true);
  expect(isSameName('x-a', 'x-a')).toBe(true);
  expect(isSameName('x_a', 'x-a')).toBe(false);
  expect(isSameName('x-ab', 'x-a')).toBe(false);
});
