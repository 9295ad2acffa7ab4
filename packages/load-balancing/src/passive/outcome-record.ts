/**
 * What is known of the outcomes of one backend: failures in a row, and shares within one interval.
 *
 * Counts only; what follows from a count is decided in passive-health.ts.
 */

/** Counters of one backend. Intervals follow one another from its first outcome; one without outcomes is skipped. */
export class OutcomeRecord {
  /** Failures since the last success. */
  failuresInRow = 0;
  /** Outcomes of the present interval, */
  volume = 0;
  /** and how many of them were failures. */
  failures = 0;
  /** Ejections in a row when the last one ended. */
  ejections = 0;
  /** Since when it has been clean: when its last ejection ended. */
  returnedAt = 0;
  #intervalBegan = 0;

  /** Takes in one outcome. */
  count(ok: boolean, now: number, intervalMs: number): void {
    if (this.volume === 0 || now - this.#intervalBegan >= intervalMs) {
      this.#intervalBegan = now;
      this.volume = 0;
      this.failures = 0;
    }
    this.volume += 1;
    if (ok) {
      this.failuresInRow = 0;
      return;
    }
    this.failures += 1;
    this.failuresInRow += 1;
  }

  /** Begins anew, but for the ejections. */
  clear(): void {
    this.failuresInRow = 0;
    this.volume = 0;
    this.failures = 0;
  }
}
