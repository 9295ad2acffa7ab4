/**
 * Health check: can a connection be opened? The connection is closed at once, nothing is sent.
 */
import type { Backend } from '../backend.ts';
import { realTime, type TimeSource } from '../time-source.ts';
import { type CheckOptions, positiveInteger } from './check-options.ts';
import { connectTcp } from './connect-tcp.ts';
import type { HealthCheck } from './health-check.ts';

/** Everything has a default. */
export interface TcpHealthCheckOptions extends CheckOptions {
  /** For tests: the clock and the timers. */
  readonly time?: TimeSource | undefined;
}

/**
 * Opens a connection to the backend; unix-domain sockets included. Pingora's defaults: one result decides, and the
 * connection must be there within a second. Throws RangeError for a number that is not an integer from 1.
 */
export class TcpHealthCheck implements HealthCheck {
  readonly consecutiveSuccess: number;
  readonly consecutiveFailure: number;
  readonly connectionTimeoutMs: number;
  readonly timeoutMs: number;
  readonly healthStatusChange?: (backend: Backend, healthy: boolean) => void | Promise<void>;
  readonly summary?: (backend: Backend) => string;
  readonly #time: TimeSource;

  constructor(options: TcpHealthCheckOptions = {}) {
    this.consecutiveSuccess = positiveInteger('consecutiveSuccess', options.consecutiveSuccess, 1);
    this.consecutiveFailure = positiveInteger('consecutiveFailure', options.consecutiveFailure, 1);
    this.connectionTimeoutMs = positiveInteger('connectionTimeoutMs', options.connectionTimeoutMs, 1000);
    // The connection attempt ends by itself; this is the net below it.
    this.timeoutMs = this.connectionTimeoutMs + 1000;
    if (options.healthStatusChange !== undefined) this.healthStatusChange = options.healthStatusChange;
    if (options.summary !== undefined) this.summary = options.summary;
    this.#time = options.time ?? realTime;
  }

  /** Resolves once connected; rejects with ConnectRefused, ConnectTimedout, ConnectNoRoute and the like. */
  async check(backend: Backend, signal?: AbortSignal): Promise<void> {
    const socket = await connectTcp(backend, { timeoutMs: this.connectionTimeoutMs, time: this.#time, signal });
    socket.destroy();
  }

  /** The option for this kind of result. */
  healthThreshold(success: boolean): number {
    return success ? this.consecutiveSuccess : this.consecutiveFailure;
  }
}
