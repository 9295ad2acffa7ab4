/**
 * Remembers which backend a client was sent to, by a key: its address, a user name, a session.
 *
 * A table of its own in each thread. Bounded by number and by time; nothing runs beside it.
 */
import { type Clock, systemClock } from '@cirque/timeout';
import { integerOption } from '../number-option.ts';

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
  address: string;
  expiresAt: number;
}

/** Client key to address; constant time for everything. Throws RangeError naming the option. */
export class StickyTable {
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #clock: Clock;
  /** In the order of use. As all live equally long, that is also the order in which they expire. */
  readonly #entries = new Map<string, Entry>();

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
    this.#entries.delete(key);
    const now = this.#clock.now();
    if (entry.expiresAt <= now) return undefined;
    entry.expiresAt = now + this.#ttlMs;
    this.#entries.set(key, entry);
    return entry.address;
  }

  /** Remembers where the client was sent to. */
  set(key: string, address: string): void {
    const now = this.#clock.now();
    const entry = this.#entries.get(key) ?? { address, expiresAt: 0 };
    entry.address = address;
    entry.expiresAt = now + this.#ttlMs;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#shrink(now);
  }

  /** Forgets the client. True when it was known. */
  delete(key: string): boolean {
    return this.#entries.delete(key);
  }

  /** Forgets everybody. */
  clear(): void {
    this.#entries.clear();
  }

  /** Two at the most for each one that comes: the table empties itself faster than it is filled. */
  #shrink(now: number): void {
    for (let count = 0; count < 2; count += 1) {
      const oldest = this.#entries.entries().next().value;
      if (oldest === undefined) return;
      const [key, { expiresAt }] = oldest;
      if (expiresAt > now && this.#entries.size <= this.#maxEntries) return;
      this.#entries.delete(key);
    }
  }
}
