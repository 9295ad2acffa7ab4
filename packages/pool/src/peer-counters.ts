/**
 * What is counted for each upstream address: connections and requests. A bounded number of addresses has a row of its own.
 *
 * A row is looked up once per connection, which keeps it; requests count on what their connection holds.
 */
import { type Address, formatAddress } from '@cirque/transport';

/** Counters and gauges of one address. All but `active` and `connections` since the start. */
export class PeerCounters {
  /** Requests that were given a connection. */
  requests = 0;
  /** Requests under way. */
  active = 0;
  /** Connections open now, in use or idle. */
  connections = 0;
  /** Connections opened, TLS included. */
  connects = 0;
  /** Attempts that ended without a connection, but for those that were given up by who asked. */
  connectFailures = 0;
  /** Responses with a status of 500 or above. */
  responses5xx = 0;
  /** Requests whose connection or stream broke, or broke the rules, before the end of the response. */
  resets = 0;
  /** Requests that a time limit has ended. */
  timeouts = 0;
}

/** For connections that no connector has made: nobody reads it. */
export const UNCOUNTED: PeerCounters = new PeerCounters();

/** Where everything is counted that has no row of its own. */
export const OTHER_PEERS = 'others';

/** Addresses that are counted apart. */
const MAX_PEERS = 1_024;

/** The row of an address, and when it was asked for last: by a count, not by a time. */
interface Entry {
  readonly row: PeerCounters;
  used: number;
}

/** See the file's head. */
export class PeerTable {
  readonly #max: number;
  // Entries stay where they are: a map whose entries come and go makes garbage that lives long.
  readonly #entries = new Map<string, Entry>();
  readonly #others = new PeerCounters();
  #othersUsed = false;
  #uses = 0;

  constructor(max: number = MAX_PEERS) {
    this.#max = max;
  }

  /**
   * The row of an address. When there are too many, the row goes into `others` that was used least recently and has no
   * connection; while all have some, a new address is counted under `others`.
   */
  of(address: Address): PeerCounters {
    const name = formatAddress(address);
    this.#uses += 1;
    const known = this.#entries.get(name);
    if (known !== undefined) {
      known.used = this.#uses;
      return known.row;
    }
    if (this.#entries.size >= this.#max && !this.#makeRoom()) {
      this.#othersUsed = true;
      return this.#others;
    }
    const row = new PeerCounters();
    this.#entries.set(name, { row, used: this.#uses });
    return row;
  }

  /** The counters by address, as plain data: those used least recently first. */
  snapshot(): Record<string, Readonly<PeerCounters>> {
    const peers: Record<string, Readonly<PeerCounters>> = {};
    const byUse = [...this.#entries].sort(([, a], [, b]) => a.used - b.used);
    for (const [name, { row }] of byUse) peers[name] = { ...row };
    if (this.#othersUsed) peers[OTHER_PEERS] = { ...this.#others };
    return peers;
  }

  #makeRoom(): boolean {
    let oldest: [name: string, entry: Entry] | undefined;
    for (const candidate of this.#entries) {
      const [, { row, used }] = candidate;
      // Somebody may still count on it.
      if (row.connections > 0 || row.active > 0) continue;
      if (oldest === undefined || used < oldest[1].used) oldest = candidate;
    }
    if (oldest === undefined) return false;
    const [name, { row }] = oldest;
    this.#entries.delete(name);
    for (const counter of Object.keys(row) as (keyof PeerCounters)[]) this.#others[counter] += row[counter];
    this.#othersUsed = true;
    return true;
  }
}
