import { describe, expect, it } from 'vitest';
import { cheaperHalf, estimate, isClean, median } from './estimator.ts';
import { sliceOf } from './slice-fixture.ts';

describe('median', () => {
  it('is the middle value, or the mean of the two middle ones, in any order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 1, 2, 100])).toBe(6);
    expect(median([7])).toBe(7);
  });

  it('refuses nothing', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('cheaperHalf', () => {
  it('keeps the smaller values, one more when the number is odd', () => {
    expect(cheaperHalf([4, 1, 3, 2])).toEqual([1, 2]);
    expect(cheaperHalf([5, 4, 1, 3, 2])).toEqual([1, 2, 3]);
    expect(cheaperHalf([8])).toEqual([8]);
  });
});

describe('isClean', () => {
  it('allows eight percent of foreign load', () => {
    expect(isClean(sliceOf(1, { foreignShare: 0.08 }))).toBe(true);
    expect(isClean(sliceOf(1, { foreignShare: 0.081 }))).toBe(false);
  });
});

describe('estimate', () => {
  it('is the median of the cheaper half of the clean slices, next to the median of all', () => {
    const clean = [10, 11, 12, 13, 14, 15].map((cpu) => sliceOf(cpu));
    const disturbed = [5, 30, 40].map((cpu) => sliceOf(cpu, { foreignShare: 0.5 }));
    const result = estimate([...disturbed, ...clean]);
    expect(result.cpuUs).toBe(11);
    expect(result.cpuUsAllSlices).toBe(13);
    expect(result).toMatchObject({ cleanSlices: 6, slices: 9, inconclusive: false });
  });

  it('is inconclusive with fewer than four clean slices, and then uses all', () => {
    const slices = [sliceOf(10), sliceOf(11), sliceOf(12), sliceOf(2, { foreignShare: 0.2 })];
    const result = estimate(slices);
    expect(result).toMatchObject({ cleanSlices: 3, inconclusive: true });
    expect(result.cpuUs).toBe(6);
  });

  it('divides CPU time by the requests of each slice, not of all together', () => {
    const slices = [100, 1000, 10_000, 100_000].map((requests) => sliceOf(20, { requests }));
    expect(estimate(slices).cpuUs).toBe(20);
    expect(estimate(slices).cpuUsAllSlices).toBe(20);
  });

  it('splits user and kernel time over all slices, and leaves the split out when no tick fell', () => {
    const slices = [sliceOf(1, { userTicks: 10, systemTicks: 0 }), sliceOf(1, { userTicks: 0, systemTicks: 30 })];
    expect(estimate(slices).kernelShare).toBe(0.75);
    expect(estimate([sliceOf(1, { userTicks: 0, systemTicks: 0 })]).kernelShare).toBeUndefined();
  });

  it('counts requests per second over the real length of the slice', () => {
    expect(estimate([sliceOf(1, { requests: 3000, durationUs: 1.5e6 })]).requestsPerSecond).toBe(2000);
  });
});
