/**
 * The key's FNV-1a hash decides, in proportion to the weights.
 *
 * The first candidate is found as in Pingora: hash modulo the sum of weights, on a list in which each backend stands
 * `weight` times (its list is in numerical order of addresses, ours in the order of their text). After a refusal the
 * hash is hashed again and taken modulo what is left, so the fallbacks depend on the key alone and respect the weights.
 */
import type { Backend } from '../backend.ts';
import { Fnv32, Fnv64, type KeyHash } from './fnv.ts';
import { orderInSteps } from './merge-order.ts';
import type { Selection, SelectionFactory, SelectionKey } from './selection.ts';
import { type Steps, stepwiseFactory } from './steps.ts';
import { WeightTree } from './weight-tree.ts';

class HashSelection implements Selection {
  readonly #hash: KeyHash;
  readonly #tree: WeightTree;
  /** Rank among the addresses in order -> position in the given list. */
  readonly #positions: Uint32Array;
  #offered = -1;

  private constructor(backends: readonly Backend[], order: Uint32Array, hash: KeyHash) {
    this.#hash = hash;
    this.#positions = order;
    const weights = new Float64Array(order.length);
    for (let i = 0; i < order.length; i += 1) weights[i] = (backends[order[i] as number] as Backend).weight;
    this.#tree = new WeightTree(weights);
  }

  static *steps(backends: readonly Backend[], hash: KeyHash): Steps<Selection> {
    // By address: processes that see the same backends agree, in whatever order each was told of them.
    const order = yield* orderInSteps(
      backends.length,
      (a, b) => (backends[a] as Backend).address < (backends[b] as Backend).address,
    );
    return new HashSelection(backends, order, hash);
  }

  first(key: SelectionKey): number {
    this.#tree.restore();
    this.#hash.hash(key);
    return this.#offer();
  }

  next(): number {
    if (this.#offered === -1) return -1;
    this.#tree.take(this.#offered);
    this.#hash.rehash();
    return this.#offer();
  }

  #offer(): number {
    const { total } = this.#tree;
    this.#offered = total === 0 ? -1 : this.#tree.find(this.#hash.modulo(total));
    return this.#offered === -1 ? -1 : (this.#positions[this.#offered] as number);
  }
}

/**
 * The same key goes to the same backend, by 64-bit FNV-1a, as Pingora's FNVHash. A change of the set or of a weight
 * moves most keys: `Consistent` moves few.
 */
export const FnvHash: SelectionFactory = stepwiseFactory('FnvHash', (backends) =>
  HashSelection.steps(backends, new Fnv64()),
);

/** As `FnvHash` with 32 bits: a little faster, coarser when the weights add up to millions. */
export const FnvHash32: SelectionFactory = stepwiseFactory('FnvHash32', (backends) =>
  HashSelection.steps(backends, new Fnv32()),
);
