import { describe, expect, test } from 'vitest';
import { editDistance, nearestWord } from './nearest-word.ts';

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', '', 3],
    ['abc', 'abd', 1],
    ['abc', 'acb', 1],
    ['abc', 'xabc', 1],
    ['kitten', 'sitting', 3],
  ])('editDistance of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('nearestWord', () => {
  const words = ['listen', 'upstream', 'conf', 'test'];

  test('nearestWord finds a word within two edits', () => {
    expect(nearestWord('lisen', words)).toBe('listen');
    expect(nearestWord('upsteram', words)).toBe('upstream');
  });

  test('nearestWord prefers the closest word, not the first', () => {
    expect(nearestWord('tesst', ['toast', 'test'])).toBe('test');
  });

  test('nearestWord answers undefined when nothing is near', () => {
    expect(nearestWord('daemon', words)).toBeUndefined();
  });

  test('nearestWord allows a short word one edit only', () => {
    expect(nearestWord('cnof', words)).toBe('conf');
    expect(nearestWord('beer', ['test'])).toBeUndefined();
  });

  test('nearestWord refuses to compare very long words', () => {
    expect(nearestWord('a'.repeat(65), ['a'.repeat(65)])).toBeUndefined();
  });
});
