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

class SpreadRound<T> {
  readonly #jobs: { readonly item: T; readonly delayMs: number }[];
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
    this.#jobs = items.map((item) => ({ item, delayMs: spreadMs === 0 ? 0 : random() * spreadMs }));
    this.#jobs.sort((a, b) => a.delayMs - b.delayMs);
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
      this.#next = this.#jobs.length;
    }
    const elapsedMs = this.#options.time.clock.now() - this.#startedAt;
    for (let job = this.#jobs[this.#next]; job !== undefined; job = this.#jobs[this.#next]) {
      if (this.#inFlight === this.#options.maxInFlight) return;
      if (job.delayMs > elapsedMs) {
        this.#timer.set(job.delayMs - elapsedMs);
        return;
      }
      this.#next += 1;
      this.#inFlight += 1;
      this.#job(job.item).then(this.#ended, this.#ended);
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
