import { describe, expect, it } from 'vitest';
import { backendsOf, candidates, contextOf, selectionContract } from '../../test/selection.contract.ts';
import { Consistent } from './consistent.ts';
import { LeastConnections } from './least-connections.ts';
import { PeakEwma } from './peak-ewma.ts';
import type { SelectionFactory } from './selection.ts';
import { Subset } from './subset.ts';

selectionContract(Subset.of({ size: 10, seed: 'a' }), { shareTolerance: 0, isPartial: true });
selectionContract(Subset.of({ size: 1_000, seed: 'a', inner: LeastConnections }), { shareTolerance: 0.02 });
selectionContract(Subset.of({ size: 3, seed: 'a', inner: Consistent }), { shareTolerance: 0, isPartial: true });

const list = backendsOf(new Array<number>(100).fill(1));

/** The addresses that are used as long as nobody is refused. */
function used(factory: SelectionFactory, backends = list): Set<string | undefined> {
  const selection = factory.build(backends, undefined, contextOf());
  return new Set(Array.from({ length: 200 }, (_, i) => backends[selection.first(`key ${i}`)]?.address));
}

describe('Subset', () => {
  it('Subset uses `size` backends, the same ones each time, and others for another seed', () => {
    const [one, again, other] = ['a', 'a', 'b'].map((seed) => used(Subset.of({ size: 10, seed })));
    expect(one?.size).toBe(10);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    expect(used(Subset.of({ size: 10, seed: 'a' }), list.toReversed())).toEqual(one);
    expect(used(Subset.of({ size: 10 }))).toEqual(used(Subset.of({ size: 10 })));
  });

  it('Subset spreads many gateways over all backends', () => {
    const counts = new Map<string | undefined, number>();
    for (let gateway = 0; gateway < 300; gateway += 1) {
      for (const address of used(Subset.of({ size: 10, seed: `gateway ${gateway}` }))) {
        counts.set(address, (counts.get(address) ?? 0) + 1);
      }
    }
    expect(counts.size).toBe(100);
    // 30 on average; five standard deviations of a binomial distribution are 26.
    expect(Math.max(...counts.values())).toBeLessThan(56);
    expect(Math.min(...counts.values())).toBeGreaterThan(4);
  });

  it('Subset exchanges at most one backend when one leaves or joins', () => {
    const factory = Subset.of({ size: 10, seed: 'a' });
    const before = used(factory);
    for (let left = 0; left < 100; left += 1) {
      const after = used(factory, list.toSpliced(left, 1));
      const gone = [...before].filter((address) => !after.has(address));
      expect(gone).toEqual(before.has(list[left]?.address) ? [list[left]?.address] : []);
    }
  });

  it('Subset offers those outside when all inside are refused', () => {
    const inside = used(Subset.of({ size: 10, seed: 'a' }));
    const found = candidates(Subset.of({ size: 10, seed: 'a' }).build(list, undefined), '', 100);
    expect(new Set(found.slice(0, 10).map((position) => list[position]?.address))).toEqual(inside);
    expect(new Set(found).size).toBe(100);
  });

  it('Subset tells the algorithm inside what is in use, and ends, and what was before', () => {
    const context = contextOf();
    const factory = Subset.of({ size: 2, seed: 'a', inner: PeakEwma });
    const three = backendsOf([1, 1, 1]);
    const selection = factory.build(three, undefined, context);
    const [fast = -1, slow = -1, outside = -1] = candidates(selection, '', 3);
    selection.onLoad?.(outside, 9);
    selection.onDone?.(outside, { ok: true, latencyMs: 1 });
    selection.onDone?.(fast, { ok: true, latencyMs: 1 });
    selection.onDone?.(slow, { ok: true, latencyMs: 100 });
    const again = factory.build(three, selection, contextOf(selection));
    for (let i = 0; i < 10; i += 1) {
      expect(selection.first('')).toBe(fast);
      expect(again.first('')).toBe(fast);
    }
    selection.onLoad?.(fast, 200);
    expect(selection.first('')).toBe(slow);
  });

  it('Subset.of refuses sizes that are none, and what is no algorithm', () => {
    for (const size of [0, 1.5, -1]) {
      expect(() => Subset.of({ size })).toThrow(`Subset: size must be an integer from 1, got ${size}`);
    }
    expect(() => Subset.of({ size: 1, inner: {} as never })).toThrow('Subset: inner must have a method build');
  });
});
