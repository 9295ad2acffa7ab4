/**
 * What all health checks have in common: thresholds, callbacks, the time for connecting.
 */
import type { Backend } from '../backend.ts';
import { integerOption } from '../number-option.ts';
import type { HealthCheck } from './health-check.ts';

/** Options of every check. */
export interface CheckOptions {
  /** Successes in a row after which an unhealthy backend is healthy again. Default 1. */
  readonly consecutiveSuccess?: number | undefined;
  /** Failures in a row after which a healthy backend is unhealthy. Default 1. */
  readonly consecutiveFailure?: number | undefined;
  /** Time for establishing the connection. Default 1,000. */
  readonly connectionTimeoutMs?: number | undefined;
  /** Called when a backend has become healthy or unhealthy. */
  readonly healthStatusChange?: ((backend: Backend, healthy: boolean) => void | Promise<void>) | undefined;
  /** How a backend is called in logs. Default its address. */
  readonly summary?: ((backend: Backend) => string) | undefined;
}

/** The part of a check that is the same for all. Throws RangeError for a number that is not an integer from 1. */
export abstract class ThresholdCheck implements HealthCheck {
  readonly consecutiveSuccess: number;
  readonly consecutiveFailure: number;
  readonly connectionTimeoutMs: number;
  readonly healthStatusChange?: (backend: Backend, healthy: boolean) => void | Promise<void>;
  readonly summary?: (backend: Backend) => string;
  abstract readonly timeoutMs: number;

  constructor(options: CheckOptions) {
    this.consecutiveSuccess = integerOption('consecutiveSuccess', options.consecutiveSuccess, 1, 1);
    this.consecutiveFailure = integerOption('consecutiveFailure', options.consecutiveFailure, 1, 1);
    this.connectionTimeoutMs = integerOption('connectionTimeoutMs', options.connectionTimeoutMs, 1000, 1);
    if (options.healthStatusChange !== undefined) this.healthStatusChange = options.healthStatusChange;
    if (options.summary !== undefined) this.summary = options.summary;
  }

  abstract check(backend: Backend, signal?: AbortSignal): Promise<void>;

  /** The option for this kind of result. */
  healthThreshold(success: boolean): number {
    return success ? this.consecutiveSuccess : this.consecutiveFailure;
  }
}
