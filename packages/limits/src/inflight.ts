/**
 * How much each of any number of keys has under way at this moment: requests of a client, say.
 */
import type { LimitKey } from './key-hash.ts';
import { checkCount, Sketch, type SketchOptions, type SketchSize, sketchBytes, sketchSize } from './sketch.ts';

const DEFAULTS: SketchSize = { hashes: 4, slots: 8_192, planes: 1 };

/** Says that something is under way until it is released. */
export interface Guard {
  /** The key's estimate at the moment when this was counted, itself included. */
  readonly count: number;
  /** Says that it has ended. Call it in every case; further calls do nothing. */
  release(): void;
}

/**
 * Counts what has begun and not ended, by key. Pingora's Inflight.
 *
 * An estimate is never too low. It is too high by more than e / `slots` of all that is under way for a share of keys of
 * e^-`hashes` at most: with the default of 4 by 8,192 and 3,000 requests under way by 1 or more for fewer than 1.9 % of the keys.
 */
export class Inflight {
  readonly #sketch: Sketch;
  /** Goes up with each reset, so that guards from before it count for nothing. */
  #generation = 0;

  /**
   * Default 4 hashes by 8,192 slots: 128 KiB per row. Throws TypeError or RangeError, naming the option, for values that
   * cannot work. Changes no count in the buffer.
   */
  constructor(options: SketchOptions = {}) {
    this.#sketch = new Sketch(options, sketchSize(options, DEFAULTS));
  }

  /** How many bytes a buffer for these options has. */
  static bytes(options: SketchOptions = {}): number {
    return sketchBytes(options, sketchSize(options, DEFAULTS));
  }

  /** Something begins: `by` more of this key, an integer from 0, until the guard is released. */
  increment(key: LimitKey, by = 1): Guard {
    this.#sketch.locate(key);
    this.#sketch.add(0, checkCount(by));
    const generation = this.#generation;
    return new InflightGuard(this.#sketch.estimate(0, 0), () => {
      if (generation === this.#generation) this.#end(key, by);
    });
  }

  /** The estimate of a key, over all rows. */
  observe(key: LimitKey): number {
    this.#sketch.locate(key);
    return this.#sketch.estimate(0, 0);
  }

  /**
   * Forgets what this thread has under way; its guards do nothing from now on. A thread that replaces one which has died calls
   * it first, for the dead one's guards will never be released.
   */
  reset(): void {
    this.#generation += 1;
    this.#sketch.begin(0, 0);
  }

  #end(key: LimitKey, by: number): void {
    this.#sketch.locate(key);
    this.#sketch.add(0, -by);
  }
}

class InflightGuard implements Guard {
  readonly count: number;
  #end: (() => void) | undefined;

  constructor(count: number, end: () => void) {
    this.count = count;
    this.#end = end;
  }

  release(): void {
    const end = this.#end;
    this.#end = undefined;
    end?.();
  }
}
