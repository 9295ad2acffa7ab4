/**
 * The contract of an active health check, and what observers are told.
 *
 * A check only says whether a backend answers now. When to check, how results add up, and what follows from them is
 * decided elsewhere (health-monitor.ts, health.ts). Semantics of Pingora's HealthCheck.
 */
import type { Backend } from '../backend.ts';

/** Deadline of one check where it names none. */
export const DEFAULT_CHECK_TIMEOUT_MS = 10_000;

/** A way of finding out whether a backend is well. */
export interface HealthCheck {
  /**
   * Checks once: resolves when the backend is well, rejects or throws with the reason when it is not. `signal` aborts at
   * `timeoutMs` and at shutdown; the result is not waited for after that.
   */
  check(backend: Backend, signal: AbortSignal): Promise<void>;
  /** How many successes (or failures) in a row it takes to become healthy (or unhealthy). Values below 1 count as 1. */
  healthThreshold(success: boolean): number;
  /** Called when a backend has become healthy or unhealthy. What it throws is logged and changes nothing. */
  healthStatusChange?(backend: Backend, healthy: boolean): void | Promise<void>;
  /** How the backend is called in logs. Default its address. */
  summary?(backend: Backend): string;
  /** A check that takes longer has failed, however it is written. Default 10,000. */
  readonly timeoutMs?: number;
  /** The backend has left the set: drop what is kept for it. */
  forget?(backend: Backend): void;
  /** The background work has ended: close idle connections. The check stays usable. */
  release?(): void | Promise<void>;
}

/** A backend has become healthy or unhealthy. */
export interface HealthEvent {
  readonly backend: Backend;
  readonly healthy: boolean;
  /** Why the last check failed; undefined when the backend has become healthy. */
  readonly cause: unknown;
}

/** Told of each change, after the snapshot that shows it has been published. What it throws is logged. */
export type HealthObserver = (event: HealthEvent) => void | Promise<void>;
