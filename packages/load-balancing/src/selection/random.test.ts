import { describe, expect, it } from 'vitest';
import { backendsOf, selectionContract } from '../../test/selection.contract.ts';
import { Random } from './random.ts';
import { seededRandom } from './seeded-random.ts';

selectionContract(Random, { shareTolerance: 0.01, draws: true });

describe('Random', () => {
  it('Random.seeded repeats itself for the same seed only', () => {
    const draw = (seed: number): number[] => {
      const selection = Random.seeded(seed).build(backendsOf([1, 2, 3, 4]), undefined);
      return Array.from({ length: 50 }, () => selection.first(''));
    };
    expect(draw(42)).toEqual(draw(42));
    expect(draw(42)).not.toEqual(draw(43));
  });

  it('Random falls back by weight: second choices after a refused first one are in proportion', () => {
    const selection = Random.seeded(7).build(backendsOf([1000, 3, 1]), undefined);
    const counts = [0, 0, 0];
    for (let i = 0; i < 20_000; i += 1) {
      if (selection.first('') !== 0) continue;
      const position = selection.next();
      counts[position] = (counts[position] ?? 0) + 1;
    }
    expect(counts[0]).toBe(0);
    expect((counts[1] ?? 0) / (counts[2] ?? 0)).toBeCloseTo(3, 0);
  });
});

describe('seededRandom', () => {
  it('seededRandom stays within 0 and 1 and fills both halves of its digits', () => {
    const random = seededRandom(1);
    const values = Array.from({ length: 10_000 }, random);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.5, 1);
    const lowDigits = values.map((value) => (value * 2 ** 32) % 1);
    expect(lowDigits.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.5, 1);
  });
});
