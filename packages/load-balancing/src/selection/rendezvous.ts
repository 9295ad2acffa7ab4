/**
 * Rendezvous hashing (highest random weight, Thaler and Ravishankar 1996): for each key every backend draws a number
 * from the hash of both, and the best one in relation to the weights wins.
 */
import type { Backend } from '../backend.ts';
import { AddressHashes } from './address-hashes.ts';
import { Fnv64 } from './fnv.ts';
import { RendezvousTree } from './rendezvous-tree.ts';
import type { Selection, SelectionFactory, SelectionKey } from './selection.ts';
import { type Steps, stepwiseFactory, weightsInSteps } from './steps.ts';

/** Where `Rendezvous` changes from asking everyone to a tree. */
export interface RendezvousOptions {
  /**
   * Up to so many backends all are asked, and no key moves without need; beyond that a tree of groups is descended. An integer from
   * 0 to 4,096, default 64. A set that grows or shrinks across this number is dealt out anew: choose 0 or a number that it
   * never comes near.
   */
  readonly flatUpTo?: number | undefined;
}

const DEFAULT_FLAT_UP_TO = 64;
const MAX_FLAT = 4_096;

class RendezvousSelection implements Selection {
  readonly #hash = new Fnv64();
  readonly #tree: RendezvousTree;
  #offered = -1;

  private constructor(tree: RendezvousTree) {
    this.#tree = tree;
  }

  static *steps(backends: readonly Backend[], flatUpTo: number): Steps<Selection> {
    const hashes = yield* AddressHashes.steps(backends, '');
    return new RendezvousSelection(yield* RendezvousTree.steps(yield* weightsInSteps(backends), hashes, flatUpTo));
  }

  first(key: SelectionKey): number {
    this.#tree.restore();
    this.#hash.hash(key);
    return this.#offer();
  }

  next(): number {
    if (this.#offered === -1) return -1;
    this.#tree.take(this.#offered);
    return this.#offer();
  }

  #offer(): number {
    this.#offered = this.#tree.find(this.#hash.high | 0, this.#hash.low | 0);
    return this.#offered;
  }
}

function factoryOf({ flatUpTo = DEFAULT_FLAT_UP_TO }: RendezvousOptions): SelectionFactory {
  if (!(Number.isInteger(flatUpTo) && flatUpTo >= 0 && flatUpTo <= MAX_FLAT)) {
    throw new RangeError(`Rendezvous: flatUpTo must be an integer from 0 to ${MAX_FLAT}, got ${String(flatUpTo)}`);
  }
  return stepwiseFactory('Rendezvous', (backends) => RendezvousSelection.steps(backends, flatUpTo));
}

/** The factory, and how to get one with other limits. */
export interface RendezvousFactory extends SelectionFactory {
  /** Throws RangeError for a `flatUpTo` that is out of range. */
  with(options: RendezvousOptions): SelectionFactory;
}

/**
 * The same key goes to the same backend, in exact proportion to the weights, without a table.
 *
 * Up to 64 backends only the keys of a backend that leaves or is refused move, and only to the one that joins; O(n). Beyond that
 * O(log n), and up to as many times that number of keys as the tree is deep, which is two for a thousand backends and three for
 * a hundred thousand; after a refusal still no other key moves.
 */
export const Rendezvous: RendezvousFactory = { ...factoryOf({}), with: factoryOf };
