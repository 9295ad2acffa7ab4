import { describe, expect, it } from 'vitest';
import { Health } from './health.ts';

/** Feeds results written as + and -, and gives the states after each as + and -. */
function states(results: string, successes: number, failures: number): string {
  const health = new Health();
  return [...results]
    .map((result) => {
      const before = health.healthy;
      const flipped = health.observe(result === '+', result === '+' ? successes : failures);
      expect(flipped).toBe(before !== health.healthy);
      return health.healthy ? '+' : '-';
    })
    .join('');
}

describe('Health', () => {
  it('Health begins as healthy', () => {
    expect(new Health().healthy).toBe(true);
  });

  it('Health flips at once with thresholds of 1', () => {
    expect(states('+-+--+', 1, 1)).toBe('+-+--+');
  });

  it('Health needs results in a row: one that agrees with the state begins the count anew', () => {
    expect(states('--+--+---', 1, 3)).toBe('++++++++-');
    expect(states('-+-+++-+', 3, 1)).toBe('-----+--');
  });

  it('Health counts anew after each flip', () => {
    expect(states('--++--', 2, 2)).toBe('+--++-');
  });

  it.each([0, -3, Number.NaN])('Health takes threshold %d for 1', (threshold) => {
    expect(states('-+', threshold, threshold)).toBe('-+');
  });
});
