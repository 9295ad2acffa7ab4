/**
 * Those who wait until a backend is below its cap: a queue with a bound and a deadline, in order of arrival.
 *
 * Who may go on is decided elsewhere (chooser.ts). One timer serves all, and what has ended leaves neither timer nor listener.
 */
import { CirqueError } from '@cirque/error';
import { Timer } from '@cirque/timeout';
import type { Pick } from './pick.ts';
import type { AcquireOptions } from './pick-options.ts';
import type { SelectionKey } from './selection/selection.ts';
import type { TimeSource } from './time-source.ts';

/** How many may wait, and how long. */
export interface WaitingBounds {
  readonly size: number;
  readonly timeoutMs: number;
}

/** One that waits. */
export interface Waiter {
  readonly key: SelectionKey;
  readonly options: AcquireOptions;
  readonly deadlineMs: number;
  readonly settle: { resolve(pick: Pick): void; reject(reason: unknown): void };
  readonly onAbort: () => void;
}

/** Counters and gauges of the queue. */
export type WaitingStats = {
  /** Those who wait now. */
  readonly waiting: number;
  /** All who have had to wait. */
  readonly waited: number;
  /** Those of them for whom it took too long. */
  readonly waitTimeouts: number;
  /** Those who were turned away because the queue was full. */
  readonly queueRejections: number;
};

/** Iterates in order of arrival; settling during iteration is fine. */
export class WaitingPicks implements Iterable<Waiter> {
  readonly #bounds: WaitingBounds;
  readonly #time: TimeSource;
  readonly #timer: Timer;
  readonly #waiters = new Set<Waiter>();
  #waited = 0;
  #timeouts = 0;
  #rejections = 0;

  constructor(bounds: WaitingBounds, time: TimeSource) {
    this.#bounds = bounds;
    this.#time = time;
    this.#timer = new Timer(() => this.#expire(), time.wheel);
  }

  get size(): number {
    return this.#waiters.size;
  }

  [Symbol.iterator](): Iterator<Waiter> {
    return this.#waiters[Symbol.iterator]();
  }

  /** Waits for somebody to call `serve`. Throws when there is no room; rejects at the deadline and with the signal. */
  wait(key: SelectionKey, options: AcquireOptions): Promise<Pick> {
    if (this.#waiters.size >= this.#bounds.size) {
      this.#rejections += 1;
      throw CirqueError.upstream('ConnectNoRoute', 'queue full');
    }
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#waited += 1;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        // Whoever gave bytes may use the memory for something else meanwhile.
        key: typeof key === 'string' ? key : new Uint8Array(key),
        options,
        deadlineMs: this.#time.clock.now() + this.#bounds.timeoutMs,
        settle: { resolve, reject },
        onAbort: () => this.fail(waiter, signal?.reason),
      };
      signal?.addEventListener('abort', waiter.onAbort);
      this.#waiters.add(waiter);
      if (!this.#timer.armed) this.#timer.set(this.#bounds.timeoutMs);
    });
  }

  /** Ends the waiting with a backend. */
  serve(waiter: Waiter, pick: Pick): void {
    this.#leave(waiter);
    waiter.settle.resolve(pick);
  }

  /** Ends the waiting without one. */
  fail(waiter: Waiter, reason: unknown): void {
    this.#leave(waiter);
    waiter.settle.reject(reason);
  }

  stats(): WaitingStats {
    return {
      waiting: this.#waiters.size,
      waited: this.#waited,
      waitTimeouts: this.#timeouts,
      queueRejections: this.#rejections,
    };
  }

  #leave(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    waiter.options.signal?.removeEventListener('abort', waiter.onAbort);
    if (this.#waiters.size === 0) this.#timer.close();
  }

  /** All wait equally long, so the first to have come is the first whose time is over. */
  #expire(): void {
    const now = this.#time.clock.now();
    for (const waiter of this.#waiters) {
      if (waiter.deadlineMs > now) {
        this.#timer.set(waiter.deadlineMs - now);
        return;
      }
      this.#timeouts += 1;
      const { timeoutMs } = this.#bounds;
      this.fail(waiter, CirqueError.upstream('ConnectNoRoute', `no backend free within ${timeoutMs} ms`));
    }
  }
}
