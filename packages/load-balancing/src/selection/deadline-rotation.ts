/**
 * Turns among many backends of different weights: earliest deadline first among those whose turn has begun.
 *
 * Time is counted in choices; `sum` is the sum of all weights. The k-th turn of a backend of weight w begins at
 * k * sum / w and is due at (k + 1) * sum / w. Taking, of the turns that have begun, the one that is due first is
 * known from packet scheduling as worst-case fair weighted fair queueing (WF2Q+, Bennett and Zhang 1996): at no
 * moment is a backend more than one turn ahead of or behind its exact share, which nginx's greedy rule does not bound.
 *
 * A begin is kept as whole choices plus rest / w, in integers: nothing is rounded, however long it runs.
 * Invariant between choices: every position is in exactly one of waiting, begun and the taken ones.
 */
import { IndexHeap } from './index-heap.ts';
import type { Selection } from './selection.ts';
import { spread } from './spread.ts';
import { STEP_ITEMS, type Steps } from './steps.ts';

/** After so many refusals in one choice candidates come from anywhere among those whose turn has begun. */
const MAX_IN_ORDER = 32;

/** O(log n) for each candidate. */
export class DeadlineRotation implements Selection {
  readonly #weights: Float64Array;
  readonly #sum: number;
  /** Begin of each backend's next turn: whole + rest / weight. */
  readonly #whole: Float64Array;
  readonly #rest: Float64Array;
  /** First whole choice at or after the begin: the key of `waiting`. */
  readonly #begins: Float64Array;
  /** End of the turn: the key of `begun`. */
  readonly #due: Float64Array;
  readonly #waiting: IndexHeap;
  readonly #begun: IndexHeap;
  /** Offered in this choice, and put back when the next one starts. */
  readonly #taken: Uint32Array;
  #takenCount = 0;
  #now = 0;

  private constructor(weights: Float64Array) {
    const { length } = weights;
    this.#weights = weights;
    this.#sum = weights.reduce((sum, weight) => sum + weight, 0);
    this.#whole = new Float64Array(length);
    this.#rest = new Float64Array(length);
    this.#begins = new Float64Array(length);
    this.#due = new Float64Array(length);
    this.#waiting = new IndexHeap(this.#begins);
    this.#begun = new IndexHeap(this.#due);
    this.#taken = new Uint32Array(length);
  }

  static *steps(weights: Float64Array): Steps<DeadlineRotation> {
    const rotation = new DeadlineRotation(weights);
    for (let i = 0; i < weights.length; i += 1) {
      if (i % STEP_ITEMS === 0) yield;
      rotation.#enqueue(i);
    }
    return rotation;
  }

  first(): number {
    while (this.#takenCount > 0) {
      this.#takenCount -= 1;
      this.#putBack(this.#taken[this.#takenCount] as number);
    }
    return this.next();
  }

  next(): number {
    const waiting = this.#waiting;
    const begun = this.#begun;
    if (begun.size + waiting.size === 0) return -1;
    // Only when backends were refused can nobody's turn have begun. Time then jumps: shares stay in proportion.
    if (begun.size === 0) this.#now = Math.max(this.#now, this.#begins[waiting.peek()] as number);
    while (waiting.size > 0 && (this.#begins[waiting.peek()] as number) <= this.#now) begun.push(waiting.pop());
    const position = this.#takenCount < MAX_IN_ORDER ? begun.peek() : begun.at(spread(this.#now, begun.size));
    begun.remove(position);
    this.#taken[this.#takenCount] = position;
    this.#takenCount += 1;
    this.#now += 1;
    this.#endTurn(position);
    return position;
  }

  /** Moves the backend's begin one turn on, that is by sum / weight. */
  #endTurn(position: number): void {
    const weight = this.#weights[position] as number;
    const rest = (this.#rest[position] as number) + (this.#sum % weight);
    const carry = rest >= weight ? 1 : 0;
    this.#rest[position] = rest - carry * weight;
    this.#whole[position] = (this.#whole[position] as number) + Math.floor(this.#sum / weight) + carry;
  }

  /** A backend that missed its turns, because it kept being refused, does not get them back later. */
  #putBack(position: number): void {
    const turn = this.#sum / (this.#weights[position] as number);
    if ((this.#whole[position] as number) < this.#now - turn) {
      this.#whole[position] = this.#now;
      this.#rest[position] = 0;
    }
    this.#enqueue(position);
  }

  #enqueue(position: number): void {
    const weight = this.#weights[position] as number;
    const whole = this.#whole[position] as number;
    const rest = this.#rest[position] as number;
    this.#begins[position] = rest > 0 ? whole + 1 : whole;
    // Whole part and fraction apart, so that equal ends are equal numbers.
    this.#due[position] = whole + Math.floor((rest + this.#sum) / weight) + ((rest + this.#sum) % weight) / weight;
    if ((this.#begins[position] as number) <= this.#now) this.#begun.push(position);
    else this.#waiting.push(position);
  }
}
