/**
 * Sessions to peers: an idle connection when there is one, else a new one, within the caps.
 */
import { DEFAULT_HTTP1_LIMITS, type Http1Limits, ResponseRules } from '@cirque/http1';
import type { TimerWheel } from '@cirque/timeout';
import { readCount } from './check-option.ts';
import type { ClientSession } from './client-session.ts';
import { ConnectionPool, PoolEntry, type PoolStats } from './connection-pool.ts';
import { Http1ClientSession, type SessionOwner } from './http1-client-session.ts';
import type { Peer } from './peer.ts';
import { PeerSlots } from './peer-slots.ts';
import { RawTunnelSession } from './raw-tunnel-session.ts';
import { TransportConnector, type TransportConnectorOptions } from './transport-connector.ts';

/** Options of {@link HttpConnector}. */
export interface HttpConnectorOptions extends TransportConnectorOptions {
  /** Idle connections kept over all peers (configuration `upstream_keepalive_pool_size`). Default 128; 0 keeps none. */
  readonly poolSize?: number;
}

/** How one session is wanted. */
export interface SessionRequest {
  /**
   * The request must not be sent twice: an idle connection is given one turn of the event loop to show that its peer
   * has closed it. The README has the measurement.
   */
  readonly careful?: boolean;
  readonly signal?: AbortSignal;
}

/** Counters of a connector. */
export interface ConnectorStats extends PoolStats {
  /** Connections in use. */
  readonly active: number;
  /** Connections opened since the start. */
  readonly opened: number;
  /** Requests that wait for a connection of a capped peer. */
  readonly waiting: number;
}

/** A connection with what its connector remembers of it. */
class PooledSession extends Http1ClientSession {
  entry!: PoolEntry<PooledSession>;
  idleTimeoutMs = 0;
  slotKey: string | undefined = undefined;
  active = false;
}

/** Gives and takes HTTP sessions of any peer. */
export class HttpConnector implements SessionOwner<PooledSession> {
  readonly #transport: TransportConnector;
  readonly #pool: ConnectionPool<PooledSession>;
  readonly #slots = new PeerSlots();
  readonly #rules = new WeakMap<Http1Limits, ResponseRules>([[DEFAULT_HTTP1_LIMITS, DEFAULT_RULES]]);
  readonly #wheel: TimerWheel | undefined;
  #active = 0;
  #opened = 0;
  #closed = false;

  /** @throws RangeError or TypeError naming the option. */
  constructor(options: HttpConnectorOptions = {}) {
    this.#transport = new TransportConnector(options);
    this.#pool = new ConnectionPool(readCount('poolSize', options.poolSize ?? 128));
    this.#wheel = options.wheel;
  }

  /**
   * A session with a connection behind it; at once when one is idle. Release or abort it.
   *
   * @throws CirqueError, source Upstream, nothing was sent: what TransportConnector throws; for a capped peer also
   * ConnectTimedout while waiting, and HTTPStatus 503 when too many wait.
   */
  getSession(peer: Peer, request: SessionRequest = PLAIN): ClientSession | Promise<ClientSession> {
    const { maxConnections } = peer.options;
    if (maxConnections > 0) return this.#getCapped(peer, request, maxConnections);
    return this.#take(peer, request, undefined);
  }

  /**
   * A tunnel to the peer itself, for CONNECT: a connection of its own, through which bytes pass as they are.
   *
   * @throws CirqueError as {@link getSession}.
   */
  async openTunnel(peer: Peer, { signal }: SessionRequest = PLAIN): Promise<ClientSession> {
    const { maxConnections: max, maxPendingRequests: maxPending, totalConnectionTimeoutMs: timeoutMs } = peer.options;
    const key = max > 0 ? peer.reuseKey : undefined;
    const wheel = this.#wheel;
    const wanted = { max, maxPending, timeoutMs, signal, wheel };
    const budgetMs = key === undefined ? timeoutMs : await this.#slots.acquire(key, wanted);
    const closed = (): void => {
      if (key !== undefined) this.#slots.release(key);
    };
    try {
      const stream = await this.#transport.newStream(peer, signal, budgetMs);
      this.#opened += 1;
      this.#active += 1;
      const over = (): void => {
        this.#active -= 1;
        closed();
      };
      return new RawTunnelSession(stream, peer.options, over, wheel);
    } catch (error) {
      closed();
      throw error;
    }
  }

  get stats(): ConnectorStats {
    return { ...this.#pool.stats, active: this.#active, opened: this.#opened, waiting: this.#slots.waiting };
  }

  /**
   * Closes idle connections, now and whenever one becomes idle. Those in use are finished; new ones are still opened for
   * who asks.
   */
  close(): void {
    this.#closed = true;
    this.#pool.clear();
  }

  /** As {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
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
    this.#active -= 1;
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
    try {
      return await this.#take(peer, request, key, budgetMs);
    } catch (error) {
      this.#slots.release(key);
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
    this.#active += 1;
    session.begin(peer.options);
    return session;
  }

  async #open(
    peer: Peer,
    request: SessionRequest,
    slotKey: string | undefined,
    budgetMs: number | undefined,
  ): Promise<ClientSession> {
    const stream = await this.#transport.newStream(peer, request.signal, budgetMs);
    this.#opened += 1;
    const session = new PooledSession(stream, peer.options, this.#rulesOf(peer.options.limits), this, this.#wheel);
    session.entry = new PoolEntry(peer.reuseKey, session);
    return this.#activate(session, peer, slotKey);
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

/**
 * Calls back when every socket has been looked at once more.
 *
 * An immediate alone does not say that: set while the answer to a poll is worked through, as it is when a client's bytes
 * have come, it runs before the next poll. The one after it cannot.
 */
function afterPoll(done: () => void): void {
  setImmediate(() => setImmediate(done));
}

const PLAIN: SessionRequest = {};
const DEFAULT_RULES = new ResponseRules(DEFAULT_HTTP1_LIMITS);

/** Closing first avoids the race with an upstream that closes at its own limit: half a second before it does. */
function idleTimeout(ours: number, peers: number | undefined): number {
  if (peers === undefined) return ours;
  return Math.min(ours, Math.max(0, peers - 500));
}
