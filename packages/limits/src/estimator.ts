/**
 * How often each of any number of keys has come up, in a fixed amount of memory.
 */
import type { LimitKey } from './key-hash.ts';
import { checkCount, Sketch, type SketchOptions, type SketchSize, sketchBytes, sketchSize } from './sketch.ts';

const DEFAULTS: SketchSize = { hashes: 4, slots: 1_024, planes: 1 };

/**
 * Counts keys. Pingora's Estimator.
 *
 * An estimate is never too low. It is too high by more than e / `slots` of all that has been counted (over all keys and rows)
 * for a share of keys of e^-`hashes` at most: with the default of 4 by 1,024 by more than 0.27 % of everything for fewer than
 * 1.9 % of the keys. A counter stops at 2,147,483,647 per row.
 */
export class Estimator {
  readonly #sketch: Sketch;

  /**
   * Default 4 hashes by 1,024 slots: 16 KiB per row. Throws TypeError or RangeError, naming the option, for values that
   * cannot work. Changes no count in the buffer.
   */
  constructor(options: SketchOptions = {}) {
    this.#sketch = new Sketch(options, sketchSize(options, DEFAULTS));
  }

  /** How many bytes a buffer for these options has. */
  static bytes(options: SketchOptions = {}): number {
    return sketchBytes(options, sketchSize(options, DEFAULTS));
  }

  /** Counts a key, `by` times; an integer from 0. Returns its estimate after that, over all rows. */
  increment(key: LimitKey, by = 1): number {
    this.#sketch.locate(key);
    this.#sketch.add(0, checkCount(by));
    return this.#sketch.estimate(0, 0);
  }

  /** Takes back what was counted before, by any thread. Who takes back more makes estimates of other keys too low. */
  decrement(key: LimitKey, by = 1): void {
    this.#sketch.locate(key);
    this.#sketch.add(0, -checkCount(by));
  }

  /** The estimate of a key, over all rows. */
  get(key: LimitKey): number {
    this.#sketch.locate(key);
    return this.#sketch.estimate(0, 0);
  }

  /** Forgets what this thread has counted. A thread that replaces one which has died calls it first. */
  reset(): void {
    this.#sketch.begin(0, 0);
  }
}
