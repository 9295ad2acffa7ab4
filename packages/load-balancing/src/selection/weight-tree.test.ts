import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WeightTree } from './weight-tree.ts';

/** Whose stretch of the line a point lies in, the slow way. */
function findSlowly(weights: readonly number[], taken: ReadonlySet<number>, point: number): number {
  let left = point;
  for (const [i, weight] of weights.entries()) {
    if (taken.has(i)) continue;
    if (left < weight) return i;
    left -= weight;
  }
  return -1;
}

describe('WeightTree', () => {
  it('WeightTree finds what a walk along the line finds, with any stretches taken', () => {
    const weightLists = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 70 });
    fc.assert(
      fc.property(
        weightLists,
        fc.array(fc.tuple(fc.nat(), fc.double({ min: 0, max: 0.999_999, noNaN: true }))),
        (weights, steps) => {
          const tree = new WeightTree(Float64Array.from(weights));
          const taken = new Set<number>();
          for (const [pick, part] of steps) {
            const sum = weights.reduce((total, weight, i) => (taken.has(i) ? total : total + weight), 0);
            expect(tree.total).toBe(sum);
            if (sum > 0) {
              const point = Math.floor(part * sum);
              expect(tree.find(point)).toBe(findSlowly(weights, taken, point));
            }
            const other = pick % weights.length;
            const others = sum - (weights[other] ?? 0);
            if (!taken.has(other) && others > 0) {
              const point = Math.floor(part * others);
              expect(tree.findOther(other, point)).toBe(findSlowly(weights, new Set([...taken, other]), point));
            }
            const victim = pick % weights.length;
            if (taken.has(victim)) {
              tree.restore();
              taken.clear();
            } else {
              tree.take(victim);
              taken.add(victim);
            }
          }
        },
      ),
    );
  });

  it('WeightTree of nothing has nothing to find', () => {
    expect(new WeightTree(new Float64Array(0)).total).toBe(0);
  });
});
