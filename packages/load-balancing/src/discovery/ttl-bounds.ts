/**
 * When to ask a name server again: what its records say, within bounds.
 */
import { integerOption } from '../number-option.ts';

/** Everything has a default. */
export interface TtlOptions {
  /** Asks again after that time at the earliest, also where records may not be kept at all. Default 1,000. */
  readonly minTtlMs?: number | undefined;
  /** Asks again after that time at the latest. Default 300,000, or `minTtlMs` if that is more. */
  readonly maxTtlMs?: number | undefined;
}

const UNKNOWN_TTL_MS = 30_000;

/** Bounds of a time. Throws RangeError naming the option. */
export class TtlBounds {
  readonly #min: number;
  readonly #max: number;

  constructor(options: TtlOptions) {
    this.#min = integerOption('minTtlMs', options.minTtlMs, 1_000, 1);
    this.#max = integerOption('maxTtlMs', options.maxTtlMs, Math.max(300_000, this.#min), 1);
    if (this.#max < this.#min)
      throw new RangeError(`maxTtlMs must be at least minTtlMs (${this.#min}), got ${this.#max}`);
  }

  /** The time within the bounds; where none is known, half a minute, so that somebody asks again in any case. */
  apply(ttlMs: number = UNKNOWN_TTL_MS): number {
    return Math.min(this.#max, Math.max(this.#min, ttlMs));
  }
}
