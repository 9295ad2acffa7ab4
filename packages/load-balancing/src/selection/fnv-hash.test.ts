import { describe, expect, it } from 'vitest';
import { backendsOf, candidates, selectionContract } from '../../test/selection.contract.ts';
import { Backend } from '../backend.ts';
import { Fnv64 } from './fnv.ts';
import { FnvHash, FnvHash32 } from './fnv-hash.ts';

selectionContract(FnvHash, { shareTolerance: 0.05 });
selectionContract(FnvHash32, { shareTolerance: 0.05 });

describe('FnvHash', () => {
  it('FnvHash takes the hash modulo the sum of weights on the list with each backend weight times', () => {
    const weights = [2, 1, 4];
    const expanded = [0, 0, 1, 2, 2, 2, 2];
    const selection = FnvHash.build(backendsOf(weights), undefined);
    const hash = new Fnv64();
    for (let i = 0; i < 200; i += 1) {
      hash.hash(`key ${i}`);
      expect(selection.first(`key ${i}`)).toBe(expanded[hash.modulo(7)]);
    }
  });

  it('FnvHash does not depend on the order of the list', () => {
    const forward = backendsOf([1, 2, 3, 4, 5]);
    const backward = forward.toReversed();
    const a = FnvHash.build(forward, undefined);
    const b = FnvHash.build(backward, undefined);
    for (let i = 0; i < 100; i += 1) {
      const byA = candidates(a, `key ${i}`, 5).map((position) => forward[position]?.address);
      const byB = candidates(b, `key ${i}`, 5).map((position) => backward[position]?.address);
      expect(byB).toEqual(byA);
    }
  });

  it('FnvHash gives the same key the same order of fallbacks every time', () => {
    const selection = FnvHash.build([...backendsOf([1, 2, 3]), Backend.parse('unix:/run/x.sock')], undefined);
    const first = candidates(selection, 'key', 4);
    selection.first('another');
    selection.next();
    expect(candidates(selection, 'key', 4)).toEqual(first);
  });
});
