/**
 * The backends of a ring in the order in which a key falls back on them, each one once.
 */
import { type KetamaOptions, KetamaRing, KetamaWalk } from '@cirque/ketama';
import type { Backend } from '../backend.ts';
import type { SelectionKey } from './selection.ts';
import { STEP_ITEMS, type Steps } from './steps.ts';

/** nginx's number of points per unit of weight, on which agreement with it depends. */
const POINTS_PER_WEIGHT = 160;
/** Eight bytes each. 100,000 backends of weights that are 4 on average fit. */
const MAX_POINTS = 1 << 26;

/** Walks clockwise from a key's place. Keeps one walk, so nothing is allocated. */
export class RingCandidates {
  readonly #walk: KetamaWalk;
  readonly #reachable: number;
  /** Number of the choice in which the position was offered. */
  readonly #offeredIn: Float64Array;
  #choice = 0;
  #left = 0;

  private constructor(ring: KetamaRing, count: number) {
    this.#walk = new KetamaWalk(ring);
    this.#reachable = ring.reachable;
    this.#offeredIn = new Float64Array(count);
  }

  /** Builds the ring. Throws RangeError, with the algorithm's name, for weights that make a ring of absurd size. */
  static *steps(name: string, backends: readonly Backend[], options: KetamaOptions): Steps<RingCandidates> {
    yield* checkSize(name, backends, options.pointsPerWeight ?? POINTS_PER_WEIGHT);
    return new RingCandidates(yield* KetamaRing.buildInSteps(backends, options), backends.length);
  }

  /** Goes to the key's place. */
  start(key: SelectionKey): void {
    this.#choice += 1;
    this.#left = this.#reachable;
    this.#walk.start(key);
  }

  /** The next backend clockwise that has not come up since `start`; -1 when all have. */
  next(): number {
    if (this.#left === 0) return -1;
    let position = this.#walk.next();
    while (this.#offeredIn[position] === this.#choice) position = this.#walk.next();
    this.#offeredIn[position] = this.#choice;
    this.#left -= 1;
    return position;
  }
}

function* checkSize(name: string, backends: readonly Backend[], pointsPerWeight: number): Steps<void> {
  let sum = 0;
  for (let i = 0; i < backends.length; i += 1) {
    if (i % STEP_ITEMS === 0) yield;
    sum += (backends[i] as Backend).weight;
  }
  if (sum * pointsPerWeight <= MAX_POINTS) return;
  throw new RangeError(
    `${name}: weights that add up to ${sum} need ${sum * pointsPerWeight} points on the ring, more than ${MAX_POINTS}; divide all weights by a common number`,
  );
}
