import { expect, test } from 'vitest';
import { parseRangeSet, type RangeSet } from './range-set.ts';

const LENGTH = 10_000;

function ranges(...pairs: [number, number][]): RangeSet {
  return pairs.map(([start, end]) => ({ start, end }));
}

test.each([
  // RFC 9110 section 14.1.2
  ['bytes=0-499', ranges([0, 500])],
  ['bytes=500-999', ranges([500, 1_000])],
  ['bytes=-500', ranges([9_500, 10_000])],
  ['bytes=9500-', ranges([9_500, 10_000])],
  ['bytes=0-0,-1', ranges([0, 1], [9_999, 10_000])],
  ['bytes= 0-999, 4500-5499, -1000', ranges([0, 1_000], [4_500, 5_500], [9_000, 10_000])],
  ['bytes=500-600,601-999', ranges([500, 601], [601, 1_000])],
  // Ends and numbers of any size
  ['bytes=0-', ranges([0, 10_000])],
  ['bytes=9999-9999', ranges([9_999, 10_000])],
  ['bytes=0-999999999999999999999', ranges([0, 10_000])],
  ['bytes=-10001', ranges([0, 10_000])],
  ['bytes=-99999999999999999999', ranges([0, 10_000])],
  ['BYTES=0-1', ranges([0, 2])],
  ['bytes=,0-1 ,\t,', ranges([0, 2])],
  ['bytes=0-1,20000-,5-6', ranges([0, 2], [5, 7])],
  // Nothing of it is there
  ['bytes=10000-', 'unsatisfiable'],
  ['bytes=99999999999999999999-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=-0,10000-10001', 'unsatisfiable'],
  ['bytes=', 'unsatisfiable'],
  // To be ignored
  ['bytes', 'ignored'],
  ['', 'ignored'],
  ['items=0-1', 'ignored'],
  ['bytes =0-1', 'ignored'],
  ['bytes=a-b', 'ignored'],
  ['bytes=-', 'ignored'],
  ['bytes=1-0', 'ignored'],
  ['bytes=0-1,x', 'ignored'],
  ['bytes=0x1-2', 'ignored'],
  ['bytes=+1-2', 'ignored'],
  ['bytes=1.0-2', 'ignored'],
  ['bytes=0-1-2', 'ignored'],
  ['bytes=0 - 1', 'ignored'],
  ['bytes=5-6,0-1', 'ignored'],
  ['bytes=500-700,601-999', 'ignored'],
  ['bytes=0-,0-', 'ignored'],
] as [string, RangeSet][])('parseRangeSet of "%s"', (value, expected) => {
  expect(parseRangeSet(value, LENGTH, 200)).toEqual(expected);
});

test('parseRangeSet serves as many ranges as allowed, and ignores a set with one more', () => {
  const many = (count: number): string =>
    `bytes=${Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`).join()}`;
  expect(parseRangeSet(many(200), LENGTH, 200)).toHaveLength(200);
  expect(parseRangeSet(many(201), LENGTH, 200)).toBe('ignored');
});
