import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keysOf, owners } from '../../test/moved-keys.ts';
import { backendsOf, selectionContract } from '../../test/selection.contract.ts';
import { UsesUnderWay } from '../../test/uses-under-way.ts';
import { BoundedConsistent } from './bounded-consistent.ts';
import { Consistent } from './consistent.ts';

selectionContract(BoundedConsistent, { shareTolerance: 0.35 });
selectionContract(BoundedConsistent.with({ overload: 0.05 }), { shareTolerance: 0.35 });

describe('BoundedConsistent', () => {
  it('BoundedConsistent is Consistent as long as nothing is in use', () => {
    const list = backendsOf([1, 2, 3, 4, 5, 6]);
    expect(owners(BoundedConsistent, list, keysOf(500))).toEqual(owners(Consistent, list, keysOf(500)));
  });

  it('BoundedConsistent lets nobody have more than its share times 1 + overload, rounded up, whatever the keys are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 15 }),
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        fc.array(fc.oneof(fc.constant('popular'), fc.string({ maxLength: 2 })), { maxLength: 150 }),
        (weights, overload, keys) => {
          const sum = weights.reduce((total, weight) => total + weight, 0);
          const uses = new UsesUnderWay(
            BoundedConsistent.with({ overload }).build(backendsOf(weights), undefined),
            100,
          );
          for (const [i, key] of keys.entries()) {
            const position = uses.begin(key);
            const underWay = Math.min(i + 1, 100);
            const bound = Math.ceil((1 + overload) * underWay * ((weights[position] ?? 0) / sum) - 1e-9);
            expect(uses.inFlight.get(position)).toBeLessThanOrEqual(bound);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('BoundedConsistent spreads one popular key over as few as can bear it', () => {
    const uses = new UsesUnderWay(BoundedConsistent.build(backendsOf(new Array<number>(10).fill(1)), undefined), 1_000);
    for (let i = 0; i < 100; i += 1) uses.begin('popular');
    const loads = [...uses.inFlight.values()].filter((inFlight) => inFlight > 0);
    // 100 uses, 12.5 are a quarter more than a tenth of them.
    expect(Math.max(...loads)).toBeLessThanOrEqual(13);
    expect(loads).toHaveLength(8);
  });

  it('BoundedConsistent counts shares among those in rotation', () => {
    const uses = new UsesUnderWay(BoundedConsistent.build(backendsOf(new Array<number>(10).fill(1)), undefined), 1_000);
    const isOut = (position: number): boolean => position < 8;
    for (const key of keysOf(400)) uses.begin(key, isOut);
    const loads = [uses.inFlight.get(8) ?? 0, uses.inFlight.get(9) ?? 0];
    expect(loads.reduce((sum, load) => sum + load, 0)).toBe(400);
    // With the shares of all ten both would be above any bound, and one of them would get what it likes.
    expect(Math.max(...loads)).toBeLessThanOrEqual(251);
    for (const key of keysOf(300)) uses.begin(key);
    expect(Math.max(...uses.inFlight.values())).toBeLessThanOrEqual(251);
    expect(uses.inFlight.get(0)).toBeGreaterThan(0);
  });

  it('BoundedConsistent offers those above the bound last, in the order of the ring', () => {
    const list = backendsOf([1, 1, 1]);
    const selection = BoundedConsistent.build(list, undefined);
    const ring = Consistent.build(list, undefined);
    const order = [ring.first('key'), ring.next(), ring.next()];
    selection.onLoad?.(order[0] ?? -1, 50);
    expect([selection.first('key'), selection.next(), selection.next(), selection.next()]).toEqual([
      order[1],
      order[2],
      order[0],
      -1,
    ]);
  });

  it('BoundedConsistent.with refuses an overload out of range', () => {
    for (const overload of [0, -1, Number.NaN, 1_000]) {
      expect(() => BoundedConsistent.with({ overload })).toThrow(
        `BoundedConsistent: overload must be a number from 0.01 to 100, 0.25 for a quarter more than the share, got ${overload}`,
      );
    }
  });
});
