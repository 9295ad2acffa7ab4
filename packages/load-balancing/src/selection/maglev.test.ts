import { describe, expect, it } from 'vitest';
import { keysOf, movesWithout, owners } from '../../test/moved-keys.ts';
import { backendsOf, selectionContract } from '../../test/selection.contract.ts';
import { AddressHashes } from './address-hashes.ts';
import { Maglev } from './maglev.ts';
import { maglevTable } from './maglev-table.ts';
import { runToEnd } from './steps.ts';

selectionContract(Maglev, { shareTolerance: 0.05 });
selectionContract(Maglev.with({ tableSize: 20_011 }), { shareTolerance: 0.1 });

function entriesOf(size: number, weights: readonly number[]): number[] {
  const hashes = runToEnd(AddressHashes.steps(backendsOf(weights), ''));
  const counts = weights.map(() => 0);
  for (const position of runToEnd(maglevTable(size, Float64Array.from(weights), hashes))) {
    counts[position] = (counts[position] ?? 0) + 1;
  }
  return counts;
}

describe('maglevTable', () => {
  it('maglevTable gives backends of equal weight as many entries, but for one', () => {
    const counts = entriesOf(10_007, new Array<number>(100).fill(1));
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([100, 101]);
  });

  it('maglevTable gives entries in proportion to the weights, but for two, and everybody one', () => {
    const weights = [1, 2, 3, 10, 100, 884];
    for (const [i, count] of entriesOf(65_537, weights).entries()) {
      const share = (65_537 * (weights[i] ?? 0)) / 1_000;
      expect(Math.abs(count - share)).toBeLessThan(2 + share * 0.002);
    }
    const tiny = entriesOf(251, [1_000_000, 1, 1, 1]);
    expect(tiny.slice(1)).toEqual([1, 1, 1]);
  });
});

describe('Maglev', () => {
  it('Maglev moves hardly more keys than those of the backend that leaves', () => {
    const list = backendsOf(new Array<number>(100).fill(1));
    for (const left of [0, 50, 99]) {
      const { needed, needless } = movesWithout(Maglev, list, left, keysOf(20_000));
      expect(needed).toBeGreaterThan(100);
      expect(needless / 20_000).toBeLessThan(0.02);
    }
  });

  it('Maglev does not depend on the order of the list', () => {
    const list = backendsOf([3, 1, 4, 1, 5, 9, 2, 6]);
    expect(owners(Maglev, list.toReversed(), keysOf(500))).toEqual(owners(Maglev, list, keysOf(500)));
  });

  it('Maglev moves only the keys of a refused backend, and those to all others', () => {
    const selection = Maglev.build(backendsOf(new Array<number>(10).fill(1)), undefined);
    const found = new Set<number>();
    for (const key of keysOf(2_000)) if (selection.first(key) === 4) found.add(selection.next());
    expect(found).toEqual(new Set([0, 1, 2, 3, 5, 6, 7, 8, 9]));
  });

  it('Maglev refuses tables that are no prime, out of range, or smaller than the list', () => {
    for (const tableSize of [1_000, 2, 65_537.5, 1e9]) {
      expect(() => Maglev.with({ tableSize })).toThrow(
        `Maglev: tableSize must be a prime from 251 to 16777213, got ${tableSize}`,
      );
    }
    const many = backendsOf(new Array<number>(251).fill(1));
    expect(() => Maglev.with({ tableSize: 251 }).build(many, undefined)).toThrow(
      'Maglev: a table of 251 entries is too small for 251 backends, see tableSize',
    );
  });
});
