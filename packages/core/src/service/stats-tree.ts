/**
 * Counters as plain data, and how those of several threads become one.
 */

/** Counters and gauges by name, in groups. Numbers add up over threads; of anything else the first value is shown. */
export interface StatsTree {
  readonly [name: string]: number | string | boolean | undefined | StatsTree;
}

/** One tree of many: numbers are added, groups merged by name. */
export function mergeStats(trees: readonly StatsTree[]): StatsTree {
  const merged: Record<string, StatsTree[string]> = {};
  for (const tree of trees) {
    for (const [name, value] of Object.entries(tree)) merged[name] = mergeValue(merged[name], value);
  }
  return merged;
}

function mergeValue(known: StatsTree[string], value: StatsTree[string]): StatsTree[string] {
  if (known === undefined) return value;
  if (typeof known === 'number' && typeof value === 'number') return known + value;
  if (isTree(known) && isTree(value)) return mergeStats([known, value]);
  return known;
}

function isTree(value: StatsTree[string]): value is StatsTree {
  return typeof value === 'object' && value !== null;
}
