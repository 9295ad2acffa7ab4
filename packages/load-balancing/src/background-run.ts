/**
 * The background work of one balancer while it runs: once at a time, ended by its signal or by its owner.
 */
import { CirqueError } from '@cirque/error';
import { type PeriodicJob, runPeriodically } from './background.ts';
import type { TimeSource } from './time-source.ts';

/** Runs jobs until it is told to end; `release` then lets go of what they keep open. */
export class BackgroundRun {
  readonly #time: TimeSource;
  readonly #release: () => Promise<void>;
  #stop: AbortController | undefined;
  #running: Promise<void> | undefined;

  constructor(time: TimeSource, release: () => Promise<void>) {
    this.#time = time;
    this.#release = release;
  }

  /** As `runPeriodically`. Rejects when it is running already. */
  async start(jobs: readonly PeriodicJob[], signal: AbortSignal, ready: () => void): Promise<void> {
    if (this.#stop !== undefined)
      throw CirqueError.internal('InternalError', 'the load balancer has been started already');
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    this.#stop = stop;
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    this.#running = runPeriodically(jobs, stop.signal, ready, this.#time);
    try {
      await this.#running;
    } finally {
      signal.removeEventListener('abort', onAbort);
      stop.abort();
      await this.#release();
      this.#stop = undefined;
      this.#running = undefined;
    }
  }

  /** Ends it, if it is running. */
  async end(): Promise<void> {
    this.#stop?.abort();
    // Should it fail, the promise that `start` returned says so.
    await this.#running?.catch(() => undefined);
    await this.#release();
  }
}
