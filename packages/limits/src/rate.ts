/**
 * How much of each of any number of keys comes per second: requests of a client, bytes of a tenant.
 *
 * Time is cut into windows of equal length, the same for all threads. Each thread has a plane for windows of even number and one
 * for those of odd number, and empties one when it first counts in a new window: nobody turns pages for the others, and what a
 * thread counted that has been idle since is too old to be looked at.
 */
import type { LimitKey } from './key-hash.ts';
import { checkInteger } from './row-memory.ts';
import { type Clock, sharedClock } from './shared-clock.ts';
import { checkCount, Sketch, type SketchOptions, type SketchSize, sketchBytes, sketchSize } from './sketch.ts';

const DEFAULTS: SketchSize = { hashes: 4, slots: 1_024, planes: 2 };

/** Everything but `intervalMs` has a default. */
export interface RateOptions extends SketchOptions {
  /** Length of a window in milliseconds, an integer from 1. */
  readonly intervalMs: number;
  /** Where the time comes from. Threads that share a buffer need the same time. Default the system's monotonic clock. */
  readonly clock?: Clock | undefined;
}

/** What an estimate of your own can be made from. */
export interface RateComponents {
  /** Count of the last full window. */
  readonly previous: number;
  /** Count of the present window so far. */
  readonly current: number;
  readonly intervalMs: number;
  /** How much of the present window has passed, from 0 to 1. */
  readonly elapsed: number;
}

/**
 * Counts keys per window. Pingora's Rate.
 *
 * The counts have the bounds of `Estimator`, with all that was counted in the window for everything: with the default of 4 by
 * 1,024 too high by more than 0.27 % of the window's total for fewer than 1.9 % of the keys; never too low, but for what other
 * threads count or empty in the microseconds in which a window ends. A counter stops at 2,147,483,647 per window and row: for
 * large quantities count kilobytes.
 */
export class Rate {
  readonly #sketch: Sketch;
  readonly #clock: Clock;
  readonly #intervalMs: number;

  /**
   * Default 4 hashes by 1,024 slots: 32 KiB per row. Throws TypeError or RangeError, naming the option, for values that
   * cannot work. Changes no count in the buffer.
   */
  constructor(options: RateOptions) {
    const { clock = sharedClock, intervalMs } = options;
    checkInteger('intervalMs', intervalMs, 1, 2 ** 31 - 1);
    this.#sketch = new Sketch(options, sketchSize(options, DEFAULTS), { intervalMs });
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** How many bytes a buffer for these options has. */
  static bytes(options: SketchOptions = {}): number {
    return sketchBytes(options, sketchSize(options, DEFAULTS));
  }

  /** Counts a key, `n` times; an integer from 0. Returns its count in the present window after that, over all rows. */
  observe(key: LimitKey, n = 1): number {
    const sketch = this.#sketch;
    const window = this.#window();
    const plane = window & 1;
    if (sketch.epochOf(plane) !== window) sketch.begin(plane, window);
    sketch.locate(key);
    sketch.add(plane, checkCount(n));
    return sketch.estimate(plane, window);
  }

  /** The key's count per second in the last full window; 0 when it did not come up in it. */
  rate(key: LimitKey): number {
    return (this.#count(key, this.#window() - 1) * 1_000) / this.#intervalMs;
  }

  /** The key's count in the present window so far. */
  currentWindow(key: LimitKey): number {
    return this.#count(key, this.#window());
  }

  /** What `estimate` makes of the present and the last full window; see {@link proportionalRate}. */
  rateWith(key: LimitKey, estimate: (components: RateComponents) => number): number {
    const windows = this.#clock.now() / this.#intervalMs;
    const window = Math.floor(windows);
    const previous = this.#count(key, window - 1);
    const current = this.#count(key, window);
    return estimate({ previous, current, intervalMs: this.#intervalMs, elapsed: windows - window });
  }

  /** Forgets what this thread has counted. A thread that replaces one which has died calls it first. */
  reset(): void {
    this.#sketch.begin(0, 0);
    this.#sketch.begin(1, 0);
  }

  /** The number of the present window, modulo 2^32. New memory is that of window 0, and empty. */
  #window(): number {
    return Math.floor(this.#clock.now() / this.#intervalMs) | 0;
  }

  #count(key: LimitKey, window: number): number {
    this.#sketch.locate(key);
    return this.#sketch.estimate(window & 1, window | 0);
  }
}

/**
 * For `rateWith`: the count per second of the interval that ends now, as if the last full window had been even all along. Follows
 * a change sooner than `rate`, and no client gets twice its rate by placing itself around the end of a window.
 */
export function proportionalRate({ previous, current, intervalMs, elapsed }: RateComponents): number {
  return ((previous * (1 - elapsed) + current) * 1_000) / intervalMs;
}
