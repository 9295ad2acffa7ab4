/**
 * Idle connections by key: the newest of a key is taken first, the least recently used of all goes first at the cap.
 *
 * Every entry is in two linked lists at once, one per key and one for all, so each operation is O(1).
 */

/** What a pool keeps. */
export interface Poolable {
  /** The pool gives the connection up: close it. It is no longer in the pool. */
  evicted(): void;
}

/** A place in the pool; the connection keeps it and reuses it. */
export class PoolEntry<C extends Poolable> {
  readonly connection: C;
  readonly key: string;
  /** @internal */
  pooled = false;
  /** @internal */
  olderOfKey: PoolEntry<C> | undefined = undefined;
  /** @internal */
  newerOfKey: PoolEntry<C> | undefined = undefined;
  /** @internal */
  older: PoolEntry<C> | undefined = undefined;
  /** @internal */
  newer: PoolEntry<C> | undefined = undefined;

  constructor(key: string, connection: C) {
    this.key = key;
    this.connection = connection;
  }
}

/** Numbers of a pool; all but `idle` since the start. */
export interface PoolStats {
  /** Connections in the pool now. */
  readonly idle: number;
  /** How often a connection was found, */
  readonly hits: number;
  /** and how often none was there. */
  readonly misses: number;
  /** Connections given up for the cap or by `clear`, not those that closed. */
  readonly evictions: number;
}

/** A pool with one cap over all keys. */
export class ConnectionPool<C extends Poolable> {
  readonly #capacity: number;
  readonly #newestOfKey = new Map<string, PoolEntry<C>>();
  #newest: PoolEntry<C> | undefined;
  #oldest: PoolEntry<C> | undefined;
  #size = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  /** @param capacity connections kept at most; 0 keeps none. @throws RangeError unless an integer of at least 0. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 0) {
      throw new RangeError(`pool capacity is ${String(capacity)}: expected an integer of at least 0`);
    }
    this.#capacity = capacity;
  }

  /** True when there is one of that key. Counts neither as hit nor as miss. */
  has(key: string): boolean {
    return this.#newestOfKey.has(key);
  }

  /** Takes the newest idle connection of a key out. */
  get(key: string): C | undefined {
    const entry = this.#newestOfKey.get(key);
    if (entry === undefined) {
      this.#misses += 1;
      return undefined;
    }
    this.#hits += 1;
    this.remove(entry);
    return entry.connection;
  }

  /** Keeps a connection as the newest; beyond the cap the least recently used one of all is evicted. */
  put(entry: PoolEntry<C>): void {
    this.remove(entry);
    const ofKey = this.#newestOfKey.get(entry.key);
    entry.olderOfKey = ofKey;
    if (ofKey !== undefined) ofKey.newerOfKey = entry;
    this.#newestOfKey.set(entry.key, entry);
    entry.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
    entry.pooled = true;
    this.#size += 1;
    // Last, when everything is consistent: an eviction may call back.
    while (this.#size > this.#capacity) this.#evictOldest();
  }

  /** Takes a connection out, for example because it was closed; does nothing when it is not in. */
  remove(entry: PoolEntry<C>): void {
    if (!entry.pooled) return;
    entry.pooled = false;
    this.#size -= 1;
    this.#unlinkFromKey(entry);
    if (entry.newer !== undefined) entry.newer.older = entry.older;
    else this.#newest = entry.older;
    if (entry.older !== undefined) entry.older.newer = entry.newer;
    else this.#oldest = entry.newer;
    entry.older = undefined;
    entry.newer = undefined;
  }

  /** Evicts everything. */
  clear(): void {
    while (this.#oldest !== undefined) this.#evictOldest();
  }

  get stats(): PoolStats {
    return { idle: this.#size, hits: this.#hits, misses: this.#misses, evictions: this.#evictions };
  }

  #unlinkFromKey(entry: PoolEntry<C>): void {
    const { olderOfKey, newerOfKey } = entry;
    if (newerOfKey !== undefined) newerOfKey.olderOfKey = olderOfKey;
    else if (olderOfKey !== undefined) this.#newestOfKey.set(entry.key, olderOfKey);
    else this.#newestOfKey.delete(entry.key);
    if (olderOfKey !== undefined) olderOfKey.newerOfKey = newerOfKey;
    entry.olderOfKey = undefined;
    entry.newerOfKey = undefined;
  }

  #evictOldest(): void {
    const entry = this.#oldest as PoolEntry<C>;
    this.remove(entry);
    this.#evictions += 1;
    entry.connection.evicted();
  }
}
