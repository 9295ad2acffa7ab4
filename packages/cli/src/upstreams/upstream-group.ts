/**
 * A group of servers at run time: its balancer, the peers of its backends, and what clients are told apart by.
 *
 * Made of the configuration of one upstream; when a server is chosen and given back is the business of the listeners.
 */
import { type Backend, type LoadBalancer, StickyCookie, StickyTable } from '@cirque/load-balancing';
import { HttpPeer, type PeerOptions } from '@cirque/pool';
import type { Session } from '@cirque/proxy';
import { StreamPeer } from '@cirque/stream';
import type { UpstreamConfig } from '../config/gateway-config.ts';
import { BackendPeers, type PeerFacts } from './backend-peers.ts';
import { balancerOf, type GroupParts } from './balancer.ts';
import { checkOptions, connectionOptions, httpOptions } from './peer-options.ts';
import { hashes } from './selection.ts';
import { type RequestKey, requestKey, type StreamClient, streamKey } from './selection-key.ts';

/**
 * How many servers of each priority are looked at for one request or connection. Of fewer than that, one that lives is found
 * though all others are dead; of more, an outage does not cost milliseconds per request.
 */
export const MAX_CANDIDATES = 4_096;

/** Peers that speak HTTP. */
export type HttpPeers = BackendPeers<HttpPeer, PeerOptions>;

/** See the file's head. */
export class UpstreamGroup {
  readonly config: UpstreamConfig;
  /** Has to be started, or fed by one in another thread, where its servers are discovered or checked. */
  readonly balancer: LoadBalancer;
  /** The key of a request; undefined where the method asks for none. */
  readonly requestKey: RequestKey | undefined;
  /** The method wants to know how long answers take. */
  readonly wantsLatency: boolean;
  /** Keeps clients of HTTP at their server; undefined where the file does not say so. */
  readonly stickyCookie: StickyCookie | undefined;
  /** As above, by the address of the client. */
  readonly stickySource: StickyTable | undefined;
  readonly #logger: GroupParts['logger'];
  readonly #httpOptions: PeerOptions;
  /** By the read timeout of a route. */
  readonly #httpPeers = new Map<number, HttpPeers>();
  readonly #streamPeers: BackendPeers<StreamPeer>;

  /** @throws TypeError or RangeError for values that cannot work, and for a certificate that cannot be read. */
  constructor(config: UpstreamConfig, parts: GroupParts) {
    const connection = connectionOptions(config);
    this.config = config;
    this.#logger = parts.logger;
    this.balancer = balancerOf(config, checkOptions(connection), parts);
    this.#httpOptions = httpOptions(config, connection);
    this.#streamPeers = new BackendPeers(
      { options: connection, proxyProtocol: config.proxyProtocol },
      (backend, options) => new StreamPeer(backend, options),
    );
    this.requestKey = hashes(config.balance.method) ? requestKey(config.balance.key) : undefined;
    this.stickyCookie = stickyCookieOf(config.sticky);
    this.stickySource = config.sticky?.kind === 'source' ? new StickyTable(config.sticky) : undefined;
    this.wantsLatency = config.balance.method === 'peak_ewma';
  }

  get name(): string {
    return this.config.name;
  }

  /** The peers for requests, with the read timeout of a route. */
  httpPeers(readTimeoutMs: number = this.config.readTimeoutMs): HttpPeers {
    let peers = this.#httpPeers.get(readTimeoutMs);
    if (peers === undefined) {
      const options: PeerOptions = { ...this.#httpOptions, readTimeoutMs };
      const { proxyProtocol } = this.config;
      peers = new BackendPeers({ options, proxyProtocol }, (backend, own) => new HttpPeer(backend, own));
      this.#httpPeers.set(readTimeoutMs, peers);
    }
    return peers;
  }

  /** The peer for a request. */
  httpPeer(backend: Backend, facts: PeerFacts): HttpPeer {
    return this.httpPeers().of(backend, facts);
  }

  /** The peer for a connection. */
  streamPeer(backend: Backend, facts: PeerFacts): StreamPeer {
    return this.#streamPeers.of(backend, facts);
  }

  /** The key of a connection; empty where the method asks for none. */
  streamKey(client: StreamClient): string {
    return hashes(this.config.balance.method) ? streamKey(this.config.balance.key, client) : '';
  }

  /** Clients stay with their servers. */
  get isSticky(): boolean {
    return this.stickyCookie !== undefined || this.stickySource !== undefined;
  }

  /** The server that the client of a request belongs to; undefined for one that is new. */
  preferred(session: Session, client: string | undefined): string | undefined {
    if (this.stickyCookie === undefined) return client === undefined ? undefined : this.stickySource?.get(client);
    const cookies = session.requestHeader.headers.getAll('Cookie');
    return cookies.length === 0 ? undefined : this.stickyCookie.read(cookies.join('; '), this.balancer.backends);
  }

  /** Remembers the server of a client, where that is done by address. */
  remember(client: string | undefined, { address }: Backend): void {
    if (client !== undefined) this.stickySource?.set(client, address);
  }

  /** Ends the background work of the balancer. What is under way goes on. */
  dispose(): void {
    this.balancer[Symbol.asyncDispose]().catch((error: unknown) => {
      this.#logger.warn({ err: error, upstream: this.name }, 'a health check could not close its connections');
    });
  }
}

const SAME_SITE = { lax: 'Lax', strict: 'Strict', none: 'None' } as const;

function stickyCookieOf(sticky: UpstreamConfig['sticky']): StickyCookie | undefined {
  if (sticky?.kind !== 'cookie') return undefined;
  const { name, path, sameSite, secret, secure, ttlMs } = sticky;
  return new StickyCookie({
    name,
    path,
    secret,
    secure,
    // 0: as long as the browser runs.
    ttlMs: ttlMs > 0 ? ttlMs : undefined,
    sameSite: sameSite === undefined ? undefined : SAME_SITE[sameSite],
  });
}
