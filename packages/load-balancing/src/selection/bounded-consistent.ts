/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam 2016): a key goes to the first backend clockwise on
 * the ring that would not have more than its share of the uses under way, times 1 + overload.
 *
 * Shares are of those in rotation: a refused backend does not count, neither its weight nor its uses, until it is in use
 * again. Backends that were passed because they have enough follow as last candidates.
 */
import type { KetamaOptions } from '@cirque/ketama';
import type { Backend } from '../backend.ts';
import { RingCandidates } from './ring-candidates.ts';
import type { Selection, SelectionFactory, SelectionKey } from './selection.ts';
import { type Steps, stepwiseFactory, weightsInSteps } from './steps.ts';

/** The bound, and the ring. */
export interface BoundedConsistentOptions extends KetamaOptions {
  /** How much more than its share of the uses under way a backend may have, from 0.01 to 100. Default 0.25, a quarter. */
  readonly overload?: number | undefined;
}

const DEFAULT_OVERLOAD = 0.25;
const MIN_OVERLOAD = 0.01;
const MAX_OVERLOAD = 100;

class BoundedSelection implements Selection {
  readonly #candidates: RingCandidates;
  readonly #weights: Float64Array;
  readonly #overload: number;
  readonly #inFlight: Uint32Array;
  /** 1 for a backend that was refused when it was last offered. */
  readonly #isOut: Uint8Array;
  /** Of those that are not out. */
  #weightSum: number;
  #inFlightSum = 0;
  /** Passed in this choice, and how many of them have been offered after all. */
  readonly #passed: Uint32Array;
  #passedCount = 0;
  #passedOffered = 0;
  #offered = -1;

  private constructor(candidates: RingCandidates, weights: Float64Array, overload: number) {
    this.#candidates = candidates;
    this.#weights = weights;
    this.#overload = overload;
    this.#inFlight = new Uint32Array(weights.length);
    this.#isOut = new Uint8Array(weights.length);
    this.#passed = new Uint32Array(weights.length);
    this.#weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  }

  static *steps(backends: readonly Backend[], overload: number, options: KetamaOptions): Steps<Selection> {
    const candidates = yield* RingCandidates.steps('BoundedConsistent', backends, options);
    return new BoundedSelection(candidates, yield* weightsInSteps(backends), overload);
  }

  first(key: SelectionKey): number {
    this.#passedCount = 0;
    this.#passedOffered = 0;
    this.#candidates.start(key);
    return this.#offer();
  }

  next(): number {
    if (this.#offered === -1) return -1;
    this.#leave(this.#offered);
    return this.#offer();
  }

  onLoad(position: number, inFlight: number): void {
    const before = this.#inFlight[position] as number;
    this.#inFlight[position] = inFlight;
    if (this.#isOut[position] === 0) this.#inFlightSum += inFlight - before;
    else if (inFlight > before) this.#enter(position);
  }

  #offer(): number {
    this.#offered = this.#nextOnRing();
    return this.#offered;
  }

  #nextOnRing(): number {
    for (let position = this.#candidates.next(); position !== -1; position = this.#candidates.next()) {
      if (this.#hasRoom(position)) return position;
      this.#passed[this.#passedCount] = position;
      this.#passedCount += 1;
    }
    if (this.#passedOffered === this.#passedCount) return -1;
    this.#passedOffered += 1;
    return this.#passed[this.#passedOffered - 1] as number;
  }

  /** Whether one use more keeps the bound, of which fractions are rounded up. */
  #hasRoom(position: number): boolean {
    const share = (this.#weights[position] as number) / this.#weightSum;
    const bound = (1 + this.#overload) * (this.#inFlightSum + 1) * share;
    return (this.#inFlight[position] as number) < bound;
  }

  #leave(position: number): void {
    if (this.#isOut[position] === 1) return;
    this.#isOut[position] = 1;
    this.#weightSum -= this.#weights[position] as number;
    this.#inFlightSum -= this.#inFlight[position] as number;
  }

  #enter(position: number): void {
    this.#isOut[position] = 0;
    this.#weightSum += this.#weights[position] as number;
    this.#inFlightSum += this.#inFlight[position] as number;
  }
}

function factoryOf({ overload = DEFAULT_OVERLOAD, ...ring }: BoundedConsistentOptions): SelectionFactory {
  if (!(overload >= MIN_OVERLOAD && overload <= MAX_OVERLOAD)) {
    throw new RangeError(
      `BoundedConsistent: overload must be a number from ${MIN_OVERLOAD} to ${MAX_OVERLOAD}, 0.25 for a quarter more than the share, got ${String(overload)}`,
    );
  }
  return stepwiseFactory('BoundedConsistent', (backends) => BoundedSelection.steps(backends, overload, ring));
}

/** The factory, and how to get other bounds and rings. */
export interface BoundedConsistentFactory extends SelectionFactory {
  /** Throws RangeError for an `overload` that is out of range. */
  with(options: BoundedConsistentOptions): SelectionFactory;
}

/**
 * As `Consistent`, but a popular key spills over to the next backends on the ring instead of overloading its own: nobody has more than
 * 1.25 times its share of the uses under way, rounded up. Uses are those of `pick` and `acquire`; with `select` it is `Consistent`.
 */
export const BoundedConsistent: BoundedConsistentFactory = { ...factoryOf({}), with: factoryOf };
