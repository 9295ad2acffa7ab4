/**
 * How often each backend of a list was chosen, counted so cheaply that `select` does not notice.
 *
 * Choosing adds to 32 bits, which a processor does for nothing; sums that do not overflow are made when somebody looks.
 */

/** Counters by position. */
export class PickCounts {
  /** For whoever chooses: add 1 at the position. Wraps. */
  readonly recent: Uint32Array;
  /** The value in `recent` up to which `#sums` has it. */
  readonly #seen: Uint32Array;
  readonly #sums: Float64Array;

  /** Begins with zeros. */
  constructor(length: number) {
    this.#sums = new Float64Array(length);
    this.recent = new Uint32Array(length);
    this.#seen = new Uint32Array(length);
  }

  /** All that was counted at a position, provided that somebody looks at least once in 4,294,967,296 times. */
  at(position: number): number {
    const now = this.recent[position] as number;
    const sum = (this.#sums[position] as number) + ((now - (this.#seen[position] as number)) >>> 0);
    this.#seen[position] = now;
    this.#sums[position] = sum;
    return sum;
  }

  /** Begins with what was counted elsewhere: at `origins[i]` for the position i, nothing where that is -1. */
  takeOver(before: PickCounts, origins: Int32Array): void {
    for (let i = 0; i < origins.length; i += 1) {
      const origin = origins[i] as number;
      if (origin >= 0) this.#sums[i] = before.at(origin);
    }
  }
}
