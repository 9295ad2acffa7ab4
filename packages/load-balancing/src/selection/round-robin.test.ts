import { describe, expect, it } from 'vitest';
import { backendsOf, candidates, selectionContract } from '../../test/selection.contract.ts';
import { RoundRobin } from './round-robin.ts';

selectionContract(RoundRobin, { shareTolerance: 0 });

const sequence = (weights: readonly number[], length: number): number[] => {
  const selection = RoundRobin.build(backendsOf(weights), undefined);
  return Array.from({ length }, () => selection.first(''));
};

describe('RoundRobin', () => {
  it('RoundRobin goes round in the order of the list when weights are equal', () => {
    expect(sequence([1, 1, 1], 7)).toEqual([0, 1, 2, 0, 1, 2, 0]);
    expect(sequence([9, 9], 4)).toEqual([0, 1, 0, 1]);
  });

  it('RoundRobin spreads 5, 1, 1 as nginx does', () => {
    expect(
      sequence([5, 1, 1], 7)
        .map((position) => 'abc'[position])
        .join(''),
    ).toBe('aabacaa');
  });

  it('RoundRobin gives everyone exactly his weight in each full turn, for 65 different weights too', () => {
    const weights = Array.from({ length: 65 }, (_, i) => i + 1);
    const turn = (65 * 66) / 2;
    const picks = sequence(weights, 3 * turn);
    for (let start = 0; start < 3 * turn; start += turn) {
      const counts = new Array<number>(65).fill(0);
      for (const position of picks.slice(start, start + turn)) counts[position] = (counts[position] ?? 0) + 1;
      expect(counts).toEqual(weights);
    }
  });

  it('RoundRobin shares a dead backend’s turns evenly, not all with the one behind it', () => {
    const selection = RoundRobin.build(backendsOf([1, 1, 1, 1]), undefined);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 300; i += 1) {
      let position = selection.first('');
      if (position === 1) position = selection.next();
      counts[position] = (counts[position] ?? 0) + 1;
    }
    expect(counts).toEqual([100, 0, 100, 100]);
  });

  it('RoundRobin does not flood a backend that comes back after a long time', () => {
    for (const extra of [0, 65]) {
      const weights = [1000, 3, 2, 1, ...Array.from({ length: extra }, (_, i) => 4 + i)];
      const selection = RoundRobin.build(backendsOf(weights), undefined);
      const pick = (refused: number): number => {
        const position = selection.first('');
        return position === refused ? selection.next() : position;
      };
      for (let i = 0; i < 10_000; i += 1) expect(pick(0)).not.toBe(0);
      const sum = weights.reduce((total, weight) => total + weight, 0);
      const after = Array.from({ length: sum }, () => pick(-1)).filter((position) => position === 0).length;
      expect(Math.abs(after - 1000)).toBeLessThanOrEqual(2);
    }
  });

  it('RoundRobin offers candidates in the order of their turns', () => {
    const selection = RoundRobin.build(backendsOf([1, 1, 1, 1, 1]), undefined);
    expect(candidates(selection, '', 5)).toEqual([0, 1, 2, 3, 4]);
    selection.first('');
    expect(candidates(selection, '', 5)).toEqual([1, 2, 3, 4, 0]);
  });

  it('RoundRobin finds the living behind hundreds of dead neighbours, and goes on evenly', () => {
    for (const weightOf of [() => 1, (i: number) => 1 + (i % 2)]) {
      const selection = RoundRobin.build(backendsOf(Array.from({ length: 600 }, (_, i) => weightOf(i))), undefined);
      const counts = new Array<number>(600).fill(0);
      for (let i = 0; i < 10_000; i += 1) {
        let position = selection.first('');
        let refusals = 0;
        for (; position < 500; position = selection.next()) refusals += 1;
        expect(refusals).toBeLessThan(200);
        counts[position] = (counts[position] ?? 0) + 1;
      }
      const perWeight = counts.slice(500).map((count, i) => count / weightOf(500 + i));
      expect(Math.max(...perWeight) / Math.min(...perWeight)).toBeLessThan(1.5);
    }
  });
});
