import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressWeights, type WeightedTarget } from './srv-weights.ts';

describe('addressWeights', () => {
  it.each<[string, [weight: number, addresses: number][], number[]]>([
    [
      'small numbers',
      [
        [1, 1],
        [2, 1],
      ],
      [1, 2],
    ],
    [
      'numbers with a common part',
      [
        [60, 1],
        [20, 1],
        [20, 1],
      ],
      [3, 1, 1],
    ],
    [
      'the largest numbers',
      [
        [65_535, 1],
        [65_535, 1],
      ],
      [1, 1],
    ],
    [
      'numbers far apart',
      [
        [65_535, 1],
        [1, 1],
      ],
      [1_000, 1],
    ],
    [
      'only zeros: all alike',
      [
        [0, 1],
        [0, 1],
      ],
      [1, 1],
    ],
    [
      'a zero among others: a very small chance',
      [
        [0, 1],
        [1, 1],
      ],
      [1, 100],
    ],
    [
      'a zero beside large ones',
      [
        [0, 1],
        [50, 1],
        [100, 1],
      ],
      [1, 100, 200],
    ],
    [
      'several addresses: they share the weight',
      [
        [60, 2],
        [20, 1],
      ],
      [3, 2],
    ],
    [
      'several addresses of several targets',
      [
        [1, 3],
        [1, 1],
        [1, 7],
      ],
      [7, 21, 3],
    ],
    ['one', [[0, 4]], [1]],
    ['none', [], []],
  ])('addressWeights of %s', (_, targets, weights) => {
    expect(addressWeights(targets.map(([weight, addresses]) => ({ weight, addresses })))).toEqual(weights);
  });

  it('addressWeights keeps shares to a thousandth of the largest weight', () => {
    const target = fc.record({
      weight: fc.integer({ min: 1, max: 65_535 }),
      addresses: fc.integer({ min: 1, max: 6 }),
    });
    fc.assert(
      fc.property(fc.array(target, { minLength: 1, maxLength: 12 }), (targets: WeightedTarget[]) => {
        const weights = addressWeights(targets);
        const shares = targets.map(({ weight, addresses }) => weight / addresses);
        const [most, largest] = [Math.max(...shares), Math.max(...weights)];
        for (const [index, weight] of weights.entries()) {
          expect(Number.isInteger(weight) && weight >= 1 && weight <= 1_000).toBe(true);
          const share = (shares[index] as number) / most;
          expect(Math.abs(weight / largest - share)).toBeLessThanOrEqual(0.001);
        }
      }),
    );
  });
});
