/**
 * Power of two choices by uses under way: of two backends drawn by weight the one with fewer in relation to its weight.
 */
import type { Backend } from '../backend.ts';
import { SeededIntegers } from './seeded-random.ts';
import type { Selection, SelectionFactory } from './selection.ts';
import { weightsOf } from './steps.ts';
import { TwoChoices } from './two-choices.ts';

class PowerOfTwoSelection extends TwoChoices {
  /** Uses under way / weight. */
  readonly #loads: Float64Array;
  readonly #weights: Float64Array;

  constructor(weights: Float64Array, random: SeededIntegers) {
    super(weights, random);
    this.#weights = weights;
    this.#loads = new Float64Array(weights.length);
  }

  onLoad(position: number, inFlight: number): void {
    this.#loads[position] = inFlight / (this.#weights[position] as number);
  }

  protected override isBetter(position: number, than: number): boolean {
    return (this.#loads[position] as number) < (this.#loads[than] as number);
  }
}

/**
 * Draws two backends by weight and takes the one with fewer uses under way in relation to its weight, the first one if
 * they are equal; the key is ignored. Nearly as even as `LeastConnections`, and better when many gateways share the
 * backends, because no two of them run after the same idle one. Uses are those of `pick` and `acquire`; with `select` it is
 * `Random`. O(log n).
 */
export const PowerOfTwoChoices: SelectionFactory = {
  name: 'PowerOfTwoChoices',
  build: (backends: readonly Backend[], _previous: Selection | undefined, context) =>
    new PowerOfTwoSelection(weightsOf(backends), new SeededIntegers((context?.random ?? Math.random)() * 0x100000000)),
};
