/**
 * Repeatable randomness: the same seed gives the same numbers on every machine and Node version.
 *
 * For test data only; its quality is that of a small generator, its seed is printed when a test fails.
 */

/** Random numbers from a 32-bit seed. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** 32 random bits as a number from 0 to 4,294,967,295. */
  uint32(): number {
    // A linear congruential step, then its weak low bits are mixed with the high ones.
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 13), 0x68e31da5);
    return (x ^ (x >>> 16)) >>> 0;
  }

  /** At least 0, below 1. */
  next(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    if (!(Number.isInteger(min) && Number.isInteger(max) && min <= max)) {
      throw new RangeError(`int needs whole numbers with min <= max, got ${min} and ${max}`);
    }
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the values. Throws RangeError when there is none. */
  pick<T>(values: readonly T[]): T {
    if (values.length === 0) throw new RangeError('pick needs at least one value');
    return values[this.int(0, values.length - 1)] as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i += 1) bytes[i] = this.uint32() & 0xff;
    return bytes;
  }
}
