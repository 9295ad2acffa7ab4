import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backendsOf, selectionContract } from '../../test/selection.contract.ts';
import { UsesUnderWay } from '../../test/uses-under-way.ts';
import { LeastConnections } from './least-connections.ts';

selectionContract(LeastConnections, { shareTolerance: 0.02 });

const usesOf = (weights: readonly number[], limit = Number.POSITIVE_INFINITY): UsesUnderWay =>
  new UsesUnderWay(LeastConnections.build(backendsOf(weights), undefined), limit);

describe('LeastConnections', () => {
  it('LeastConnections takes the backend with the smallest (uses + 1) / weight, whatever has begun and ended', () => {
    const steps = fc.array(fc.boolean(), { maxLength: 200 });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
        steps,
        (weights, coins) => {
          const uses = usesOf(weights);
          const loadOf = (position: number): number =>
            ((uses.inFlight.get(position) ?? 0) + 1) / (weights[position] ?? 1);
          let underWay = 0;
          for (const begins of [...coins, true]) {
            if (begins || underWay === 0) {
              const smallest = Math.min(...weights.map((_, position) => loadOf(position)));
              const chosen = uses.selection.first('');
              expect(loadOf(chosen)).toBe(smallest);
              uses.begin('');
              underWay += 1;
            } else {
              uses.endOldest();
              underWay -= 1;
            }
          }
        },
      ),
    );
  });

  it('LeastConnections lets equal loads take turns', () => {
    const selection = LeastConnections.build(backendsOf([1, 1, 1]), undefined);
    expect(Array.from({ length: 7 }, () => selection.first(''))).toEqual([0, 1, 2, 0, 1, 2, 0]);
    const uses = usesOf([2, 2, 2], 1);
    expect(Array.from({ length: 6 }, () => uses.begin(''))).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('LeastConnections counts uses that are reported when it takes over from another list', () => {
    const selection = LeastConnections.build(backendsOf([1, 1, 1]), undefined);
    selection.onLoad?.(0, 5);
    selection.onLoad?.(2, 1);
    expect([selection.first(''), selection.next(), selection.next(), selection.next()]).toEqual([1, 2, 0, -1]);
  });

  it('LeastConnections does not ask idle backends that are out of rotation at every choice', () => {
    const uses = usesOf(new Array<number>(100).fill(1), 300);
    for (let i = 0; i < 500; i += 1) uses.begin('', (position) => position < 60);
    const before = uses.offers;
    for (let i = 0; i < 1_000; i += 1) uses.begin('', (position) => position < 60);
    expect((uses.offers - before) / 1_000).toBeLessThanOrEqual(2);
    const loads = Array.from({ length: 40 }, (_, i) => uses.inFlight.get(60 + i) ?? 0);
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
  });

  it('LeastConnections offers a backend again soon after it is back in rotation', () => {
    const uses = usesOf(new Array<number>(100).fill(1), 300);
    for (let i = 0; i < 500; i += 1) uses.begin('', (position) => position < 50);
    const found = new Set(Array.from({ length: 60 }, () => uses.begin('')));
    for (let position = 0; position < 50; position += 1) expect(found).toContain(position);
  });
});
