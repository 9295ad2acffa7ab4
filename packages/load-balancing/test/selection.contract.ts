/**
 * What every selection algorithm has to hold to, as a suite that each algorithm's test calls with its factory.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backend } from '../src/backend.ts';
import type { Selection, SelectionFactory } from '../src/selection/selection.ts';

/** Facts in which algorithms may differ. */
export interface ContractOptions {
  /** Largest relative difference between a backend's share of many keys and its weight's share. */
  readonly shareTolerance: number;
}

/** `count` backends with distinct addresses and the given weights. */
export function backendsOf(weights: readonly number[]): Backend[] {
  return weights.map((weight, i) => Backend.parse(`10.0.${i >> 8}.${i & 255}:80`, { weight }));
}

/** All candidates of one choice, in order; one more than there are backends if they do not end. */
export function candidates(selection: Selection, key: string, count: number): number[] {
  const found: number[] = [];
  for (let position = selection.first(key); position !== -1 && found.length <= count; position = selection.next()) {
    found.push(position);
  }
  return found;
}

const weightLists = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 12 })), {
  minLength: 1,
  maxLength: 80,
});

export function selectionContract(factory: SelectionFactory, options: ContractOptions): void {
  describe(`${factory.name}: selection contract`, () => {
    it('offers nothing from an empty list', () => {
      const selection = factory.build([], undefined);
      expect([selection.first('a'), selection.next(), selection.first('b')]).toEqual([-1, -1, -1]);
    });

    it('offers the only backend once per choice', () => {
      const selection = factory.build(backendsOf([7]), undefined);
      expect([selection.first('a'), selection.next(), selection.next(), selection.first('a')]).toEqual([0, -1, -1, 0]);
    });

    it('offers every backend exactly once in each choice', () => {
      fc.assert(
        fc.property(weightLists, fc.array(fc.string(), { minLength: 1, maxLength: 8 }), (weights, keys) => {
          const selection = factory.build(backendsOf(weights), undefined);
          for (const key of keys) {
            const found = candidates(selection, key, weights.length);
            expect(found.toSorted((a, b) => a - b)).toEqual([...weights.keys()]);
          }
        }),
      );
    });

    it('may be abandoned after any number of candidates', () => {
      fc.assert(
        fc.property(weightLists, fc.array(fc.nat({ max: 90 }), { maxLength: 30 }), (weights, stops) => {
          const selection = factory.build(backendsOf(weights), undefined);
          for (const [i, stop] of stops.entries()) {
            const offered = [selection.first(`key ${i}`)];
            for (let n = 0; n < stop; n += 1) offered.push(selection.next());
            const real = offered.filter((position) => position !== -1);
            expect(new Set(real).size).toBe(real.length);
            expect(real.length).toBe(Math.min(stop + 1, weights.length));
          }
        }),
      );
    });

    it('takes text and its UTF-8 bytes for the same key, or ignores keys', () => {
      const weights = [3, 1, 2, 5];
      const byText = factory.build(backendsOf(weights), undefined);
      const byBytes = factory.build(backendsOf(weights), undefined);
      const isRandom = factory.name === 'Random';
      for (const key of ['', 'a', '/some/path', 'ключ', '鍵', '🗝️', 'lone \ud800 half']) {
        const found = byText.first(key);
        expect(found).toBeGreaterThanOrEqual(0);
        if (!isRandom) expect(byBytes.first(new TextEncoder().encode(key))).toBe(found);
      }
    });

    it('gives each backend its share', () => {
      const weights = [1, 2, 3, 4, 10, 20, 40];
      const selection = factory.build(backendsOf(weights), undefined);
      expectShares(weights, options.shareTolerance, (i) => selection.first(`/item/${i}?${(i * 7919) % 1000}`));
    });

    it('shares among the rest by weight when a backend is always refused', () => {
      const weights = [1, 2, 3, 4, 10, 20, 40];
      for (const refused of [0, 3, 6]) {
        const selection = factory.build(backendsOf(weights), undefined);
        const left = weights.map((weight, i) => (i === refused ? 0 : weight));
        expectShares(left, options.shareTolerance, (i) => {
          const position = selection.first(`/item/${i}?${(i * 7919) % 1000}`);
          return position === refused ? selection.next() : position;
        });
      }
    });

    it('survives a thousand backends of widely differing weights', () => {
      const weights = Array.from({ length: 1_000 }, (_, i) => 1 + ((i * i) % 13));
      const selection = factory.build(backendsOf(weights), undefined);
      expect(new Set(candidates(selection, 'key', weights.length)).size).toBe(weights.length);
      expect(candidates(selection, 'key', weights.length)).toHaveLength(weights.length);
    });
  });
}

/** Chooses 40,000 times and compares the shares with those of the weights. */
function expectShares(weights: readonly number[], tolerance: number, choose: (i: number) => number): void {
  const rounds = 40_000;
  const counts = weights.map(() => 0);
  for (let i = 0; i < rounds; i += 1) {
    const position = choose(i);
    counts[position] = (counts[position] ?? 0) + 1;
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  for (const [i, weight] of weights.entries()) {
    const expected = (rounds * weight) / sum;
    // Four standard deviations on top, for algorithms that draw.
    const slack = tolerance * expected + 4 * Math.sqrt(tolerance === 0 ? 0 : expected) + 2;
    expect(
      Math.abs((counts[i] ?? 0) - expected),
      `share of backend ${i}: ${counts[i]}, expected ${expected}`,
    ).toBeLessThanOrEqual(slack);
  }
}
