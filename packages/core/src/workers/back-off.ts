/**
 * How long to wait before something that failed is started again.
 */

/** First wait, and the longest one, in milliseconds. Each wait is twice the one before it. */
const FIRST_MS = 100;
const LONGEST_MS = 30_000;

/** What has run for so long has recovered: the next failure counts as the first. In milliseconds. */
const RECOVERED_MS = 10_000;

/** Counts failures in a row. */
export class BackOff {
  #failures = 0;

  /**
   * The wait after one more failure, in milliseconds.
   *
   * @param ranMs how long it had run well before.
   */
  next(ranMs: number): number {
    this.#failures = ranMs >= RECOVERED_MS ? 1 : this.#failures + 1;
    return Math.min(LONGEST_MS, FIRST_MS * 2 ** (this.#failures - 1));
  }
}
