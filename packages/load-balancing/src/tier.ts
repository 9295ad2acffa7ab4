/**
 * A tier: the backends of one priority in a list, and the algorithm at work on them.
 */
import type { Selection } from './selection/selection.ts';

/** Backends `start` to `end - 1` of the list. Positions of the selection count from `start`. */
export interface Tier {
  readonly priority: number;
  readonly start: number;
  readonly end: number;
  readonly selection: Selection;
}

/** The tier that a position of the list belongs to; none for a backend of weight 0. */
export function tierAt(tiers: readonly Tier[], position: number): Tier | undefined {
  for (const tier of tiers) if (position < tier.end) return tier;
  return undefined;
}
