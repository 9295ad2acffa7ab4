/**
 * Health check: whatever a function finds out.
 */
import type { Backend } from '../backend.ts';
import { integerOption } from '../number-option.ts';
import { type CheckOptions, ThresholdCheck } from './check-options.ts';
import { DEFAULT_CHECK_TIMEOUT_MS, type HealthCheck } from './health-check.ts';

/** Everything but `check` has a default. */
export interface CustomHealthCheckOptions extends Omit<CheckOptions, 'connectionTimeoutMs'> {
  /**
   * Checks once. The backend is ill when it throws, rejects, or answers false. `signal` aborts at `timeoutMs` and at
   * shutdown: pass it on to what you wait for.
   */
  check(backend: Backend, signal: AbortSignal): boolean | void | Promise<boolean | undefined> | Promise<void>;
  /** A check that takes longer has failed. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A check of your own, without a class for it.
 *
 * @throws TypeError without a function `check`, RangeError for a number that is not an integer from 1.
 */
export function customHealthCheck(options: CustomHealthCheckOptions): HealthCheck {
  return new CustomHealthCheck(options);
}

class CustomHealthCheck extends ThresholdCheck {
  readonly timeoutMs: number;
  readonly #options: CustomHealthCheckOptions;

  constructor(options: CustomHealthCheckOptions) {
    super(options);
    if (typeof options.check !== 'function') {
      throw new TypeError(`check must be a function (backend, signal), got ${String(options.check)}`);
    }
    this.timeoutMs = integerOption('timeoutMs', options.timeoutMs, DEFAULT_CHECK_TIMEOUT_MS, 1);
    this.#options = options;
  }

  async check(backend: Backend, signal: AbortSignal = new AbortController().signal): Promise<void> {
    if ((await this.#options.check(backend, signal)) === false) throw new Error('the check answered false');
  }
}
