/**
 * Time that stands still until a test moves it.
 *
 * Fits wherever a monotonic clock `{ now(): number }` is asked for.
 */

/** A clock moved by hand. */
export class FakeClock {
  #now: number;
  readonly #listeners = new Set<() => void>();

  /** Starts at `startMs`; a start other than 0 shows who takes the clock for a duration. */
  constructor(startMs = 1_000) {
    this.#now = startMs;
  }

  /** Milliseconds; only `advance` changes them. */
  now(): number {
    return this.#now;
  }

  /**
   * Moves the clock forward and tells the listeners; in steps of at most `stepMs`, telling them at each, when given.
   * Throws RangeError for a negative time: a monotonic clock never goes back.
   */
  advance(ms: number, stepMs: number = ms): void {
    if (!(ms >= 0) || !(stepMs > 0 || ms === 0)) {
      throw new RangeError(`a clock advances by at least 0 ms in steps above 0 ms, got ${ms} and ${stepMs}`);
    }
    const end = this.#now + ms;
    do {
      this.#now = Math.min(end, this.#now + stepMs);
      for (const listener of this.#listeners) listener();
    } while (this.#now < end);
  }

  /** Calls `listener` after each step: `clock.onAdvance(() => wheel.advance())`. Returns a function that ends it. */
  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
