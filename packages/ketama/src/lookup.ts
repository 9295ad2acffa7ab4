/**
 * Finds the first point at or behind a hash.
 *
 * Binary search like nginx's, but only among the points that share the hash's leading bits: a table says where
 * those begin. Hashes are spread evenly, so that leaves about one point to look at, whatever the size of the ring.
 */
import type { Steps } from './steps.ts';

/** About one point per table entry; beyond this the table would not stay in the processor's caches. */
const MAX_PREFIX_BITS = 20;
const STEP_POINTS = 2 ** 16;

export class PointIndex {
  readonly #hashes: Uint32Array;
  /** For each prefix, the position of its first point; one entry more marks the end. */
  readonly #starts: Uint32Array;
  readonly #shift: number;

  private constructor(hashes: Uint32Array, starts: Uint32Array, bits: number) {
    this.#hashes = hashes;
    this.#starts = starts;
    this.#shift = 32 - bits;
  }

  /** `hashes` must ascend. */
  static *steps(hashes: Uint32Array): Steps<PointIndex> {
    const bits = Math.min(MAX_PREFIX_BITS, Math.max(1, Math.ceil(Math.log2(hashes.length + 1))));
    return new PointIndex(hashes, yield* countPrefixes(hashes, bits), bits);
  }

  /**
   * Position of the first hash that is not below the given one; the number of hashes when there is none.
   * Takes signed numbers, too: only the 32 bits count.
   */
  find(hash: number): number {
    const wanted = hash >>> 0;
    const prefix = wanted >>> this.#shift;
    let low = this.#starts[prefix] as number;
    let high = this.#starts[prefix + 1] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#hashes[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function* countPrefixes(hashes: Uint32Array, bits: number): Steps<Uint32Array> {
  const starts = new Uint32Array(2 ** bits + 1);
  for (let i = 0; i < hashes.length; i += 1) {
    if (i % STEP_POINTS === 0) yield;
    const next = ((hashes[i] as number) >>> (32 - bits)) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let i = 1; i < starts.length; i += 1) {
    if (i % STEP_POINTS === 0) yield;
    starts[i] = (starts[i] as number) + (starts[i - 1] as number);
  }
  return starts;
}
