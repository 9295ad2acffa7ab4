/**
 * Consistent hashing on nginx's Ketama ring.
 *
 * A key belongs to the first point clockwise of its hash; after a refusal the walk goes on clockwise to the next
 * backend not yet offered. So a backend that fails or leaves gives its keys to its neighbours on the ring and no other
 * key moves. The ring itself is that of @cirque/ketama.
 */
import { type KetamaOptions, KetamaRing, KetamaWalk } from '@cirque/ketama';
import type { Backend } from '../backend.ts';
import type { Selection, SelectionFactory, SelectionKey } from './selection.ts';

/** nginx's number of points per unit of weight, on which agreement with it depends. */
const POINTS_PER_WEIGHT = 160;
/** 16 bytes and a share of the sort each: beyond this, building would stop the process for seconds. */
const MAX_POINTS = 1 << 24;

class RingSelection implements Selection {
  readonly #walk: KetamaWalk;
  readonly #reachable: number;
  /** Number of the choice in which the position was offered. */
  readonly #offeredIn: Float64Array;
  #choice = 0;
  #left = 0;

  constructor(backends: readonly Backend[], options: KetamaOptions) {
    checkSize(backends, options.pointsPerWeight ?? POINTS_PER_WEIGHT);
    const ring = KetamaRing.build(backends, options);
    this.#walk = new KetamaWalk(ring);
    this.#reachable = countReachable(ring);
    this.#offeredIn = new Float64Array(backends.length);
  }

  first(key: SelectionKey): number {
    this.#choice += 1;
    this.#left = this.#reachable;
    this.#walk.start(key);
    return this.next();
  }

  next(): number {
    if (this.#left === 0) return -1;
    let position = this.#walk.next();
    while (this.#offeredIn[position] === this.#choice) position = this.#walk.next();
    this.#offeredIn[position] = this.#choice;
    this.#left -= 1;
    return position;
  }
}

/** Points with equal hashes are dropped, so in theory a backend can be left without any; the walk must not seek it for ever. */
function countReachable(ring: KetamaRing): number {
  const seen = new Set<number>();
  for (let point = 0; point < ring.size; point += 1) seen.add(ring.bucketAt(point));
  return seen.size;
}

function checkSize(backends: readonly Backend[], pointsPerWeight: number): void {
  const sum = backends.reduce((total, backend) => total + backend.weight, 0);
  if (sum * pointsPerWeight <= MAX_POINTS) return;
  throw new RangeError(
    `Consistent: weights that add up to ${sum} need ${sum * pointsPerWeight} points on the ring, more than ${MAX_POINTS}; divide all weights by a common number`,
  );
}

/** The factory, and how to get other rings. */
export interface ConsistentFactory extends SelectionFactory {
  /**
   * A ring with other options: `pointsPerWeight` (default 160), and `ipv6Brackets: true` to agree with an nginx that has
   * IPv6 servers (default false, as in Pingora).
   */
  with(options: KetamaOptions): SelectionFactory;
}

/**
 * The same key goes to the same backend, and few keys move when the set changes. Chooses the very backend that nginx
 * chooses with `hash ... consistent` for the same addresses, weights and key.
 */
export const Consistent: ConsistentFactory = {
  name: 'Consistent',
  build: (backends) => new RingSelection(backends, {}),
  with: (options) => ({ name: 'Consistent', build: (backends) => new RingSelection(backends, options) }),
};
