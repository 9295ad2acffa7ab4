/**
 * Least connections: the backend with the fewest uses under way in relation to its weight.
 *
 * All backends are in a heap ordered by (uses + 1) / weight, equals by who was offered longest ago, so that equal loads
 * take turns. A refused candidate leaves the heap for a queue and comes back later: one that is out of rotation is idle, and
 * would else be the first candidate of every choice, together with all others that are out.
 */
import type { Backend } from '../backend.ts';
import { IndexHeap } from './index-heap.ts';
import { RefusedQueue } from './refused-queue.ts';
import type { Selection, SelectionFactory } from './selection.ts';
import { spread } from './spread.ts';
import { STEP_ITEMS, type Steps, stepwiseFactory, weightsInSteps } from './steps.ts';

/** After so many refusals in one choice candidates come from anywhere: many backends have just left the rotation together. */
const MAX_IN_ORDER = 16;

class LeastConnectionsSelection implements Selection {
  readonly #weights: Float64Array;
  /** (uses + 1) / weight. */
  readonly #loads: Float64Array;
  /** Number of the offer in which the position was last offered. */
  readonly #offeredAt: Float64Array;
  readonly #heap: IndexHeap;
  readonly #refused: RefusedQueue;
  #offers = 0;
  #offered = -1;
  /** Refusals in this choice. */
  #refusals = 0;
  /** How many at the head of the queue were refused in earlier choices, and how many of those have been offered in this one. */
  #queued = 0;
  #queuedOffered = 0;

  private constructor(weights: Float64Array) {
    this.#weights = weights;
    this.#loads = new Float64Array(weights.length);
    this.#offeredAt = new Float64Array(weights.length);
    this.#heap = new IndexHeap(this.#loads, this.#offeredAt);
    this.#refused = new RefusedQueue(weights.length);
  }

  static *steps(backends: readonly Backend[]): Steps<Selection> {
    const selection = new LeastConnectionsSelection(yield* weightsInSteps(backends));
    for (let i = 0; i < backends.length; i += 1) {
      if (i % STEP_ITEMS === 0) yield;
      selection.#loads[i] = 1 / (selection.#weights[i] as number);
      selection.#heap.push(i);
    }
    return selection;
  }

  first(): number {
    this.#putBack(1 + (this.#refusals >> 2));
    this.#refusals = 0;
    this.#queued = this.#refused.size;
    this.#queuedOffered = 0;
    return this.#offer();
  }

  next(): number {
    const offered = this.#offered;
    if (offered === -1) return -1;
    if (this.#heap.has(offered)) {
      this.#heap.remove(offered);
      this.#refused.push(offered);
      this.#refusals += 1;
    }
    return this.#offer();
  }

  onLoad(position: number, inFlight: number): void {
    this.#loads[position] = (inFlight + 1) / (this.#weights[position] as number);
    if (this.#heap.has(position)) this.#heap.update(position);
  }

  /** One, and after a choice with many refusals a quarter of them: a crowd that is out of rotation does not come back all at once. */
  #putBack(count: number): void {
    for (let left = Math.min(count, this.#refused.size); left > 0; left -= 1) this.#heap.push(this.#refused.shift());
  }

  #offer(): number {
    this.#offered = this.#heap.size > 0 ? this.#offerFromHeap() : this.#offerFromQueue();
    return this.#offered;
  }

  #offerFromHeap(): number {
    const heap = this.#heap;
    this.#offers += 1;
    const position = this.#refusals < MAX_IN_ORDER ? heap.peek() : heap.at(spread(this.#offers, heap.size));
    this.#offeredAt[position] = this.#offers;
    heap.update(position);
    return position;
  }

  #offerFromQueue(): number {
    if (this.#queuedOffered === this.#queued) return -1;
    this.#queuedOffered += 1;
    return this.#refused.at(this.#queuedOffered - 1);
  }
}

/**
 * The backend with the smallest (uses under way + 1) / weight; equal ones take turns; the key is ignored. For requests and
 * connections of very different length. Uses are those of `pick` and `acquire`: with `select`, which counts nothing,
 * all are idle, and the heaviest backends take turns. O(log n).
 */
export const LeastConnections: SelectionFactory = stepwiseFactory('LeastConnections', (backends) =>
  LeastConnectionsSelection.steps(backends),
);
