/**
 * Hashes of addresses and of pairs, for algorithms in which each backend has an opinion on each key.
 *
 * FNV alone leaves similar addresses with similar hashes; the finalizer of MurmurHash3 (Appleby, public domain) makes every bit
 * depend on every other one. All processes compute the same, whatever the order of their lists.
 */
import type { Backend } from '../backend.ts';
import { Fnv64 } from './fnv.ts';
import { orderInSteps } from './merge-order.ts';
import { STEP_ITEMS, type Steps } from './steps.ts';

/** Every bit of the result depends on every bit of the value. A signed 32-bit number. */
export function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Two independent 32-bit hashes of each address, by position. */
export class AddressHashes {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly #backends: readonly Backend[];

  private constructor(backends: readonly Backend[]) {
    this.#backends = backends;
    this.high = new Uint32Array(backends.length);
    this.low = new Uint32Array(backends.length);
  }

  /** Hashes the addresses, each one behind a salt: other salts make other hashes. */
  static *steps(backends: readonly Backend[], salt: string): Steps<AddressHashes> {
    const hashes = new AddressHashes(backends);
    const hash = new Fnv64();
    for (let i = 0; i < backends.length; i += 1) {
      if (i % STEP_ITEMS === 0) yield;
      hash.hash(salt + (backends[i] as Backend).address);
      hashes.high[i] = mix(hash.high ^ mix(hash.low));
      hashes.low[i] = mix(hash.low + 0x9e3779b9);
    }
    return hashes;
  }

  /** The positions by ascending hash; equal ones, which hardly exist, by address. */
  *order(): Steps<Uint32Array> {
    const { high, low } = this;
    const backends = this.#backends;
    return yield* orderInSteps(backends.length, (a, b) => {
      if (high[a] !== high[b]) return (high[a] as number) < (high[b] as number);
      if (low[a] !== low[b]) return (low[a] as number) < (low[b] as number);
      return (backends[a] as Backend).address < (backends[b] as Backend).address;
    });
  }
}
