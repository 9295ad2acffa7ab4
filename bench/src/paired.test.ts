import { describe, expect, it } from 'vitest';
import { comparePaired, medianIntervalRank, pairedRatios } from './paired.ts';
import { sliceOf } from './slice-fixture.ts';

/** One pair of slices per round; the machine gets slower from round to round for both. */
function pairs(ratios: readonly number[]) {
  return ratios.flatMap((ratio, round) => [
    sliceOf(10 + round, { row: 'a', round }),
    sliceOf((10 + round) * ratio, { row: 'b', round }),
  ]);
}

describe('medianIntervalRank', () => {
  it('agrees with the tables of the sign test at 95 percent', () => {
    expect([5, 6, 8, 9, 12, 20, 25, 30].map(medianIntervalRank)).toEqual([0, 1, 1, 2, 3, 6, 8, 10]);
  });
});

describe('pairedRatios', () => {
  it('pairs by round and drops rounds in which either side was disturbed', () => {
    const slices = pairs([1.1, 1.2, 1.3]);
    slices[2] = sliceOf(11, { row: 'a', round: 1, foreignShare: 0.3 });
    const { ratios, dropped } = pairedRatios(slices, 'a', 'b');
    expect(ratios.map((ratio) => ratio.toFixed(3))).toEqual(['1.100', '1.300']);
    expect(dropped).toBe(1);
  });

  it('leaves out rounds that only one side has', () => {
    expect(pairedRatios([sliceOf(1, { row: 'a' })], 'a', 'b')).toEqual({ ratios: [], dropped: 0 });
  });
});

describe('comparePaired', () => {
  it('finds a steady difference, although the machine drifts by far more', () => {
    const result = comparePaired(pairs([0.95, 0.96, 0.94, 0.95, 0.97, 0.95, 0.96, 0.93]), 'a', 'b');
    expect(result?.verdict).toBe('b is cheaper');
    expect(result?.ratio).toBeCloseTo(0.95, 5);
    expect(comparePaired(pairs([1.05, 1.02, 1.04, 1.05, 1.07, 1.05]), 'a', 'b')?.verdict).toBe('b is dearer');
  });

  it('establishes nothing when the ratios lie on both sides of one', () => {
    const result = comparePaired(pairs([0.9, 1.1, 0.95, 1.2, 0.99, 1.01, 1.05, 0.97]), 'a', 'b');
    expect(result?.verdict).toBe('no change established');
    expect(result?.interval).toEqual([0.9, 1.2]);
  });

  it('establishes nothing with fewer than six pairs, however clear they look', () => {
    const result = comparePaired(pairs([0.5, 0.5, 0.5, 0.5, 0.5]), 'a', 'b');
    expect(result).toMatchObject({ interval: undefined, verdict: 'no change established', pairs: 5 });
  });

  it('is undefined without a pair', () => {
    expect(comparePaired([], 'a', 'b')).toBeUndefined();
  });
});
