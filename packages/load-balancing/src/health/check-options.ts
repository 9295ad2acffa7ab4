/**
 * The options that every health check has, and how option values are refused.
 */
import type { Backend } from '../backend.ts';

/** What TCP and HTTP checks have in common. */
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

/** The value, or the default if there is none. Throws RangeError naming the option unless it is an integer from 1. */
export function positiveInteger(option: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`${option} must be an integer from 1, got ${String(value)}`);
}
