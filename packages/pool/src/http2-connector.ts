/**
 * HTTP/2 sessions: a place on a connection in use, else an idle connection, else a new one, within the caps.
 *
 * Requests that come while a connection is being opened wait for it, as long as it will have places for them.
 */
import { CirqueError } from '@cirque/error';
import type { TimerWheel } from '@cirque/timeout';
import { formatAddress, type Stream } from '@cirque/transport';
import { afterPoll } from './after-poll.ts';
import type { ClientSession } from './client-session.ts';
import type { PoolStats } from './connection-pool.ts';
import type { CountedTransport } from './counted-transport.ts';
import type { Http1Connections } from './http1-connections.ts';
import { Http2ClientConnection, type Http2ConnectionOwner } from './http2-client-connection.ts';
import type { Http2ClientSession } from './http2-client-session.ts';
import { Http2Connections } from './http2-connections.ts';
import type { Peer } from './peer.ts';
import type { PeerTable } from './peer-counters.ts';
import { protocolOf } from './peer-protocol.ts';
import type { PeerSlots } from './peer-slots.ts';
import type { PreferH1 } from './prefer-h1.ts';
import type { SessionRequest } from './session-request.ts';
import { SessionWaiter } from './session-waiter.ts';
import { type Opening, WaitingRoom } from './waiting-room.ts';

/** What it works with. */
export interface Http2ConnectorParts {
  readonly transport: CountedTransport;
  readonly peers: PeerTable;
  readonly slots: PeerSlots;
  /** Takes over when the upstream chooses HTTP/1. */
  readonly http1: Http1Connections;
  /** Where peers are noted that do, or that ask for it. */
  readonly preferH1: PreferH1;
  readonly poolSize: number;
  readonly wheel: TimerWheel | undefined;
}

/** See the file's head. */
export class Http2Connector implements Http2ConnectionOwner {
  readonly #parts: Http2ConnectorParts;
  readonly #connections: Http2Connections;
  readonly #rooms = new Map<string, WaitingRoom>();
  readonly #open = new Set<Http2ClientConnection>();
  #closed = false;

  constructor(parts: Http2ConnectorParts) {
    this.#parts = parts;
    this.#connections = new Http2Connections(parts.poolSize);
  }

  /** As HttpConnector.getSession; at once when a connection has a place. */
  getSession(peer: Peer, request: SessionRequest): ClientSession | Promise<ClientSession> {
    const connection = this.#connections.shared(peer.reuseKey) ?? this.#takeIdle(peer);
    if (connection === undefined) {
      const kept = protocolOf(peer.options) === 'either' ? this.#parts.http1.getIdle(peer, request) : undefined;
      return kept ?? this.#wait(peer, request);
    }
    const wasIdle = connection.sessions === 0;
    const session = this.#place(connection, peer);
    return wasIdle && request.careful === true ? this.#look(session, peer, request) : session;
  }

  get stats(): PoolStats {
    return this.#connections.stats;
  }

  /** Connections in use. */
  get active(): number {
    return this.#connections.inUse;
  }

  /** Connections, in use or idle. */
  get connections(): number {
    return this.#open.size;
  }

  /** Requests under way. */
  get streams(): number {
    let streams = 0;
    for (const connection of this.#open) streams += connection.sessions;
    return streams;
  }

  /** Requests that wait for a place, less those that wait for a slot for it: who counts slots has counted them. */
  get waiting(): number {
    let waiting = 0;
    for (const room of this.#rooms.values()) waiting += room.waiters.length - (room.blocked ? 1 : 0);
    return waiting;
  }

  /** Closes idle connections, now and whenever one becomes idle. */
  close(): void {
    this.#closed = true;
    this.#connections.clear();
  }

  // ---- what connections report

  /** @internal */
  changed(connection: Http2ClientConnection): void {
    const room = this.#rooms.get(connection.entry.key);
    if (room !== undefined) {
      if (connection.ready || connection.draining) room.unready.delete(connection);
      if (!connection.entry.pooled || this.#wake(connection, room)) this.#serve(room, connection);
      this.#provide(room, connection.entry.key);
    }
    if (connection.draining) this.#connections.remove(connection);
    else if (connection.sessions > 0) this.#connections.file(connection);
    else this.#rest(connection);
  }

  /** @internal */
  closed(connection: Http2ClientConnection, error: CirqueError | undefined): void {
    const { key } = connection.entry;
    this.#open.delete(connection);
    this.#connections.remove(connection);
    this.#releaseSlot(connection);
    const room = this.#rooms.get(key);
    if (room === undefined) return;
    // Those that have counted on it hear what became of it.
    if (room.unready.delete(connection) && error !== undefined) this.#refuse(room, error);
    this.#provide(room, key);
  }

  /** @internal */
  downgraded(connection: Http2ClientConnection, forMs: number): void {
    this.#parts.preferH1.add(connection.entry.key, forMs);
  }

  // ---- places

  #place(connection: Http2ClientConnection, peer: Peer): Http2ClientSession {
    const session = connection.take(peer.options);
    this.#connections.file(connection);
    return session;
  }

  #takeIdle(peer: Peer): Http2ClientConnection | undefined {
    const slotKey = this.#trySlot(peer);
    if (slotKey === false) return undefined;
    const connection = this.#popIdle(peer.reuseKey);
    if (connection !== undefined) connection.slotKey = slotKey;
    else if (slotKey !== undefined) this.#parts.slots.release(slotKey);
    return connection;
  }

  #popIdle(key: string): Http2ClientConnection | undefined {
    let connection = this.#connections.takeIdle(key);
    while (connection !== undefined && connection.freePlaces === 0) {
      connection.evicted();
      connection = this.#connections.takeIdle(key);
    }
    return connection;
  }

