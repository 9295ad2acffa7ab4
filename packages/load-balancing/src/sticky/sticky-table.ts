/**
 * Remembers which backend a client was sent to, by a key: its address, a user name, a session.
 *
 * A table of its own in each thread. Bounded by number and by time; nothing runs beside it.
 */
import { type Clock, systemClock } from '@cirque/timeout';
import { integerOption } from '../number-option.ts';
import { RecencyList } from './recency-list.ts';

/** Everything has a default. */
export interface StickyTableOptions {
  /** A client that was away for so long is forgotten. Default 1,800,000 (half an hour). */
  readonly ttlMs?: number | undefined;
  /** With more clients than that, the one that was away for longest is forgotten. Default 100,000. */
  readonly maxEntries?: number | undefined;
  /** For tests: the clock. */
  readonly clock?: Clock | undefined;
}

interface Entry {
  readonly key: string;
  address: string;
  expiresAt: number;
  newer: Entry | undefined;
  older: Entry | undefined;
}

/** Client key to address; constant time for everything. Throws RangeError naming the option. */
export class StickyTable {
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  /** As all live equally long, the order of use is also the order in which they expire. */
  readonly #order = new RecencyList<Entry>();

  constructor(options: StickyTableOptions = {}) {
    this.#ttlMs = integerOption('ttlMs', options.ttlMs, 1_800_000, 1);
    this.#maxEntries = integerOption('maxEntries', options.maxEntries, 100_000, 1, 10_000_000);
    this.#clock = options.clock ?? systemClock;
  }

  /** How many clients are remembered, some of them perhaps beyond their time. */
  get size(): number {
    return this.#entries.size;
  }

  /** Where the client was sent to, for `prefer`; undefined when it is not known any more. Asking renews it. */
  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#clock.now();
    if (entry.expiresAt <= now) {
      this.#remove(entry);
      return undefined;
    }
    entry.expiresAt = now + this.#ttlMs;
    this.#order.touch(entry);
    return entry.address;
  }

  /** Remembers where the client was sent to. */
  set(key: string, address: string): void {
    const now = this.#clock.now();
    const expiresAt = now + this.#ttlMs;
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.address = address;
      known.expiresAt = expiresAt;
      this.#order.touch(known);
      return;
    }
    const entry: Entry = { key, address, expiresAt, newer: undefined, older: undefined };
    this.#entries.set(key, entry);
    this.#order.add(entry);
    this.#shrink(now);
  }

  /** Forgets the client. True when it was known. */
  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#remove(entry);
    return true;
  }

  /** Forgets everybody. */
  clear(): void {
    this.#entries.clear();
    this.#order.clear();
  }

  /** Two at the most for each one that comes: those beyond their time go faster than new ones come. */
  #shrink(now: number): void {
    for (let count = 0; count < 2; count += 1) {
      const { oldest } = this.#order;
      if (oldest === undefined) return;
      if (oldest.expiresAt > now && this.#entries.size <= this.#maxEntries) return;
      this.#remove(oldest);
    }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#order.remove(entry);
  }
}
