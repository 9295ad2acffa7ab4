import { expect, test } from 'vitest';
import { cutLines, indexFields, isNamedAt, isSameName, nameBit, replaceLines } from './field-block.ts';

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

test('replaceLines leaves, takes out and rewrites lines', () => {
  const block = 'A:b\r\nCc: \td \r\nE: f\r\n';
  const edit = (...edits: (string | false | undefined)[]): string => replaceLines(block, indexFields(block), edits);
  expect(edit(undefined, undefined, undefined)).toBe(block);
  expect(edit('x', undefined, '')).toBe('A: x\r\nCc: \td \r\nE: \r\n');
  expect(edit(false, 'x', false)).toBe('Cc: x\r\n');
  expect(edit(false, false, false)).toBe('');
});

test('isNamedAt folds letters only', () => {
  expect(isNamedAt('X-A: x-a', 0, 3, 'x-a')).toBe(true);
  expect(isNamedAt('X-A: x-a', 5, 8, 'x-a')).toBe(true);
  expect(isNamedAt('X-A: x-a', 0, 4, 'x-a')).toBe(false);
  expect(isNamedAt('X-A: x-a', 0, 2, 'x-a')).toBe(false);
  // The bit that folds letters must not make these equal.
  expect(isNamedAt('^', 0, 1, '~')).toBe(false);
  expect(isNamedAt('@', 0, 1, '`')).toBe(false);
  expect(isNamedAt('\r', 0, 1, '-')).toBe(false);
});

test('nameBit is the same for every spelling of a name', () => {
  for (const name of ['Host', 'hOST', 'HOST']) expect(nameBit(name.length, name.charCodeAt(0))).toBe(nameBit(4, 0x68));
  const bits = new Set(Array.from({ length: 32 }, (_, i) => nameBit(5, 0x60 + i)));
  expect(bits.size).toBe(32);
});