  /** An idle connection has got places while somebody waits for one: true when it may be used. */
  #wake(connection: Http2ClientConnection, { waiters }: WaitingRoom): boolean {
    if (waiters[0] === undefined || connection.freePlaces === 0) return false;
    const slotKey = this.#trySlot(waiters[0].peer);
    if (slotKey === false) return false;
    this.#connections.remove(connection);
    connection.slotKey = slotKey;
    return true;
  }

  /** For a request that must not be sent twice: has the idle connection been closed meanwhile? */
  async #look(session: Http2ClientSession, peer: Peer, request: SessionRequest): Promise<ClientSession> {
    await new Promise<void>(afterPoll);
    if (session.usable) return session;
    session.release();
    return this.getSession(peer, request);
  }

  /** Nobody uses the connection. */
  #rest(connection: Http2ClientConnection): void {
    this.#releaseSlot(connection);
    if (connection.entry.pooled) return;
    if (this.#closed || connection.idleTimeoutMs === 0) {
      connection.evicted();
      return;
    }
    connection.idle(connection.idleTimeoutMs);
    this.#connections.file(connection);
  }

  // ---- waiting

  #wait(peer: Peer, request: SessionRequest): Promise<ClientSession> {
    const key = peer.reuseKey;
    if (request.signal?.aborted === true) {
      const what = `connecting to ${formatAddress(peer.address)} was cancelled`;
      return Promise.reject(CirqueError.upstream('ConnectError', what));
    }
    const room = this.#rooms.get(key) ?? new WaitingRoom();
    this.#rooms.set(key, room);
    const waiter = new SessionWaiter(peer, request, (left) => this.#left(room, key, left), this.#parts.wheel);
    room.waiters.push(waiter);
    const { maxPendingRequests } = peer.options;
    if (this.#provide(room, key) > maxPendingRequests) {
      const what = `all connections to ${key} are in use and ${maxPendingRequests} requests wait`;
      waiter.refuse(CirqueError.http(503, what, { source: 'Upstream' }));
      this.#left(room, key, waiter);
    }
    return waiter.promise;
  }

  #left(room: WaitingRoom, key: string, waiter: SessionWaiter): void {
    room.remove(waiter);
    if (room.waiters.length === 0) room.abandon('all');
    this.#tidy(room, key);
  }

  #serve(room: WaitingRoom, connection: Http2ClientConnection): void {
    while (connection.freePlaces > 0) {
      const waiter = room.waiters.shift();
      if (waiter === undefined) break;
      waiter.give(this.#place(connection, waiter.peer));
    }
    if (room.waiters.length === 0) room.abandon('blocked');
  }

  /** Fails as many as one connection would have served, the oldest first. */
  #refuse(room: WaitingRoom, error: CirqueError): void {
    const perConnection = room.waiters[0]?.peer.options.maxH2Streams ?? 0;
    room.waiters.splice(0, perConnection).forEach((waiter, at) => {
      // Who retries changes the error: each gets one of its own.
      waiter.refuse(at === 0 ? error : error.moreContext('waiting for a connection'));
    });
  }

  #tidy(room: WaitingRoom, key: string): void {
    if (room.empty && this.#rooms.get(key) === room) this.#rooms.delete(key);
  }

  // ---- opening

  /** Sees to it that enough is under way for all that wait. Answers how many have to wait for a slot of a capped peer. */
  #provide(room: WaitingRoom, key: string): number {
    const peer = room.waiters.at(-1)?.peer;
    let blocked = 0;
    if (peer !== undefined) {
      const { maxH2Streams } = peer.options;
      let missing = room.waiters.length - room.expectedPlaces(maxH2Streams);
      while (missing > 0) {
        const slotKey = this.#trySlot(peer);
        if (slotKey === false) {
          blocked = missing;
          if (!room.blocked) void this.#openWithSlot(room, peer);
          break;
        }
        void this.#openNow(room, peer, { controller: new AbortController(), blocked: false }, slotKey);
        missing -= maxH2Streams;
      }
    }
    this.#tidy(room, key);
    return blocked;
  }

  /** Waits for a slot, then uses an idle connection or opens one. */
  async #openWithSlot(room: WaitingRoom, peer: Peer): Promise<void> {
    const { slots, wheel } = this.#parts;
    const key = peer.reuseKey;
    const opening: Opening = { controller: new AbortController(), blocked: true };
    room.openings.add(opening);
    const { signal } = opening.controller;
    const wish = {
      max: peer.options.maxConnections,
      maxPending: Number.POSITIVE_INFINITY,
      timeoutMs: 0,
      signal,
      wheel,
    };
    try {
      await slots.acquire(key, wish);
    } catch {
      // Nobody waits any more: only its own signal can have ended this.
      return;
    }
    if (signal.aborted) {
      slots.release(key);
      return;
    }
    opening.blocked = false;
    const idle = this.#popIdle(key);
    if (idle === undefined) {
      await this.#openNow(room, peer, opening, key);
      return;
    }
    room.openings.delete(opening);
    idle.slotKey = key;
    this.changed(idle);
  }

  async #openNow(room: WaitingRoom, peer: Peer, opening: Opening, slotKey: string | undefined): Promise<void> {
    room.openings.add(opening);
    try {
      // Each waiter has its own time limit.
      const stream = await this.#parts.transport.newStream(peer, opening.controller.signal, 0);
      room.openings.delete(opening);
      this.#use(stream, room, peer, slotKey);
    } catch (error) {
      // Otherwise it was abandoned.
      const awaited = room.openings.delete(opening);
      this.#openingFailed(awaited ? room : undefined, CirqueError.from(error, 'ConnectError', 'Upstream'), slotKey);
    }
    this.#provide(room, peer.reuseKey);
  }

  #openingFailed(room: WaitingRoom | undefined, error: CirqueError, slotKey: string | undefined): void {
    if (slotKey !== undefined) this.#parts.slots.release(slotKey);
    if (room !== undefined) this.#refuse(room, error);
  }

  #use(stream: Stream, room: WaitingRoom, peer: Peer, slotKey: string | undefined): void {
    const { options, reuseKey } = peer;
    if (!options.tls || stream.digest.ssl?.alpn === 'h2') {
      const connection = new Http2ClientConnection(stream, reuseKey, options, this, this.#parts.wheel);
      connection.counters = this.#parts.peers.of(peer.address);
      connection.slotKey = slotKey;
      connection.idleTimeoutMs = options.idleTimeoutMs;
      this.#open.add(connection);
      room.unready.add(connection);
      this.changed(connection);
    } else if (protocolOf(options) === 'either') {
      this.#useHttp1(stream, room, peer, slotKey);
    } else {
      stream.destroy();
      const what = `${formatAddress(peer.address)} did not choose HTTP/2 in the TLS handshake (ALPN)`;
      this.#openingFailed(room, CirqueError.upstream('H2Error', what), slotKey);
    }
  }

  /** The upstream has chosen HTTP/1: one request has its connection, the others get theirs on that way. */
  #useHttp1(stream: Stream, room: WaitingRoom, peer: Peer, slotKey: string | undefined): void {
    const { http1, preferH1 } = this.#parts;
    preferH1.add(peer.reuseKey, peer.options.h2DowngradeMs);
    const [first, ...others] = room.waiters.splice(0);
    const session = http1.adopt(stream, first?.peer ?? peer, slotKey);
    if (first === undefined) session.release();
    else first.give(session);
    for (const waiter of others) waiter.give(toPromise(http1, waiter));
    room.abandon('blocked');
  }

  // ---- slots

  /** The slot's key, undefined for a peer without a cap, false when none is free. */
  #trySlot(peer: Peer): string | undefined | false {
    const { maxConnections } = peer.options;
    if (maxConnections === 0) return undefined;
    return this.#parts.slots.tryAcquire(peer.reuseKey, maxConnections) ? peer.reuseKey : false;
  }

  #releaseSlot(connection: Http2ClientConnection): void {
    const { slotKey } = connection;
    if (slotKey === undefined) return;
    connection.slotKey = undefined;
    this.#parts.slots.release(slotKey);
  }
}

function toPromise(http1: Http1Connections, { peer, request }: SessionWaiter): Promise<ClientSession> {
  return Promise.resolve(http1.getSession(peer, request));
}
