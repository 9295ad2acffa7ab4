/**
 * Every knob of an upstream connection, with its default, checked when a peer is made.
 *
 * A new option needs its reader and a conscious answer in reuse-key.ts.
 */
import type { Duplex } from 'node:stream';
import type { CirqueError } from '@cirque/error';
import { DEFAULT_HTTP1_LIMITS, type Http1Limits, resolveHttp1Limits } from '@cirque/http1';
import type { Address, Digest, TcpKeepAlive } from '@cirque/transport';

/** The local address of outgoing connections. */
export interface BindTo {
  /** A local IP address of the family of the upstream. */
  readonly address: string;
  /** When the address cannot be bound (EADDRNOTAVAIL), connect without it. Default false. */
  readonly fallback?: boolean;
}

/** Told about the life of each connection of a peer (Pingora's Tracer). A throwing tracer is ignored. */
export interface ConnectionTracer {
  onConnected?(digest: Digest): void;
  onDisconnected?(error: CirqueError | undefined): void;
}

/** Reach the peer through an HTTP proxy that is asked for a tunnel with CONNECT. */
export interface ProxyTunnel {
  /** Where the proxy listens. */
  readonly nextHop: Address;
  /** Further fields of the CONNECT request, for example Proxy-Authorization. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What of the client's head is not sent upstream (Pingora 0.9, HttpUpstreamRequestPolicy). All default true. */
export interface UpstreamRequestPolicy {
  /** Remove hop-by-hop fields: Connection, Keep-Alive, TE, Upgrade, Proxy-* and so on. */
  readonly stripHopByHop?: boolean;
  /** Remove the fields that the client's Connection field nominates. */
  readonly stripConnectionNominated?: boolean;
}

/** Makes the byte stream of a peer itself (Pingora's custom L4). */
export type CustomConnect = (address: Address, signal: AbortSignal) => Promise<Duplex>;

/** Options of a peer. Times are milliseconds; 0 switches a time limit off. */
export interface PeerOptions {
  /** For one attempt to establish the transport, per address that is tried. Default 10,000 (Pingora: none). */
  readonly connectionTimeoutMs?: number;
  /** For everything until the connection is usable: waiting for a slot, names, all addresses, a tunnel. Default 0. */
  readonly totalConnectionTimeoutMs?: number;
  /** Between two reads while a response is due. Default 60,000 (Pingora: none; nginx: the same). */
  readonly readTimeoutMs?: number;
  /** Without progress while the upstream does not take the request. Default 60,000. */
  readonly writeTimeoutMs?: number;
  /** How long an unused connection is kept. Default 60,000; 0 keeps none (Pingora: for ever when unset). */
  readonly idleTimeoutMs?: number;
  readonly tcpKeepAlive?: TcpKeepAlive;
  readonly bindTo?: BindTo;
  /** Connections in use at the same time; more requests wait for one. Default 0: no limit. */
  readonly maxConnections?: number;
  /** Requests that may wait for a connection; more are refused with 503. Default 1,024. */
  readonly maxPendingRequests?: number;
  /** Keeps the connections of peers that are otherwise the same apart. */
  readonly groupKey?: string;
  readonly proxy?: ProxyTunnel;
  readonly customConnect?: CustomConnect;
  readonly tracer?: ConnectionTracer;
  /** Limits for response heads and chunked bodies. */
  readonly limits?: Partial<Http1Limits>;
  readonly requestPolicy?: UpstreamRequestPolicy;
}

/** {@link PeerOptions} with every default filled in. */
export interface ResolvedPeerOptions {
  readonly connectionTimeoutMs: number;
  readonly totalConnectionTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly tcpKeepAlive: TcpKeepAlive | undefined;
  readonly bindTo: BindTo | undefined;
  readonly groupKey: string | undefined;
  readonly proxy: ProxyTunnel | undefined;
  readonly customConnect: CustomConnect | undefined;
  readonly tracer: ConnectionTracer | undefined;
  readonly limits: Http1Limits;
  readonly stripHopByHop: boolean;
  readonly stripConnectionNominated: boolean;
}

/** The defaults, shared by every peer without options. */
export const DEFAULT_PEER_OPTIONS: ResolvedPeerOptions = {
  connectionTimeoutMs: 10_000,
  totalConnectionTimeoutMs: 0,
  readTimeoutMs: 60_000,
  writeTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  maxConnections: 0,
  maxPendingRequests: 1_024,
  tcpKeepAlive: undefined,
  bindTo: undefined,
  groupKey: undefined,
  proxy: undefined,
  customConnect: undefined,
  tracer: undefined,
  limits: DEFAULT_HTTP1_LIMITS,
  stripHopByHop: true,
  stripConnectionNominated: true,
};

const POLICY_KEYS = ['stripHopByHop', 'stripConnectionNominated'] as const;

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError or RangeError naming the option, the value and what would be right.
 */
export function resolvePeerOptions(options: PeerOptions): ResolvedPeerOptions {
  const resolved: Record<string, unknown> = { ...DEFAULT_PEER_OPTIONS };
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (name === 'requestPolicy') applyPolicy(resolved, value as UpstreamRequestPolicy);
    else if (name === 'limits') resolved['limits'] = resolveHttp1Limits(value as Partial<Http1Limits>);
    else resolved[name] = checkOption(name, value);
  }
  return resolved as unknown as ResolvedPeerOptions;
}

function checkOption(name: string, value: unknown): unknown {
  if (!(name in DEFAULT_PEER_OPTIONS) || POLICY_KEYS.some((key) => key === name)) throw unknownOption(name);
  if (typeof DEFAULT_PEER_OPTIONS[name as keyof ResolvedPeerOptions] === 'number') {
    if (!Number.isSafeInteger(value) || (value as number) < 0) {
      throw new RangeError(`peer option ${name} is ${String(value)}: expected an integer of at least 0`);
    }
  } else if (
    name === 'groupKey'
      ? typeof value !== 'string'
      : typeof value !== (name === 'customConnect' ? 'function' : 'object')
  ) {
    throw new TypeError(`peer option ${name} has the wrong type ${typeof value}`);
  }
  return value;
}

function applyPolicy(resolved: Record<string, unknown>, policy: UpstreamRequestPolicy): void {
  for (const [name, value] of Object.entries(policy)) {
    if (!POLICY_KEYS.some((key) => key === name)) {
      throw new TypeError(`requestPolicy.${name} is unknown: expected one of ${POLICY_KEYS.join(', ')}`);
    }
    if (typeof value !== 'boolean')
      throw new TypeError(`requestPolicy.${name} is ${String(value)}: expected true or false`);
    resolved[name] = value;
  }
}

function unknownOption(name: string): TypeError {
  const known = Object.keys(DEFAULT_PEER_OPTIONS).filter((key) => !POLICY_KEYS.some((policy) => policy === key));
  return new TypeError(`peer option ${name} is unknown: expected one of ${known.join(', ')}, requestPolicy`);
}
