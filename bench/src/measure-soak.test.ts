import { describe, expect, it } from 'vitest';
import { quarters } from './measure-soak.ts';

const samples = (...sizes: number[]) => sizes.map((residentBytes, index) => ({ seconds: index, residentBytes }));

describe('quarters', () => {
  it('compares medians of the first and the last quarter, so that one spike decides nothing', () => {
    expect(quarters(samples(10, 90, 11, 0, 0, 0, 0, 0, 0, 20, 99, 21))).toEqual({ first: 11, last: 21 });
  });

  it('works with a single sample', () => {
    expect(quarters(samples(5))).toEqual({ first: 5, last: 5 });
  });
});
