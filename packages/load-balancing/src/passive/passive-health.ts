/**
 * Passive health: takes a backend out for a while when the requests that it gets fail.
 *
 * Decides who is ejected and until when; what ejection means for choosing is the balancer's business. After Envoy's outlier
 * detection: consecutive failures, error rate over a minimum volume, growing times, at most a share of the backends.
 */
import { Timer } from '@cirque/timeout';
import type { TimeSource } from '../time-source.ts';
import { OutcomeRecord } from './outcome-record.ts';
import {
  type PassiveHealthOptions,
  type ResolvedPassiveHealth,
  resolvePassiveHealth,
} from './passive-health-options.ts';

/** What passive health needs, and whom it tells. */
export interface PassiveHealthParts {
  readonly time: TimeSource;
  /** A backend is out until then (clock time), or a tick of the wheel longer. `why` is for logs. */
  ejected(address: string, untilMs: number, why: string): void;
  /** Its time is over. */
  returned(address: string): void;
}

/** Judges backends by the outcomes of requests. Constant work per outcome; one timer for all of them. */
export class PassiveHealth {
  readonly #options: ResolvedPassiveHealth;
  readonly #parts: PassiveHealthParts;
  readonly #records = new Map<string, OutcomeRecord>();
  /** Those that are out, and until when. */
  readonly #ejected = new Map<string, number>();
  readonly #timer: Timer;
  #closed = false;

  /** Throws RangeError naming the option. */
  constructor(options: PassiveHealthOptions, parts: PassiveHealthParts) {
    this.#options = resolvePassiveHealth(options);
    this.#parts = parts;
    this.#timer = new Timer(() => this.#returnThoseDue(), parts.time.wheel);
  }

  /** How many backends are out now. */
  get ejectedCount(): number {
    return this.#ejected.size;
  }

  /**
   * Takes in the outcome of one request to a backend of the set; `total` is the number of backends in the set now. Outcomes of
   * a backend that is out count for nothing: they are of requests that were begun before, or in panic.
   */
  report(address: string, ok: boolean, total: number): void {
    if (this.#closed || this.#ejected.has(address)) return;
    const { errorRate, intervalMs } = this.#options;
    let record = this.#records.get(address);
    if (record === undefined) {
      if (ok && errorRate === 0) return;
      record = new OutcomeRecord();
      this.#records.set(address, record);
    }
    record.count(ok, this.#parts.time.clock.now(), intervalMs);
    if (ok) return;
    const why = this.#reasonIn(record);
    if (why !== undefined && this.#mayEject(total)) this.#eject(address, record, why);
  }

  /** True from `ejected` to `returned`. */
  isEjected(address: string): boolean {
    return this.#ejected.has(address);
  }

  /** Ejections in a row, less one for each interval that the backend has been back without another one. */
  ejections(address: string): number {
    const record = this.#records.get(address);
    if (record === undefined) return 0;
    return this.#ejected.has(address) ? record.ejections : this.#unforgiven(record);
  }

  /** The backend has left the set: it is nobody any more, and `returned` is not called for it. */
  forget(address: string): void {
    this.#records.delete(address);
    this.#ejected.delete(address);
    if (this.#ejected.size === 0) this.#timer.clear();
  }

  /** The end: nobody is told anything any more. */
  close(): void {
    this.#closed = true;
    this.#timer.close();
    this.#records.clear();
    this.#ejected.clear();
  }

  #reasonIn({ failuresInRow, failures, volume }: OutcomeRecord): string | undefined {
    const { consecutiveFailures, errorRate, minimumVolume, intervalMs } = this.#options;
    if (consecutiveFailures > 0 && failuresInRow >= consecutiveFailures) return `${failuresInRow} failures in a row`;
    if (errorRate > 0 && volume >= minimumVolume && failures / volume >= errorRate) {
      return `${failures} of ${volume} failed within ${intervalMs} ms`;
    }
    return undefined;
  }

  #mayEject(total: number): boolean {
    if (total < 2) return false;
    // What a product lacks by rounding shall not cost a backend.
    return this.#ejected.size < Math.max(1, Math.floor(total * this.#options.maxEjectedShare + 1e-9));
  }

  #eject(address: string, record: OutcomeRecord, why: string): void {
    const { baseEjectionMs, maxEjectionMs } = this.#options;
    record.ejections = this.#unforgiven(record) + 1;
    record.clear();
    const until = this.#parts.time.clock.now() + Math.min(maxEjectionMs, baseEjectionMs * record.ejections);
    this.#ejected.set(address, until);
    this.#wakeBy(until);
    this.#parts.ejected(address, until, why);
  }

  #unforgiven({ ejections, returnedAt }: OutcomeRecord): number {
    if (ejections === 0) return 0;
    const clean = Math.floor((this.#parts.time.clock.now() - returnedAt) / this.#options.intervalMs);
    return Math.max(0, ejections - clean);
  }

  #returnThoseDue(): void {
    const now = this.#parts.time.clock.now();
    const due = [...this.#ejected].filter(([, until]) => until <= now);
    for (const [address] of due) {
      this.#ejected.delete(address);
      const record = this.#records.get(address);
      if (record !== undefined) record.returnedAt = now;
    }
    for (const until of this.#ejected.values()) this.#wakeBy(until);
    // Told last, as the listener may do anything, also eject, forget and close.
    for (const [address] of due) {
      if (this.#records.has(address)) this.#parts.returned(address);
    }
  }

  #wakeBy(until: number): void {
    const delayMs = Math.max(0, until - this.#parts.time.clock.now());
    if (!this.#timer.armed || delayMs < this.#timer.remainingMs) this.#timer.set(delayMs);
  }
}
