/**
 * Runs one job per item, at most so many at a time, each begun after a random delay of its own.
 *
 * The delays keep a round of health checks from hitting the network, and a fleet of gateways from hitting a backend,
 * at one instant. One timer serves the whole round.
 */
import { Timer } from '@cirque/timeout';
import type { TimeSource } from './time-source.ts';

/** How a round is run. */
export interface SpreadOptions {
  readonly maxInFlight: number;
  /** Delays are from 0 up to this; 0 begins everything at once, in order. */
  readonly spreadMs: number;
  /** Aborting it begins no further job; the round ends when those under way have. */
  readonly signal: AbortSignal | undefined;
  readonly time: TimeSource;
  /** Numbers from 0 up to but not including 1. */
  readonly random: () => number;
}

/** Resolves when all jobs have ended. `job` must not reject. */
export function spreadRun<T>(
  items: readonly T[],
  job: (item: T) => Promise<void>,
  options: SpreadOptions,
): Promise<void> {
  return new Promise((resolve) => new SpreadRound(items, job, options, resolve).begin());
}

/** Sorted numbers hold a delay in their upper bits and an item in these lower ones. */
const ITEMS = 2 ** 24;
const FRACTIONS = 2 ** 28;

/** Items in the order of their random delays. Sorts numbers, not objects: of 100,000 in some milliseconds. */
class SpreadOrder {
  readonly #spreadMs: number;
  /** Undefined without a spread: all at once, in the order given. */
  readonly #sorted: Float64Array | undefined;

  constructor(length: number, spreadMs: number, random: () => number) {
    this.#spreadMs = spreadMs;
    if (spreadMs === 0) return;
    this.#sorted = Float64Array.from({ length }, (_, item) => Math.floor(random() * FRACTIONS) * ITEMS + item).sort();
  }

  itemAt(place: number): number {
    return this.#sorted === undefined ? place : (this.#sorted[place] as number) % ITEMS;
  }

  delayOf(place: number): number {
    if (this.#sorted === undefined) return 0;
    return (Math.floor((this.#sorted[place] as number) / ITEMS) / FRACTIONS) * this.#spreadMs;
  }
}

class SpreadRound<T> {
  readonly #items: readonly T[];
  readonly #order: SpreadOrder;
  readonly #job: (item: T) => Promise<void>;
  readonly #options: SpreadOptions;
  readonly #resolve: () => void;
  readonly #timer: Timer;
  readonly #startedAt: number;
  readonly #onAbort = (): void => this.#proceed();
  #next = 0;
  #inFlight = 0;

  constructor(items: readonly T[], job: (item: T) => Promise<void>, options: SpreadOptions, resolve: () => void) {
    const { random, spreadMs, time } = options;
    this.#items = items;
    this.#order = new SpreadOrder(items.length, spreadMs, random);
    this.#job = job;
    this.#options = options;
    this.#resolve = resolve;
    this.#timer = new Timer(() => this.#proceed(), time.wheel);
    this.#startedAt = time.clock.now();
  }

  begin(): void {
    this.#options.signal?.addEventListener('abort', this.#onAbort);
    this.#proceed();
  }

  #proceed(): void {
    if (this.#options.signal?.aborted) {
      this.#timer.close();
      this.#next = this.#items.length;
    }
    const elapsedMs = this.#options.time.clock.now() - this.#startedAt;
    while (this.#next < this.#items.length) {
      if (this.#inFlight === this.#options.maxInFlight) return;
      const delayMs = this.#order.delayOf(this.#next);
      if (delayMs > elapsedMs) {
        this.#timer.set(delayMs - elapsedMs);
        return;
      }
      const item = this.#items[this.#order.itemAt(this.#next)] as T;
      this.#next += 1;
      this.#inFlight += 1;
      this.#job(item).then(this.#ended, this.#ended);
    }
    if (this.#inFlight === 0) this.#end();
  }

  readonly #ended = (): void => {
    this.#inFlight -= 1;
    this.#proceed();
  };

  #end(): void {
    this.#timer.close();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#resolve();
  }
}
