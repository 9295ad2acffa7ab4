/**
 * HTTP/1 sessions: an idle connection when there is one, else a new one, within the caps.
 */
import { DEFAULT_HTTP1_LIMITS, type Http1Limits, ResponseRules } from '@cirque/http1';
import type { TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';
import { afterPoll } from './after-poll.ts';
import type { ClientSession } from './client-session.ts';
import { ConnectionPool, PoolEntry, type PoolStats } from './connection-pool.ts';
import type { CountedTransport } from './counted-transport.ts';
import { Http1ClientSession, type SessionOwner } from './http1-client-session.ts';
import type { Peer } from './peer.ts';
import type { PeerTable } from './peer-counters.ts';
import { http1Peer } from './peer-protocol.ts';
import type { PeerSlots } from './peer-slots.ts';
import type { SessionRequest } from './session-request.ts';

/** A connection with what is remembered of it. */
class PooledSession extends Http1ClientSession {
  entry!: PoolEntry<PooledSession>;
  idleTimeoutMs = 0;
  slotKey: string | undefined = undefined;
  active = false;
}

/** What it works with. */
export interface Http1ConnectionsParts {
  readonly transport: CountedTransport;
  readonly peers: PeerTable;
  readonly slots: PeerSlots;
  readonly poolSize: number;
  readonly wheel: TimerWheel | undefined;
}

/** Gives and takes HTTP/1 sessions of any peer. */
export class Http1Connections implements SessionOwner<PooledSession> {
  readonly #transport: CountedTransport;
  readonly #peers: PeerTable;
  readonly #slots: PeerSlots;
  readonly #pool: ConnectionPool<PooledSession>;
  readonly #rules = new WeakMap<Http1Limits, ResponseRules>([[DEFAULT_HTTP1_LIMITS, DEFAULT_RULES]]);
  readonly #wheel: TimerWheel | undefined;
  /** Connections in use. */
  active = 0;
  #closed = false;

  constructor({ transport, peers, slots, poolSize, wheel }: Http1ConnectionsParts) {
    this.#transport = transport;
    this.#peers = peers;
    this.#slots = slots;
    this.#pool = new ConnectionPool(poolSize);
    this.#wheel = wheel;
  }

  /** As HttpConnector.getSession; at once when a connection is idle. */
  getSession(peer: Peer, request: SessionRequest): ClientSession | Promise<ClientSession> {
    const { maxConnections } = peer.options;
    if (maxConnections > 0) return this.#getCapped(peer, request, maxConnections);
    return this.#take(peer, request, undefined);
  }

  /** The same from an idle connection only; undefined when there is none, or no slot for it. */
  getIdle(peer: Peer, request: SessionRequest): ClientSession | Promise<ClientSession> | undefined {
    if (!this.#pool.has(peer.reuseKey)) return undefined;
    const { maxConnections } = peer.options;
    const slotKey = maxConnections > 0 ? peer.reuseKey : undefined;
    if (slotKey !== undefined && !this.#slots.tryAcquire(slotKey, maxConnections)) return undefined;
    const session = this.#takeIdle(peer);
    if (session === undefined) {
      if (slotKey !== undefined) this.#slots.release(slotKey);
      return undefined;
    }
    const taken = this.#use(session, peer, request, slotKey);
    return slotKey !== undefined && taken instanceof Promise ? this.#orRelease(taken, slotKey) : taken;
  }

  /** Makes a session of a stream that was opened elsewhere, with the slot that was taken for it. */
  adopt(stream: Stream, peer: Peer, slotKey: string | undefined): ClientSession {
    const session = new PooledSession(stream, peer.options, this.#rulesOf(peer.options.limits), this, this.#wheel);
    session.counters = this.#peers.of(peer.address);
    session.entry = new PoolEntry(peer.reuseKey, session);
    return this.#activate(session, peer, slotKey);
  }

  get stats(): PoolStats {
    return this.#pool.stats;
  }

  /** Closes idle connections, now and whenever one becomes idle. */
  close(): void {
    this.#closed = true;
    this.#pool.clear();
  }

  /** @internal */
  reusable(session: PooledSession): void {
    this.#inactive(session);
    const idleMs = idleTimeout(session.idleTimeoutMs, session.peerIdleMs);
    if (this.#closed || idleMs === 0) {
      session.evicted();
      return;
    }
    session.idle(idleMs);
    this.#pool.put(session.entry);
  }

  /** @internal */
  closed(session: PooledSession): void {
    // Closed while it was being opened: there is no entry yet.
    if (session.entry !== undefined) this.#pool.remove(session.entry);
    this.#inactive(session);
  }

  #inactive(session: PooledSession): void {
    if (!session.active) return;
    session.active = false;
    session.counters.active -= 1;
    this.active -= 1;
    if (session.slotKey !== undefined) {
      this.#slots.release(session.slotKey);
      session.slotKey = undefined;
    }
  }

  async #getCapped(peer: Peer, request: SessionRequest, max: number): Promise<ClientSession> {
    const { maxPendingRequests: maxPending, totalConnectionTimeoutMs: timeoutMs } = peer.options;
    const key = peer.reuseKey;
    const { signal } = request;
    const budgetMs = await this.#slots.acquire(key, { max, maxPending, timeoutMs, signal, wheel: this.#wheel });
    return this.#orRelease(this.#take(peer, request, key, budgetMs), key);
  }

  /** A session that does not come has no use for its slot. */
  async #orRelease(session: ClientSession | Promise<ClientSession>, slotKey: string): Promise<ClientSession> {
    try {
      return await session;
    } catch (error) {
      this.#slots.release(slotKey);
      throw error;
    }
  }

  #take(
    peer: Peer,
    request: SessionRequest,
    slotKey: string | undefined,
    budgetMs?: number,
  ): ClientSession | Promise<ClientSession> {
    const session = this.#takeIdle(peer);
    if (session === undefined) return this.#open(peer, request, slotKey, budgetMs);
    return this.#use(session, peer, request, slotKey, budgetMs);
  }

  #use(
    session: PooledSession,
    peer: Peer,
    request: SessionRequest,
    slotKey: string | undefined,
    budgetMs?: number,
  ): ClientSession | Promise<ClientSession> {
    if (request.careful === true) return this.#takeCarefully(session, peer, request, slotKey, budgetMs);
    return this.#activate(session, peer, slotKey);
  }

  /** Skips those that broke in this very turn, so that the pool has not been told yet. */
  #takeIdle(peer: Peer): PooledSession | undefined {
    let session = this.#pool.get(peer.reuseKey);
    while (session !== undefined && !session.usable) {
      session.evicted();
      session = this.#pool.get(peer.reuseKey);
    }
    return session;
  }

  async #takeCarefully(
    session: PooledSession,
    peer: Peer,
    request: SessionRequest,
    slotKey: string | undefined,
    budgetMs: number | undefined,
  ): Promise<ClientSession> {
    await new Promise<void>(afterPoll);
    return session.usable ? this.#activate(session, peer, slotKey) : this.#take(peer, request, slotKey, budgetMs);
  }

  #activate(session: PooledSession, peer: Peer, slotKey: string | undefined): ClientSession {
    session.active = true;
    session.slotKey = slotKey;
    session.idleTimeoutMs = peer.options.idleTimeoutMs;
    this.active += 1;
    session.counters.requests += 1;
    session.counters.active += 1;
    session.begin(peer.options);
    return session;
  }

  async #open(
    peer: Peer,
    request: SessionRequest,
    slotKey: string | undefined,
    budgetMs: number | undefined,
  ): Promise<ClientSession> {
    return this.adopt(await this.#transport.newStream(http1Peer(peer), request.signal, budgetMs), peer, slotKey);
  }

  #rulesOf(limits: Http1Limits): ResponseRules {
    let rules = this.#rules.get(limits);
    if (rules === undefined) {
      rules = new ResponseRules(limits);
      this.#rules.set(limits, rules);
    }
    return rules;
  }
}

const DEFAULT_RULES = new ResponseRules(DEFAULT_HTTP1_LIMITS);

/** Closing first avoids the race with an upstream that closes at its own limit: half a second before it does. */
function idleTimeout(ours: number, peers: number | undefined): number {
  if (peers === undefined) return ours;
  return Math.min(ours, Math.max(0, peers - 500));
}
