/**
 * Counts what clients do, and how long each took.
 */
import type { LoadReport } from './load-script.ts';

export class Tally {
  errors = 0;
  bytes = 0;
  readonly #begun: number = performance.now();
  readonly #timesUs: number[] = [];

  /** One unit that was begun then is done. */
  done(begunMs: number, bytes: number): void {
    this.#timesUs.push((performance.now() - begunMs) * 1_000);
    this.bytes += bytes;
  }

  /** @param units what was done, where that is not the number of calls of {@link done}. */
  report(units: number = this.#timesUs.length): LoadReport {
    const sorted = this.#timesUs.toSorted((a, b) => a - b);
    const at = (share: number): number | undefined =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return {
      done: units,
      errors: this.errors,
      bytes: this.bytes,
      durationUs: (performance.now() - this.#begun) * 1_000,
      p50Us: at(0.5),
      p99Us: at(0.99),
    };
  }
}
