/**
 * A part of the backends: when hundreds of gateways have hundreds of backends, each needs connections to a few only.
 *
 * Which ones follows from the gateway's seed and the addresses: the `size` highest hashes of both. So gateways choose different
 * ones, each chooses the same again after a restart, and when a backend joins or leaves at most one in the subset is another.
 * Backends outside follow as last candidates, for the case that nobody inside can be used.
 */
import { hostname } from 'node:os';
import type { Backend } from '../backend.ts';
import { AddressHashes } from './address-hashes.ts';
import { checkInner, innerSelection } from './inner-selection.ts';
import { RoundRobin } from './round-robin.ts';
import type { PickOutcome, Selection, SelectionContext, SelectionFactory, SelectionKey } from './selection.ts';
import { STEP_ITEMS, type Steps, stepwiseFactory } from './steps.ts';

/** Which part, and how to choose in it. */
export interface SubsetOptions {
  /** How many backends are used, an integer from 1. */
  readonly size: number;
  /** What distinguishes this gateway from the others. Default the machine's host name. */
  readonly seed?: string | undefined;
  /** The algorithm inside the subset. Default `RoundRobin`. */
  readonly inner?: SelectionFactory | undefined;
}

/** The options with their defaults. */
interface SubsetPlan {
  readonly size: number;
  readonly seed: string;
  readonly inner: SelectionFactory;
}

const OUTSIDE = -1;

class SubsetSelection implements Selection {
  readonly #inner: Selection;
  /** All positions, those in the subset first. */
  readonly #order: Uint32Array;
  /** Place in the subset, or -1. */
  readonly #places: Int32Array;
  readonly #size: number;
  /** The outsider to be offered next; before the insiders have all been offered, 0. */
  #outsider = 0;

  private constructor(inner: Selection, order: Uint32Array, places: Int32Array, size: number) {
    this.#inner = inner;
    this.#order = order;
    this.#places = places;
    this.#size = size;
  }

  static *steps(
    backends: readonly Backend[],
    options: SubsetPlan,
    previous: Selection | undefined,
    context: SelectionContext | undefined,
  ): Steps<Selection> {
    const hashes = yield* AddressHashes.steps(backends, `${options.seed}\n`);
    const order = (yield* hashes.order()).reverse();
    const size = Math.min(options.size, backends.length);
    const places = new Int32Array(backends.length).fill(OUTSIDE);
    const members: Backend[] = [];
    for (let i = 0; i < size; i += 1) {
      if (i % STEP_ITEMS === 0) yield;
      places[order[i] as number] = i;
      members.push(backends[order[i] as number] as Backend);
    }
    const before = previous instanceof SubsetSelection ? previous.#inner : undefined;
    const selection = yield* innerSelection(options.inner, members, before, context);
    return new SubsetSelection(selection, order, places, size);
  }

  first(key: SelectionKey): number {
    this.#outsider = 0;
    return this.#offer(this.#inner.first(key));
  }

  next(): number {
    return this.#outsider === 0 ? this.#offer(this.#inner.next()) : this.#offer(-1);
  }

  onLoad(position: number, inFlight: number): void {
    const place = this.#places[position] as number;
    if (place !== OUTSIDE) this.#inner.onLoad?.(place, inFlight);
  }

  onDone(position: number, outcome: PickOutcome | undefined): void {
    const place = this.#places[position] as number;
    if (place !== OUTSIDE) this.#inner.onDone?.(place, outcome);
  }

  #offer(place: number): number {
    if (place !== -1) return this.#order[place] as number;
    if (this.#outsider === 0) this.#outsider = this.#size;
    if (this.#outsider === this.#order.length) return -1;
    this.#outsider += 1;
    return this.#order[this.#outsider - 1] as number;
  }
}

/** Makes factories: `Subset.of({ size: 20, inner: LeastConnections })`. */
export const Subset: {
  /**
   * Uses `size` of the backends, the same ones each time. Throws RangeError for a size that is no integer from 1, TypeError for an `inner` that
   * is no algorithm.
   */
  of(options: SubsetOptions): SelectionFactory;
} = {
  of: ({ size, seed = hostname(), inner = RoundRobin }) => {
    if (!(Number.isSafeInteger(size) && size >= 1)) {
      throw new RangeError(`Subset: size must be an integer from 1, got ${String(size)}`);
    }
    checkInner('Subset', inner);
    return stepwiseFactory(`Subset of ${inner.name}`, (backends, previous, context) =>
      SubsetSelection.steps(backends, { size, seed, inner }, previous, context),
    );
  },
};
