import { expect, it } from 'vitest';
import { roundOrder } from './rounds.ts';

it('roundOrder runs every second round backwards and leaves its argument alone', () => {
  const rows = ['a', 'b', 'c'];
  expect([0, 1, 2].map((round) => roundOrder(rows, round).join(''))).toEqual(['abc', 'cba', 'abc']);
  expect(rows).toEqual(['a', 'b', 'c']);
});
