/**
 * HTTP/2 connections by key: those in use that have free places, and the idle ones.
 *
 * Counts no sessions itself: every connection knows its own. {@link Http2Connections.file} puts it where it belongs now.
 */
import { ConnectionPool, type PoolStats } from './connection-pool.ts';
import type { Http2ClientConnection } from './http2-client-connection.ts';

/** See the file's head. */
export class Http2Connections {
  /** In the order in which they had a place free again, so that those opened last run empty and go. */
  readonly #free = new Map<string, Set<Http2ClientConnection>>();
  readonly #idle: ConnectionPool<Http2ClientConnection>;
  /** Those with a request on them. */
  inUse = 0;
  /** Requests that found a connection in use. */
  #shared = 0;

  /** @param capacity idle connections kept at most, over all keys. */
  constructor(capacity: number) {
    this.#idle = new ConnectionPool(capacity);
  }

  /** One in use that has a place free; it stays where it is. */
  shared(key: string): Http2ClientConnection | undefined {
    const connection = this.#free.get(key)?.values().next().value;
    if (connection !== undefined) this.#shared += 1;
    return connection;
  }

  /** The newest idle one, taken out. */
  takeIdle(key: string): Http2ClientConnection | undefined {
    return this.#idle.get(key);
  }

  /** Sorts a connection in after its places have changed. One without sessions is idle: it must have been readied for that. */
  file(connection: Http2ClientConnection): void {
    const { sessions, draining, freePlaces } = connection;
    this.#count(connection, sessions > 0);
    this.#list(connection, sessions > 0 && freePlaces > 0);
    if (sessions > 0 || draining) this.#idle.remove(connection.entry);
    else if (!connection.entry.pooled) this.#idle.put(connection.entry);
  }

  /** Takes a connection out altogether. */
  remove(connection: Http2ClientConnection): void {
    this.#count(connection, false);
    this.#list(connection, false);
    this.#idle.remove(connection.entry);
  }

  /** Gives all idle ones up. */
  clear(): void {
    this.#idle.clear();
  }

  /** `hits`: requests that found a connection, idle or in use. */
  get stats(): PoolStats {
    const { hits, ...stats } = this.#idle.stats;
    return { ...stats, hits: hits + this.#shared };
  }

  #count(connection: Http2ClientConnection, inUse: boolean): void {
    if (connection.inUse === inUse) return;
    connection.inUse = inUse;
    this.inUse += inUse ? 1 : -1;
  }

  #list(connection: Http2ClientConnection, free: boolean): void {
    const { key } = connection.entry;
    let connections = this.#free.get(key);
    if (free) {
      if (connections === undefined) {
        connections = new Set();
        this.#free.set(key, connections);
      }
      connections.add(connection);
    } else if (connections?.delete(connection) === true && connections.size === 0) {
      this.#free.delete(key);
    }
  }
}
