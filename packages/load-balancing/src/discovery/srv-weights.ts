/**
 * Weights for the addresses of a service, from the weights of its records (RFC 2782).
 */

/** One record: its weight, and how many addresses its target has, at least one. */
export interface WeightedTarget {
  readonly weight: number;
  readonly addresses: number;
}

/** A share of a thousandth is exact enough, and all algorithms can do with such weights. */
const MAX_WEIGHT = 1_000;
/** How much less than the smallest other one a record of weight 0 gets, where there are others. */
const SMALL = 100;

/**
 * For each record of one priority, the weight of each of its addresses: an integer from 1 to 1,000. The addresses of a
 * target share its weight. Records of weight 0 get "a very small chance" beside others, and are alike among themselves.
 */
export function addressWeights(targets: readonly WeightedTarget[]): number[] {
  const positive = targets.map(({ weight }) => weight).filter((weight) => weight > 0);
  const smallest = positive.length === 0 ? 1 : Math.min(...positive) / SMALL;
  const shares = targets.map(({ weight, addresses }) => (weight === 0 ? smallest : weight) / addresses);
  return toIntegers(shares);
}

/** In proportion; exact wherever small numbers are. */
function toIntegers(shares: readonly number[]): number[] {
  const most = Math.max(...shares);
  for (let largest = 1; largest <= MAX_WEIGHT; largest += 1) {
    const scaled = shares.map((share) => (share / most) * largest);
    if (scaled.every((value) => isInteger(value))) return scaled.map(Math.round);
  }
  return shares.map((share) => Math.max(1, Math.round((share / most) * MAX_WEIGHT)));
}

/** But for what divisions lose. */
function isInteger(value: number): boolean {
  return value > 0.5 && Math.abs(value - Math.round(value)) < 1e-9;
}
