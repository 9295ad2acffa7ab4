/**
 * Sessions to peers, in the HTTP version that peer and upstream agree on.
 *
 * Decides which version is asked for; connections are kept and opened in http1-connections.ts and http2-connector.ts.
 */
import { CirqueError } from '@cirque/error';
import type { TimerWheel } from '@cirque/timeout';
import { formatAddress } from '@cirque/transport';
import { readCount } from './check-option.ts';
import type { ClientSession } from './client-session.ts';
import { CountedTransport } from './counted-transport.ts';
import { Http1Connections } from './http1-connections.ts';
import { Http2Connector } from './http2-connector.ts';
import type { Peer } from './peer.ts';
import { type PeerCounters, PeerTable } from './peer-counters.ts';
import { http1Peer, protocolOf } from './peer-protocol.ts';
import { PeerSlots } from './peer-slots.ts';
import { PreferH1 } from './prefer-h1.ts';
import { RawTunnelSession } from './raw-tunnel-session.ts';
import type { SessionRequest } from './session-request.ts';
import { TransportConnector, type TransportConnectorOptions } from './transport-connector.ts';

/** Options of {@link HttpConnector}. */
export interface HttpConnectorOptions extends TransportConnectorOptions {
  /**
   * Idle connections kept over all peers (configuration `upstream_keepalive_pool_size`), so many of HTTP/1 and so many of
   * HTTP/2. Default 128; 0 keeps none.
   */
  readonly poolSize?: number;
}

/** Counters of a connector: plain data. */
export type ConnectorStats = {
  /** Connections in use, */
  readonly active: number;
  /** and those kept for later. */
  readonly idle: number;
  /** Requests that wait for a connection of a capped peer, or for an HTTP/2 connection that is being opened. */
  readonly waiting: number;
  /** Connections opened since the start, those of HTTP/2 and tunnels included. */
  readonly connects: number;
  /** Attempts that ended without a connection; those that were given up by who asked are not counted. */
  readonly connectFailures: number;
  /** Connections for which a TLS handshake was made. */
  readonly tlsHandshakes: number;
  /** Requests that found a connection, of HTTP/2 also one in use, */
  readonly reused: number;
  /** and those that found none. */
  readonly misses: number;
  /** Idle connections given up for the cap or at the end, not those that closed. */
  readonly evictions: number;
  /** HTTP/2 connections, in use or idle. */
  readonly h2Connections: number;
  /** Requests under way on them. */
  readonly h2Streams: number;
  /** By address; what is beyond 1,024 of them is summed up as `others`. */
  readonly peers: Readonly<Record<string, Readonly<PeerCounters>>>;
};

/** Gives and takes HTTP sessions of any peer. */
export class HttpConnector {
  readonly #transport: CountedTransport;
  readonly #peers = new PeerTable();
  readonly #slots = new PeerSlots();
  readonly #http1: Http1Connections;
  readonly #http2: Http2Connector;
  readonly #preferH1: PreferH1;
  readonly #wheel: TimerWheel | undefined;
  /** Tunnels for CONNECT that are open. */
  #tunnels = 0;

  /** @throws RangeError or TypeError naming the option. */
  constructor(options: HttpConnectorOptions = {}) {
    const poolSize = readCount('poolSize', options.poolSize ?? 128);
    const { wheel } = options;
    const slots = this.#slots;
    const peers = this.#peers;
    const transport = new CountedTransport(new TransportConnector(options), peers);
    const preferH1 = new PreferH1(wheel);
    const http1 = new Http1Connections({ transport, peers, slots, poolSize, wheel });
    this.#transport = transport;
    this.#preferH1 = preferH1;
    this.#http1 = http1;
    this.#http2 = new Http2Connector({ transport, peers, slots, http1, preferH1, poolSize, wheel });
    this.#wheel = wheel;
  }

  /**
   * A session with a connection behind it; at once when one is idle, or an HTTP/2 one has a place. Release or abort it.
   *
   * @throws CirqueError, source Upstream, nothing was sent: what TransportConnector throws; for a capped peer also
   * ConnectTimedout while waiting, and HTTPStatus 503 when too many wait; H2Error for a peer with `alpn: 'h2'` whose
   * upstream does not speak it.
   */
  getSession(peer: Peer, request: SessionRequest = PLAIN): ClientSession | Promise<ClientSession> {
    if (peer.openSession !== undefined) return peer.openSession(request);
    const protocol = protocolOf(peer.options);
    if (protocol === 'h1' || request.http1Only === true) return this.#http1.getSession(peer, request);
    if (protocol === 'either' && this.#preferH1.has(peer.reuseKey)) return this.#http1.getSession(peer, request);
    return this.#http2.getSession(peer, request);
  }

  /**
   * A tunnel to the peer itself, for CONNECT: a connection of its own, through which bytes pass as they are.
   *
   * @throws CirqueError as {@link getSession}; InternalError, source Internal, for a peer with `openSession`.
   */
  async openTunnel(peer: Peer, { signal }: SessionRequest = PLAIN): Promise<ClientSession> {
    // Whatever it does to reach its upstream, a proxy on the way for example, must not be gone round.
    if (peer.openSession !== undefined) {
      const what = `the peer ${formatAddress(peer.address)} opens its own sessions: CONNECT needs another one`;
      throw CirqueError.internal('InternalError', what);
    }
    const { maxConnections: max, maxPendingRequests: maxPending, totalConnectionTimeoutMs: timeoutMs } = peer.options;
    const key = max > 0 ? peer.reuseKey : undefined;
    const wheel = this.#wheel;
    const wanted = { max, maxPending, timeoutMs, signal, wheel };
    const budgetMs = key === undefined ? timeoutMs : await this.#slots.acquire(key, wanted);
    const closed = (): void => {
      if (key !== undefined) this.#slots.release(key);
    };
    try {
      const stream = await this.#transport.newStream(http1Peer(peer), signal, budgetMs);
      const counters = this.#peers.of(peer.address);
      counters.requests += 1;
      counters.active += 1;
      this.#tunnels += 1;
      const over = (): void => {
        counters.active -= 1;
        this.#tunnels -= 1;
        closed();
      };
      return new RawTunnelSession(stream, peer.options, over, wheel);
    } catch (error) {
      closed();
      throw error;
    }
  }

  get stats(): ConnectorStats {
    const one = this.#http1.stats;
    const two = this.#http2.stats;
    const { connects, connectFailures, tlsHandshakes } = this.#transport;
    return {
      active: this.#http1.active + this.#http2.active + this.#tunnels,
      idle: one.idle + two.idle,
      waiting: this.#slots.waiting + this.#http2.waiting,
      connects,
      connectFailures,
      tlsHandshakes,
      reused: one.hits + two.hits,
      misses: one.misses + two.misses,
      evictions: one.evictions + two.evictions,
      h2Connections: this.#http2.connections,
      h2Streams: this.#http2.streams,
      peers: this.#peers.snapshot(),
    };
  }

  /**
   * Closes idle connections, now and whenever one becomes idle. Those in use are finished; new ones are still opened for
   * who asks.
   */
  close(): void {
    this.#http1.close();
    this.#http2.close();
    this.#preferH1.clear();
  }

  /** As {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

const PLAIN: SessionRequest = {};
