/**
 * The better one of two: draws two backends at random, by weight, and offers the one that is less busy.
 *
 * That is nearly as even as looking at all of them (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing",
 * 1996), and keeps many gateways from running after the same idle backend at once. When a candidate is refused, the other
 * one meets a newly drawn one: there is a choice of two among those in rotation, too. What "busy" means is the subclass's
 * business.
 */
import type { Selection } from './selection.ts';
import { WeightTree } from './weight-tree.ts';

/** Up to here a point is passed on as an integer, which needs no object on the heap. */
const MAX_INT32 = 0x7fffffff;

/** O(log n) for each candidate. */
export abstract class TwoChoices implements Selection {
  readonly #weights: Float64Array;
  readonly #tree: WeightTree;
  readonly #random: () => number;
  #offered = -1;
  /** The one that lost against `offered`; -1 when there is no other. */
  #second = -1;

  protected constructor(weights: Float64Array, random: () => number) {
    this.#weights = weights;
    this.#tree = new WeightTree(weights);
    this.#random = random;
  }

  /** Whether the first position is less busy than the second. */
  protected abstract isBetter(position: number, than: number): boolean;

  first(): number {
    const tree = this.#tree;
    tree.restore();
    return tree.total === 0 ? -1 : this.#challenge(tree.find(this.#pointBelow(tree.total)));
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
    const drawn = others === 0 ? -1 : this.#tree.findOther(position, this.#pointBelow(others));
    const drawnWins = drawn !== -1 && this.isBetter(drawn, position);
    this.#offered = drawnWins ? drawn : position;
    this.#second = drawnWins ? position : drawn;
    return this.#offered;
  }

  #pointBelow(end: number): number {
    const point = this.#random() * end;
    return end <= MAX_INT32 ? point | 0 : Math.floor(point);
  }
}
