/**
 * A against B, paired by round. Pure.
 *
 * Both sides of a pair ran within seconds of each other, so what slows the machine slows both: the ratio inside a pair
 * is steadier than the ratio of two medians. The interval is the sign test's, which assumes nothing about the noise.
 */
import { cpuUsPerRequest, isClean, median, type Slice } from './estimator.ts';

export interface PairedResult {
  /** CPU of B divided by CPU of A: the median over the pairs. */
  readonly ratio: number;
  /** Interval that holds the true median ratio with at least 95 % confidence; undefined with fewer than six pairs. */
  readonly interval: readonly [low: number, high: number] | undefined;
  readonly pairs: number;
  /** Rounds left out because one of the two slices had too much foreign load. */
  readonly dropped: number;
  readonly verdict: 'b is cheaper' | 'b is dearer' | 'no change established';
}

/** Rank (from 1) of the lower end of the 95 % interval of a median of `n` values; 0 when `n` is too small. */
export function medianIntervalRank(n: number): number {
  let tail = 0;
  let probability = 0.5 ** n;
  for (let rank = 0; rank < n; rank++) {
    tail += probability;
    if (tail > 0.025) return rank;
    probability *= (n - rank) / (rank + 1);
  }
  return 0;
}

/** CPU ratios B/A of the rounds in which both slices were clean. */
export function pairedRatios(slices: readonly Slice[], a: string, b: string): { ratios: number[]; dropped: number } {
  const ratios: number[] = [];
  let dropped = 0;
  for (const round of new Set(slices.map((slice) => slice.round))) {
    const ofA = slices.find((slice) => slice.row === a && slice.round === round);
    const ofB = slices.find((slice) => slice.row === b && slice.round === round);
    if (ofA === undefined || ofB === undefined) continue;
    if (isClean(ofA) && isClean(ofB)) ratios.push(cpuUsPerRequest(ofB) / cpuUsPerRequest(ofA));
    else dropped++;
  }
  return { ratios: ratios.sort((x, y) => x - y), dropped };
}

/** The comparison of two rows; undefined when no round has two clean slices. */
export function comparePaired(slices: readonly Slice[], a: string, b: string): PairedResult | undefined {
  const { ratios, dropped } = pairedRatios(slices, a, b);
  if (ratios.length === 0) return undefined;
  const rank = medianIntervalRank(ratios.length);
  const low = ratios[rank - 1];
  const high = ratios[ratios.length - rank];
  const interval = rank === 0 || low === undefined || high === undefined ? undefined : ([low, high] as const);
  return { ratio: median(ratios), interval, pairs: ratios.length, dropped, verdict: verdictOf(interval) };
}

function verdictOf(interval: readonly [number, number] | undefined): PairedResult['verdict'] {
  if (interval === undefined) return 'no change established';
  if (interval[1] < 1) return 'b is cheaper';
  return interval[0] > 1 ? 'b is dearer' : 'no change established';
}
