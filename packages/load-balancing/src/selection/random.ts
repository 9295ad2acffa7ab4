/**
 * Random choice in proportion to the weights.
 *
 * After a refusal it draws among the others, again by weight: sampling without replacement, so a heavy backend that
 * is down costs one extra draw and not many.
 */
import type { Backend } from '../backend.ts';
import { SeededIntegers } from './seeded-random.ts';
import type { Selection, SelectionFactory } from './selection.ts';
import { weightsOf } from './steps.ts';
import { WeightTree } from './weight-tree.ts';

class RandomSelection implements Selection {
  readonly #tree: WeightTree;
  readonly #random: SeededIntegers;
  #offered = -1;

  constructor(backends: readonly Backend[], seed: number) {
    this.#tree = new WeightTree(weightsOf(backends));
    this.#random = new SeededIntegers(seed);
  }

  first(): number {
    this.#tree.restore();
    return this.#draw();
  }

  next(): number {
    if (this.#offered === -1) return -1;
    this.#tree.take(this.#offered);
    return this.#draw();
  }

  #draw(): number {
    const { total } = this.#tree;
    this.#offered = total === 0 ? -1 : this.#tree.find(this.#random.below(total));
    return this.#offered;
  }
}

/** The factory, and how to get a repeatable one. */
export interface RandomFactory extends SelectionFactory {
  /** The same choices for the same seed (any integer) and backends, for tests and simulations. */
  seeded(seed: number): SelectionFactory;
}

/** Weighted random choice; the key is ignored. `Random.seeded(42)` repeats itself. */
export const Random: RandomFactory = {
  name: 'Random',
  build: (backends, _previous, context) =>
    new RandomSelection(backends, (context?.random ?? Math.random)() * 0x100000000),
  seeded: (seed) => ({ name: 'Random', build: (backends) => new RandomSelection(backends, seed) }),
};
