/**
 * The better one of two: draws two backends at random, by weight, and offers the one that is less busy.
 *
 * That is nearly as even as looking at all of them (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing",
 * 1996), and keeps many gateways from running after the same idle backend at once. When a candidate is refused, the other
 * one meets a newly drawn one: there is a choice of two among those in rotation, too. What "busy" means is the subclass's
 * business.
 */
import type { SeededIntegers } from './seeded-random.ts';
import type { Selection } from './selection.ts';
import { WeightTree } from './weight-tree.ts';

/** O(log n) for each candidate. */
export abstract class TwoChoices implements Selection {
  readonly #weights: Float64Array;
  readonly #tree: WeightTree;
  readonly #random: SeededIntegers;
  #offered = -1;
  /** The one that lost against `offered`; -1 when there is no other. */
  #second = -1;

  protected constructor(weights: Float64Array, random: SeededIntegers) {
    this.#weights = weights;
    this.#tree = new WeightTree(weights);
    this.#random = random;
  }

  /** Whether the first position is less busy than the second. */
  protected abstract isBetter(position: number, than: number): boolean;

  first(): number {
    const tree = this.#tree;
    tree.restore();
    return tree.total === 0 ? -1 : this.#challenge(tree.find(this.#random.below(tree.total)));
  }

  next(): number {
    if (this.#offered === -1) return -1;
    this.#tree.take(this.#offered);
    if (this.#second !== -1) return this.#challenge(this.#second);
    this.#offered = -1;
    return -1;
  }

  /** Offers the position or one that is drawn among the others, whichever is better. */
  #challenge(position: number): number {
    const others = this.#tree.total - (this.#weights[position] as number);
    const drawn = others === 0 ? -1 : this.#tree.findOther(position, this.#random.below(others));
    const drawnWins = drawn !== -1 && this.isBetter(drawn, position);
    this.#offered = drawnWins ? drawn : position;
    this.#second = drawnWins ? position : drawn;
    return this.#offered;
  }
}
