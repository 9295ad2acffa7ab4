import { describe, expect, it } from 'vitest';
import { keysOf, movesWithout, owners } from '../../test/moved-keys.ts';
import { backendsOf, candidates, selectionContract } from '../../test/selection.contract.ts';
import { Rendezvous } from './rendezvous.ts';

selectionContract(Rendezvous, { shareTolerance: 0.05 });
selectionContract(Rendezvous.with({ flatUpTo: 0 }), { shareTolerance: 0.05 });

const weights = (count: number): number[] => Array.from({ length: count }, (_, i) => 1 + (i % 3));

describe('Rendezvous', () => {
  it('Rendezvous of up to 64 backends moves the keys of the one that leaves, and no other', () => {
    const list = backendsOf(weights(64));
    for (const left of [0, 17, 63]) {
      const { needed, needless } = movesWithout(Rendezvous, list, left, keysOf(20_000));
      expect(needed).toBeGreaterThan(100);
      expect(needless).toBe(0);
    }
  });

  it('Rendezvous of many backends moves at most twice as many keys as it has to', () => {
    const list = backendsOf(weights(1_000));
    let [needed, needless] = [0, 0];
    for (let left = 0; left < 1_000; left += 40) {
      const moves = movesWithout(Rendezvous, list, left, keysOf(10_000));
      needed += moves.needed;
      needless += moves.needless;
    }
    expect(needed).toBeGreaterThan(150);
    expect(needless / needed).toBeLessThan(1.6);
  });

  it.each([64, 1_000])('Rendezvous of %i backends falls back as if the refused ones were not in the list', (count) => {
    const list = backendsOf(weights(count));
    const selection = Rendezvous.with({ flatUpTo: 64 }).build(list, undefined);
    for (const key of keysOf(60)) {
      const [first = -1, second = -1] = [selection.first(key), selection.next()];
      const without = list.toSpliced(first, 1);
      // 63 would be flat as 64 are.
      const rest = Rendezvous.with({ flatUpTo: count === 64 ? 64 : 0 }).build(without, undefined);
      expect(without[rest.first(key)]?.address).toBe(list[second]?.address);
    }
  });

  it('Rendezvous moves keys only towards a backend whose weight grows', () => {
    const before = backendsOf([3, 3, 3, 3]);
    const after = backendsOf([3, 3, 9, 3]);
    const [one, other] = [owners(Rendezvous, before, keysOf(3_000)), owners(Rendezvous, after, keysOf(3_000))];
    const moved = other.filter((owner, i) => owner !== one[i]);
    expect(new Set(moved)).toEqual(new Set([after[2]?.address]));
  });

  it.each([5, 500])('Rendezvous of %i backends does not depend on their order', (count) => {
    const forward = backendsOf(weights(count));
    const backward = forward.toReversed();
    expect(owners(Rendezvous, backward, keysOf(500))).toEqual(owners(Rendezvous, forward, keysOf(500)));
    const [a, b] = [Rendezvous.build(forward, undefined), Rendezvous.build(backward, undefined)];
    const order = (list: typeof forward, found: readonly number[]): (string | undefined)[] =>
      found.map((position) => list[position]?.address);
    expect(order(backward, candidates(b, 'key', count))).toEqual(order(forward, candidates(a, 'key', count)));
  });

  it('Rendezvous.with refuses a flatUpTo out of range', () => {
    for (const flatUpTo of [-1, 1.5, 5_000]) {
      expect(() => Rendezvous.with({ flatUpTo })).toThrow(
        `Rendezvous: flatUpTo must be an integer from 0 to 4096, got ${flatUpTo}`,
      );
    }
  });
});
