/**
 * Which keys go elsewhere when a list changes.
 */
import type { Backend, SelectionFactory } from '../src/index.ts';

/** The address that each key goes to. */
export function owners(
  factory: SelectionFactory,
  list: readonly Backend[],
  keys: readonly string[],
): (string | undefined)[] {
  const selection = factory.build(list, undefined);
  return keys.map((key) => list[selection.first(key)]?.address);
}

/** How a change moved keys, counted in keys. */
export interface Moves {
  /** To the backend that joined, or away from the one that left: these have to move. */
  readonly needed: number;
  /** From one backend that stays to another. */
  readonly needless: number;
}

/** Compares where keys go in the whole list and in the list without one backend. */
export function movesWithout(
  factory: SelectionFactory,
  list: readonly Backend[],
  left: number,
  keys: readonly string[],
): Moves {
  const gone = list[left]?.address;
  const before = owners(factory, list, keys);
  const after = owners(factory, list.toSpliced(left, 1), keys);
  let [needed, needless] = [0, 0];
  for (const [i, owner] of before.entries()) {
    if (owner === gone) needed += 1;
    else if (owner !== after[i]) needless += 1;
  }
  return { needed, needless };
}

/** `count` different keys. */
export const keysOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `/item/${i}`);
