/**
 * The healthy clients: a steady number of requests per second, each timed, every failure counted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { WireConnection, type WireTarget } from './wire-connection.ts';

export interface SteadyOptions extends WireTarget {
  readonly path: string;
  /** Clients at the same time; each has one request under way at most. */
  readonly clients: number;
  /** Requests per second of all together. */
  readonly perSecond: number;
  /** A new connection for each request. Default false: each client keeps its own. */
  readonly fresh?: boolean;
}

/** Requests that were answered or failed within a span of time. */
export interface Latencies {
  readonly requests: number;
  /** Answers other than 200, and requests without one. */
  readonly errors: number;
  /** What the first errors were. */
  readonly reasons: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const REQUEST_TIMEOUT_MS = 5_000;
const REASONS_KEPT = 5;

/** The value that this share of the values does not exceed; 0 of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export class SteadyClients {
  readonly #options: SteadyOptions;
  readonly #lanes: readonly Promise<void>[];
  readonly #connections = new Set<WireConnection>();
  #times: number[] = [];
  #reasons: string[] = [];
  #errors = 0;
  #stopped = false;

  private constructor(options: SteadyOptions) {
    this.#options = options;
    const everyMs = (options.clients * 1_000) / options.perSecond;
    this.#lanes = Array.from({ length: options.clients }, (_, index) =>
      this.#lane(everyMs, (everyMs * index) / options.clients),
    );
  }

  static start(options: SteadyOptions): SteadyClients {
    return new SteadyClients(options);
  }

  /** Forgets what was, and answers what has happened after this time. */
  async measure(durationMs: number, signal: AbortSignal): Promise<Latencies> {
    this.reset();
    await pause(durationMs, undefined, { signal });
    return this.seen();
  }

  reset(): void {
    this.#times = [];
    this.#reasons = [];
    this.#errors = 0;
  }

  seen(): Latencies {
    const times = this.#times;
    return {
      requests: times.length + this.#errors,
      errors: this.#errors,
      reasons: this.#reasons,
      p50Ms: quantile(times, 0.5),
      p99Ms: quantile(times, 0.99),
      maxMs: quantile(times, 1),
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
    for (const connection of this.#connections) connection.destroy();
  }

  async #lane(everyMs: number, offsetMs: number): Promise<void> {
    let due = performance.now() + offsetMs;
    let connection: WireConnection | undefined;
    while (!this.#stopped) {
      await pause(Math.max(0, due - performance.now()));
      due = Math.max(due + everyMs, performance.now());
      const startedAt = performance.now();
      connection ??= this.#open();
      const good = await this.#ask(connection, startedAt);
      if (good && this.#options.fresh !== true) continue;
      this.#connections.delete(connection);
      connection.destroy();
      connection = undefined;
    }
  }

  #open(): WireConnection {
    const connection = new WireConnection(this.#options);
    this.#connections.add(connection);
    return connection;
  }

  async #ask(connection: WireConnection, startedAt: number): Promise<boolean> {
    try {
      const { status } = await connection.ask(this.#options.path, REQUEST_TIMEOUT_MS);
      if (status !== 200) throw new Error(`answered ${status}`);
      this.#times.push(performance.now() - startedAt);
      return true;
    } catch (error) {
      this.#errors++;
      if (this.#reasons.length < REASONS_KEPT) this.#reasons.push(error instanceof Error ? error.message : 'failed');
      return false;
    }
  }
}
