/**
 * Counts the connections of a service against its limits, over all its threads.
 *
 * The total is exact: it never passes the limit. Two threads that ask for the last place at the same moment may both be
 * refused. How exact the counts of clients are is told in client-counts.ts.
 */
import { SharedGauge } from '@cirque/limits';
import type { Stream } from '@cirque/transport';
import { soleThread, type ThreadPlace } from '../service/thread-place.ts';
import { type ClientCounts, clientCountBytes, clientCounts } from './client-counts.ts';
import { clientKey } from './client-key.ts';
import type { ResolvedConnectionLimits } from './connection-limit-options.ts';

const TOTAL = 'connections';
const CLIENTS = 'connectionsPerClient';

/** See the file's head. */
export class ConnectionLimits {
  readonly options: ResolvedConnectionLimits;
  #total: SharedGauge | undefined;
  #clients: ClientCounts | undefined;
  /** Open connections that have no place: they were refused. */
  readonly #placeless: Set<Stream> = new Set();
  readonly #clientOf: Map<Stream, string> = new Map();

  constructor(options: ResolvedConnectionLimits) {
    this.options = options;
    this.join(soleThread());
  }

  /** Bytes by name that the threads of the service share. */
  sharedMemory(threads: number): Readonly<Record<string, number>> {
    const { maxConnections, maxConnectionsPerClient } = this.options;
    const clientBytes = maxConnectionsPerClient === undefined ? 0 : clientCountBytes(threads);
    return {
      ...(maxConnections === undefined ? {} : { [TOTAL]: SharedGauge.bytes(threads) }),
      ...(clientBytes === 0 ? {} : { [CLIENTS]: clientBytes }),
    };
  }

  /** Counts together with the other threads from now on. Before the first connection. */
  join(place: ThreadPlace): void {
    const { rows, row, shared } = place;
    const { maxConnections, maxConnectionsPerClient } = this.options;
    this.#total = maxConnections === undefined ? undefined : new SharedGauge({ rows, row, buffer: shared[TOTAL] });
    this.#clients = maxConnectionsPerClient === undefined ? undefined : clientCounts(place, shared[CLIENTS]);
  }

  /** Takes a place for a new connection. False: there is none. Every connection that was asked for is told {@link closed}. */
  admit(stream: Stream): boolean {
    const { maxConnections } = this.options;
    if (this.#total === undefined || maxConnections === undefined || this.#total.add(1) <= maxConnections) return true;
    this.#giveUp(stream);
    return false;
  }

  /** The same for the client of an admitted connection, once its address is known. False takes the place back. */
  admitClient(stream: Stream): boolean {
    const { maxConnectionsPerClient, clientPrefix } = this.options;
    if (this.#clients === undefined || maxConnectionsPerClient === undefined) return true;
    const { remoteAddress } = stream.digest.socket;
    if (remoteAddress === undefined) return true;
    const client = clientKey(remoteAddress, clientPrefix);
    if (this.#clients.add(client) <= maxConnectionsPerClient) {
      this.#clientOf.set(stream, client);
      return true;
    }
    this.#clients.remove(client);
    // Who is only told no takes nobody's place.
    this.#giveUp(stream);
    return false;
  }

  /** `next` was made on top of `stream`. */
  moved(stream: Stream, next: Stream): void {
    if (this.#placeless.delete(stream)) this.#placeless.add(next);
    const client = this.#clientOf.get(stream);
    if (client === undefined) return;
    this.#clientOf.delete(stream);
    this.#clientOf.set(next, client);
  }

  /** The connection is over. */
  closed(stream: Stream): void {
    if (this.#placeless.size > 0 && this.#placeless.delete(stream)) return;
    this.#total?.add(-1);
    if (this.#clients === undefined) return;
    const client = this.#clientOf.get(stream);
    if (client === undefined) return;
    this.#clientOf.delete(stream);
    this.#clients.remove(client);
  }

  #giveUp(stream: Stream): void {
    this.#total?.add(-1);
    this.#placeless.add(stream);
  }
}
