/**
 * A list of backends as a balancer works with it: who is where, in which tier, with which algorithm and which cap.
 *
 * What snapshots that differ only in states have in common. The next one is made by next-lineup.ts.
 */
import type { Backend } from './backend.ts';
import type { BackendState } from './backend-state.ts';
import { PickCounts } from './pick-counts.ts';
import type { Tier } from './tier.ts';

/** Everything by position in the list. */
export interface Lineup {
  /** By priority, then in the order given, those of weight zero last. */
  readonly list: readonly Backend[];
  readonly positions: ReadonlyMap<string, number>;
  readonly states: readonly BackendState[];
  /** By priority; at least one, which may be empty. */
  readonly tiers: readonly Tier[];
  /** How many uses each may have under way, 0 for any number; undefined when nobody has a limit. */
  readonly caps: Uint32Array | undefined;
  /** How often each was chosen; the one thing that goes on counting. */
  readonly picks: PickCounts;
}

/** What there is before the first list. */
export const NO_LINEUP: Lineup = {
  list: Object.freeze([]),
  positions: new Map(),
  states: [],
  tiers: [],
  caps: undefined,
  picks: new PickCounts(0),
};

/** True for the backend of a position that has as many uses under way as it may have. */
export function isFull({ caps, states }: Lineup, position: number): boolean {
  if (caps === undefined) return false;
  const cap = caps[position] as number;
  return cap > 0 && (states[position] as BackendState).inFlight >= cap;
}
