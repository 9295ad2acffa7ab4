/**
 * Sorts a stretch of points by the lower bits of their hashes: radix sort with digits of 11 bits, linear in their number.
 *
 * Keeps its memory for the next stretch. Yields between the passes over a long stretch, which is the exception.
 */
import type { Steps } from './steps.ts';

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const LONG = 2 ** 16;

export class StretchSorter {
  readonly #starts = new Uint32Array(DIGITS);
  #hashes = new Uint32Array(0);
  #owners = new Uint32Array(0);

  /** Sorts both arrays in place by the `bits` lower bits of the hashes. Stable. */
  *sort(hashes: Uint32Array, owners: Uint32Array, bits: number): Steps<void> {
    if (hashes.length < 2) return;
    this.#reserve(hashes.length);
    for (let shift = 0; shift < bits; shift += DIGIT_BITS) {
      this.#countDigits(hashes, shift);
      this.#hashes.set(hashes);
      this.#owners.set(owners);
      this.#scatter(hashes, owners, shift);
      if (hashes.length >= LONG) yield;
    }
  }

  #reserve(length: number): void {
    if (this.#hashes.length >= length) return;
    this.#hashes = new Uint32Array(length);
    this.#owners = new Uint32Array(length);
  }

  /** Leaves in `starts` where the first point of each digit belongs. */
  #countDigits(hashes: Uint32Array, shift: number): void {
    const starts = this.#starts;
    starts.fill(0);
    for (let i = 0; i < hashes.length; i += 1) {
      const digit = ((hashes[i] as number) >>> shift) & (DIGITS - 1);
      starts[digit] = (starts[digit] as number) + 1;
    }
    let start = 0;
    for (let digit = 0; digit < DIGITS; digit += 1) {
      const count = starts[digit] as number;
      starts[digit] = start;
      start += count;
    }
  }

  #scatter(hashes: Uint32Array, owners: Uint32Array, shift: number): void {
    const starts = this.#starts;
    for (let i = 0; i < hashes.length; i += 1) {
      const hash = this.#hashes[i] as number;
      const digit = (hash >>> shift) & (DIGITS - 1);
      const place = starts[digit] as number;
      starts[digit] = place + 1;
      hashes[place] = hash;
      owners[place] = this.#owners[i] as number;
    }
  }
}
