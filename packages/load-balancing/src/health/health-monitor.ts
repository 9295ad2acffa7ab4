/**
 * Runs rounds of health checks and reports what came of each.
 *
 * Nothing that a check or an observer does, be it throwing, rejecting or never ending, stops a round or the next
 * one. States and snapshots are not its business: it asks `onResult` whether a result flipped anything.
 */
import { CirqueError } from '@cirque/error';
import type { Backend } from '../backend.ts';
import { boundedCall } from '../bounded-call.ts';
import type { Logger } from '../logger.ts';
import { spreadRun } from '../spread-run.ts';
import type { TimeSource } from '../time-source.ts';
import { DEFAULT_CHECK_TIMEOUT_MS, type HealthCheck, type HealthEvent, type HealthObserver } from './health-check.ts';

/** Checks under way at the same time, in parallel mode. */
const MAX_IN_FLIGHT = 64;

/** What a monitor works with. */
export interface HealthMonitorOptions {
  readonly logger: Logger;
  readonly time: TimeSource;
  readonly random: () => number;
  /** False for a backend that has left, or that an operator has taken out: it is not checked, whatever round it was meant for. */
  isChecked(backend: Backend): boolean;
  /** Takes in a result, with what made it a failure; true when the backend's state flipped by it. */
  onResult(backend: Backend, success: boolean, threshold: number, cause: unknown): boolean;
}

/** How one round is run. */
export interface RoundOptions {
  readonly parallel: boolean;
  /** In parallel mode each check is put off by a random time up to this. */
  readonly spreadMs: number;
  /** Ends the round early; results that come later count for nothing. */
  readonly signal: AbortSignal | undefined;
}

/** One health check, applied to whatever backends there are. */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  readonly #observers = new Set<HealthObserver>();
  /** Absent: rounds do nothing. */
  check: HealthCheck | undefined;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
  }

  /** Adds an observer and returns what removes it. */
  observe(observer: HealthObserver): () => void {
    // Wrapped, so that one function added twice is told twice and removed one at a time.
    const entry: HealthObserver = (event) => observer(event);
    this.#observers.add(entry);
    return () => {
      this.#observers.delete(entry);
    };
  }

  /** Checks each backend once. Never rejects. */
  async runRound(backends: readonly Backend[], round: RoundOptions): Promise<void> {
    const { check } = this;
    if (check === undefined) return;
    const { random, time } = this.#options;
    const spread = round.parallel
      ? { maxInFlight: MAX_IN_FLIGHT, spreadMs: round.spreadMs }
      : { maxInFlight: 1, spreadMs: 0 };
    await spreadRun(backends, (backend) => this.#checkOne(check, backend, round.signal), {
      ...spread,
      signal: round.signal,
      time,
      random,
    });
  }

  /** Tells the observers of a change, whoever has found it. */
  announce(event: HealthEvent): void {
    const { backend } = event;
    for (const observer of this.#observers) this.#guard('health observer failed', backend, () => observer(event));
  }

  /** Tells the check that a backend has left the set. */
  forget(backend: Backend): void {
    if (this.check?.forget === undefined) return;
    this.#guard('health check failed to forget a backend', backend, () => this.check?.forget?.(backend));
  }

  /** Lets the check close what it keeps open. */
  async release(): Promise<void> {
    try {
      await this.check?.release?.();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'health check failed to release its resources');
    }
  }

  async #checkOne(check: HealthCheck, backend: Backend, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#options.isChecked(backend)) return;
    let cause: unknown;
    let success = false;
    try {
      await this.#bounded(check, backend, signal);
      success = true;
    } catch (error) {
      cause = error;
    }
    // What the check keeps of a backend that has left meanwhile would stay for good.
    if (!this.#options.isChecked(backend)) this.forget(backend);
    if (signal?.aborted) return;
    try {
      const flipped = this.#options.onResult(backend, success, check.healthThreshold(success), cause);
      if (flipped) this.#report(check, { backend, healthy: success, cause });
    } catch (error) {
      this.#options.logger.error({ err: error, backend: backend.address }, 'health check has no usable threshold');
    }
  }

  #bounded(check: HealthCheck, backend: Backend, signal: AbortSignal | undefined): Promise<void> {
    const timeoutMs = check.timeoutMs ?? DEFAULT_CHECK_TIMEOUT_MS;
    return boundedCall((inner) => check.check(backend, inner), {
      timeoutMs,
      signal,
      wheel: this.#options.time.wheel,
      onTimeout: () =>
        CirqueError.upstream('HealthCheckTimedout', `no result for ${backend.address} within ${timeoutMs} ms`),
    });
  }

  #report(check: HealthCheck, event: HealthEvent): void {
    const { backend, healthy, cause } = event;
    const details = { backend: this.#nameOf(check, backend), weight: backend.weight };
    if (healthy) this.#options.logger.info(details, 'backend became healthy');
    else this.#options.logger.warn({ ...details, err: cause }, 'backend became unhealthy');
    this.#guard('healthStatusChange failed', backend, () => check.healthStatusChange?.(backend, healthy));
    this.announce(event);
  }

  #nameOf(check: HealthCheck, backend: Backend): string {
    try {
      return check.summary?.(backend) ?? backend.address;
    } catch {
      // A name for a log line is not worth losing the line.
      return backend.address;
    }
  }

  #guard(failure: string, backend: Backend, run: () => void | Promise<void>): void {
    const report = (error: unknown): void =>
      this.#options.logger.error({ err: error, backend: backend.address }, failure);
    (async () => run())().catch(report);
  }
}
