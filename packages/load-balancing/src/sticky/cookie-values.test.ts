import { expect, test } from 'vitest';
import { cookieValues } from './cookie-values.ts';

test.each<[string, string[]]>([
  ['', []],
  ['s=1', ['1']],
  ['a=0; s=1; b=2', ['1']],
  ['s=1; s=2', ['1', '2']],
  ['s="1"', ['1']],
  ['s="', ['"']],
  ['s=a=b', ['a=b']],
  ['s=', ['']],
  ['  s = 1 ;x', ['1']],
  ['s', []],
  ['xs=1; sx=2; S=3', []],
  ['x; s=1', ['1']],
  ['x;s=1;', ['1']],
  [';;; s=1', ['1']],
  ['a;b;c=d;e; s=1;f', ['1']],
  ['=1; s=2', ['2']],
  ['x="s=1"; s=2', ['2']],
])('cookieValues finds s in %j', (field, values) => {
  expect(cookieValues(field, 's')).toEqual(values);
});

test('cookieValues takes time in proportion to the length of the field, whatever is in it', () => {
  const quickest = (field: string): number => {
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      expect(cookieValues(field, 's')).toEqual([]);
      return performance.now() - start;
    });
    return Math.min(...times);
  };
  // Quadratic, it is more than a hundred times as long as the other one.
  expect(quickest(';'.repeat(1_000_000))).toBeLessThan(40 * quickest('a=b;'.repeat(250_000)) + 1);
});
