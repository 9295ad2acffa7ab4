/**
 * Turns among a few backends of different weights: nginx's smooth weighted round robin.
 *
 * At each choice every backend's credit grows by its weight; the highest credit wins (the first of equals) and pays
 * the sum of the weights. A refused candidate counts as absent from this choice, as a server that is down does in
 * nginx: it gets its payment back, its credit does not grow, and the next one's payment is less by its weight.
 */
import type { Selection } from './selection.ts';

/** O(n) for each candidate, so meant for short lists. */
export class SmoothRotation implements Selection {
  readonly #weights: Float64Array;
  readonly #credits: Float64Array;
  readonly #sum: number;
  /** Number of the choice in which the position was refused. */
  readonly #refusedIn: Float64Array;
  #choice = 0;
  /** Sum of the weights that take part in this choice. */
  #stake = 0;
  #offered = -1;

  constructor(weights: Float64Array) {
    this.#weights = weights;
    this.#credits = new Float64Array(weights.length);
    this.#refusedIn = new Float64Array(weights.length);
    this.#sum = weights.reduce((sum, weight) => sum + weight, 0);
  }

  first(): number {
    const { length } = this.#weights;
    for (let i = 0; i < length; i += 1) {
      this.#credits[i] = (this.#credits[i] as number) + (this.#weights[i] as number);
    }
    this.#choice += 1;
    this.#stake = this.#sum;
    return this.#offerRichest();
  }

  next(): number {
    const refused = this.#offered;
    if (refused === -1) return -1;
    const weight = this.#weights[refused] as number;
    this.#credits[refused] = (this.#credits[refused] as number) + this.#stake - weight;
    this.#refusedIn[refused] = this.#choice;
    this.#stake -= weight;
    return this.#offerRichest();
  }

  #offerRichest(): number {
    const credits = this.#credits;
    let best = -1;
    for (let i = 0; i < credits.length; i += 1) {
      if (this.#refusedIn[i] === this.#choice) continue;
      if (best === -1 || (credits[i] as number) > (credits[best] as number)) best = i;
    }
    if (best !== -1) credits[best] = (credits[best] as number) - this.#stake;
    this.#offered = best;
    return best;
  }
}
