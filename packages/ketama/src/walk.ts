/**
 * A cursor that goes clockwise around a ring.
 *
 * For falling back on other buckets when the key's own one cannot be used. Reusable, as selecting must not allocate.
 */
import { crc32Signed } from './crc32.ts';
import type { KetamaRing } from './ring.ts';

/** Goes from point to point; when to stop is the caller's decision, as there is always a next one. */
export class KetamaWalk {
  readonly #ring: KetamaRing;
  #position = 0;

  constructor(ring: KetamaRing) {
    this.#ring = ring;
  }

  /** Puts the cursor on the key's place; returns the walk itself. */
  start(key: string | Uint8Array): this {
    this.#position = this.#ring.indexOf(crc32Signed(key));
    return this;
  }

  /**
   * The bucket of the point under the cursor, which then moves on to the next one, from the last one to the first. A bucket comes up
   * once for each of its points. -1 when the ring is empty.
   */
  next(): number {
    const position = this.#position;
    this.#position = position + 1 < this.#ring.size ? position + 1 : 0;
    return this.#ring.bucketAt(position);
  }
}
