/**
 * Log lines about events that a stranger can cause as often as he likes: one line per second, with their number.
 */
import { type Clock, systemClock } from '@cirque/timeout';
import type { Logger } from '../logger.ts';

/** At most one line in so many milliseconds. */
const INTERVAL_MS = 1_000;

/** Logs one event at once, then counts, and tells the count with the next line, as `unlogged`. */
export class ThrottledLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #lastAt = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(logger: Logger, clock: Clock = systemClock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  warn(facts: object, message: string): void {
    this.#log('warn', facts, message);
  }

  error(facts: object, message: string): void {
    this.#log('error', facts, message);
  }

  #log(level: 'warn' | 'error', facts: object, message: string): void {
    const now = this.#clock.now();
    if (now - this.#lastAt < INTERVAL_MS) {
      this.#unlogged += 1;
      return;
    }
    this.#logger[level]({ ...facts, unlogged: this.#unlogged }, message);
    this.#lastAt = now;
    this.#unlogged = 0;
  }
}
