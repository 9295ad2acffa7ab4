/**
 * Every knob of an upstream connection, with its default, checked when a peer is made.
 *
 * A new option needs its reader and a conscious answer in reuse-key.ts.
 */
import type { Duplex } from 'node:stream';
import type { CirqueError } from '@cirque/error';
import { DEFAULT_HTTP1_LIMITS, type Http1Limits, resolveHttp1Limits } from '@cirque/http1';
import type { Address, Digest, ProxyHeaderInit } from '@cirque/transport';
import {
  checkFunction,
  type OptionReader,
  readBoolean,
  readCount,
  readFields,
  readObject,
  readText,
  shown,
} from './check-option.ts';
import { DEFAULT_HTTP2_PEER_OPTIONS, HTTP2_READERS, type Http2PeerOptions } from './http2-peer-options.ts';
import { readProxyProtocol } from './proxy-protocol-option.ts';
import { type ProxyTunnel, readProxyTunnel } from './proxy-tunnel-option.ts';
import {
  DEFAULT_TCP_PEER_OPTIONS,
  type ResolvedTcpPeerOptions,
  TCP_READERS,
  type TcpPeerOptions,
  tcpPlanOf,
} from './tcp-peer-options.ts';
import {
  DEFAULT_TLS_PEER_OPTIONS,
  type ResolvedTlsPeerOptions,
  settleTlsOptions,
  TLS_READERS,
  type TlsPeerOptions,
} from './tls-peer-options.ts';

/**
 * Told about the life of each connection of a peer (Pingora's Tracer).
 *
 * What it throws becomes a process warning and changes nothing. Use one object for all peers that may share
 * connections: it is part of their identity, so that a tracer hears of every connection its peers use.
 */
export interface ConnectionTracer {
  /** The byte stream is there, tunnel included. */
  onConnected?(digest: Digest): void;
  /** It is closed; `error` is undefined unless the transport broke. */
  onDisconnected?(error: CirqueError | undefined): void;
}

/** Which upgrades a client may ask the upstream for; see {@link UpstreamRequestPolicy.upgrade}. */
export type UpgradePolicy = 'websocket' | 'any' | 'deny';

/** What of the client's head is not sent upstream (Pingora 0.9, HttpUpstreamRequestPolicy). */
export interface UpstreamRequestPolicy {
  /** Remove hop-by-hop fields: Connection, Keep-Alive, TE, Upgrade, Proxy-* and so on. Default true. */
  readonly stripHopByHop?: boolean;
  /** Remove the fields that the client's Connection field nominates. Default true. */
  readonly stripConnectionNominated?: boolean;
  /**
   * Which Upgrade goes upstream, whatever is stripped besides: only `websocket` (default), `any` but HTTP/2, or none
   * (`deny`): the request is an ordinary one then.
   */
  readonly upgrade?: UpgradePolicy;
}

/**
 * Makes the byte stream of a peer itself (Pingora's custom L4).
 *
 * The signal aborts when the attempt is given up; a stream that comes later is destroyed. `connectionTimeoutMs` applies.
 */
export type CustomConnect = (address: Address, signal: AbortSignal) => Promise<Duplex>;

/** Options of a peer. Times are milliseconds; 0 switches a time limit off. */
export interface PeerOptions extends TcpPeerOptions, Http2PeerOptions, TlsPeerOptions {
  /** For one attempt to establish the transport, per address that is tried. Default 10,000 (Pingora: none). */
  readonly connectionTimeoutMs?: number;
  /** For everything until the connection is usable: waiting for a slot, names, all addresses, a tunnel. Default 0. */
  readonly totalConnectionTimeoutMs?: number;
  /**
   * Between two reads while a response is due: from the end of the request, or from the response head if that comes
   * first, and not while the session is paused. Default 60,000 (Pingora: none; nginx: the same).
   */
  readonly readTimeoutMs?: number;
  /**
   * Without progress while the upstream does not take the request; noticed within twice this time after the last.
   * Default 60,000 (Pingora: none).
   */
  readonly writeTimeoutMs?: number;
  /**
   * The least rate at which the upstream takes the request, in bytes per second; it replaces `writeTimeoutMs` (Pingora's
   * min_send_rate). At least a second is given. Default 0: any progress within `writeTimeoutMs` is enough.
   */
  readonly minSendRate?: number;
  /**
   * How long an unused connection is kept; half a second less than the upstream announces in `Keep-Alive: timeout=n`
   * if that is shorter. Default 60,000; 0 keeps none (Pingora: for ever when unset).
   */
  readonly idleTimeoutMs?: number;
  /**
   * Connections in use at the same time, per identity; more requests wait for one, within `totalConnectionTimeoutMs`.
   * Idle connections do not count. Each worker thread counts its own. Default 0: no limit.
   */
  readonly maxConnections?: number;
  /** Requests that may wait for a connection; more are refused with 503. Default 1,024. */
  readonly maxPendingRequests?: number;
  /** Keeps the connections of peers that are otherwise the same apart. Default: none. */
  readonly groupKey?: string;
  /** Default: none. The peer must have a host and a port then. */
  readonly proxy?: ProxyTunnel;
  /** Default: TCP or unix socket. Not together with `proxy`, `bindTo` and the other options of TCP. */
  readonly customConnect?: CustomConnect;
  /**
   * A PROXY header that is sent first: after `proxy` has opened its tunnel, before TLS. Default: none. `proxyProtocolOf`
   * makes one for a client.
   */
  readonly proxyProtocol?: ProxyHeaderInit;
  /** Default: none. */
  readonly tracer?: ConnectionTracer;
  /** Limits for response heads and chunked bodies; a connection keeps those it was made with. Defaults of http1. */
  readonly limits?: Partial<Http1Limits>;
  /** What the proxy removes from the client's head. */
  readonly requestPolicy?: UpstreamRequestPolicy;
}

/** {@link PeerOptions} with every default filled in. */
export interface ResolvedPeerOptions
  extends ResolvedTcpPeerOptions,
    Required<Http2PeerOptions>,
    ResolvedTlsPeerOptions {
  readonly connectionTimeoutMs: number;
  readonly totalConnectionTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly minSendRate: number;
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly groupKey: string | undefined;
  readonly proxy: ProxyTunnel | undefined;
  readonly customConnect: CustomConnect | undefined;
  /** The PROXY header itself, as latin1 text. */
  readonly proxyProtocol: string | undefined;
  readonly tracer: ConnectionTracer | undefined;
  readonly limits: Http1Limits;
  readonly stripHopByHop: boolean;
  readonly stripConnectionNominated: boolean;
  readonly upgrade: UpgradePolicy;
}

/** The defaults, shared by every peer without options. Frozen. */
export const DEFAULT_PEER_OPTIONS: ResolvedPeerOptions = Object.freeze({
  connectionTimeoutMs: 10_000,
  totalConnectionTimeoutMs: 0,
  readTimeoutMs: 60_000,
  writeTimeoutMs: 60_000,
  minSendRate: 0,
  idleTimeoutMs: 60_000,
  maxConnections: 0,
  maxPendingRequests: 1_024,
  groupKey: undefined,
  proxy: undefined,
  customConnect: undefined,
  proxyProtocol: undefined,
  tracer: undefined,
  limits: DEFAULT_HTTP1_LIMITS,
  ...DEFAULT_TCP_PEER_OPTIONS,
  ...DEFAULT_HTTP2_PEER_OPTIONS,
  ...DEFAULT_TLS_PEER_OPTIONS,
  stripHopByHop: true,
  stripConnectionNominated: true,
  upgrade: 'websocket',
});

const READERS: { readonly [Name in keyof Required<PeerOptions>]: OptionReader<unknown> } = {
  connectionTimeoutMs: readCount,
  totalConnectionTimeoutMs: readCount,
  readTimeoutMs: readCount,
  writeTimeoutMs: readCount,
  minSendRate: readCount,
  idleTimeoutMs: readCount,
  maxConnections: readCount,
  maxPendingRequests: readCount,
  groupKey: readText,
  proxy: readProxyTunnel,
  customConnect: readCustomConnect,
  proxyProtocol: readProxyProtocol,
  tracer: readTracer,
  limits: readLimits,
  ...TCP_READERS,
  ...HTTP2_READERS,
  ...TLS_READERS,
  requestPolicy: readPolicy,
};

/** The names for errors, made once: peers are made per request. */
const LABELS: ReadonlyMap<string, string> = new Map(Object.keys(READERS).map((name) => [name, `peer option ${name}`]));

/** What a user's own connect function makes meaningless, as it makes the connection itself. */
const NOT_WITH_CUSTOM_CONNECT: readonly (keyof ResolvedPeerOptions)[] = [
  'proxy',
  ...(Object.keys(TCP_READERS) as (keyof TcpPeerOptions)[]),
];

/**
 * Checks options and fills in the defaults. An option that is undefined counts as absent.
 *
 * @throws TypeError or RangeError naming the option, the value and what would be right.
 */
export function resolvePeerOptions(options: PeerOptions): ResolvedPeerOptions {
  const resolved: Record<string, unknown> = { ...DEFAULT_PEER_OPTIONS };
  for (const [name, value] of Object.entries(readObject('peer options', options))) {
    const label = LABELS.get(name);
    if (label === undefined) throw unknownOption(name);
    if (value === undefined) continue;
    const read = READERS[name as keyof PeerOptions](label, value);
    if (name === 'requestPolicy') Object.assign(resolved, read);
    else resolved[name] = read;
  }
  settleTlsOptions(resolved, options);
  checkCombination(resolved as unknown as ResolvedPeerOptions);
  return resolved as unknown as ResolvedPeerOptions;
}

/** What this system cannot do is an error now, not when a connection is made. */
function checkCombination(options: ResolvedPeerOptions): void {
  tcpPlanOf(options);
  if (options.customConnect === undefined) return;
  for (const name of NOT_WITH_CUSTOM_CONNECT) {
    if (options[name] === DEFAULT_PEER_OPTIONS[name]) continue;
    throw new TypeError(`peer option ${name} is given together with customConnect, which connects itself: omit one`);
  }
}

function unknownOption(name: string): TypeError {
  return new TypeError(`peer option ${name} is unknown: expected one of ${Object.keys(READERS).join(', ')}`);
}

function readCustomConnect(name: string, value: unknown): CustomConnect {
  checkFunction(name, value);
  return value as CustomConnect;
}

function readTracer(name: string, value: unknown): ConnectionTracer {
  const tracer = readObject(name, value) as ConnectionTracer;
  for (const event of ['onConnected', 'onDisconnected'] as const) {
    if (tracer[event] !== undefined) checkFunction(`${name}.${event}`, tracer[event]);
  }
  return tracer;
}

/** The default object itself where nothing differs: it is known by its identity. */
function readLimits(name: string, value: unknown): Http1Limits {
  const limits = resolveHttp1Limits(readObject(name, value) as Partial<Http1Limits>);
  const names = Object.keys(limits) as (keyof Http1Limits)[];
  return names.every((limit) => limits[limit] === DEFAULT_HTTP1_LIMITS[limit]) ? DEFAULT_HTTP1_LIMITS : limits;
}

function readPolicy(name: string, value: unknown): UpstreamRequestPolicy {
  const policy: Record<string, boolean | UpgradePolicy> = {};
  const rules = ['stripHopByHop', 'stripConnectionNominated', 'upgrade'];
  for (const [rule, wish] of Object.entries(readFields(name, value, rules))) {
    if (wish === undefined) continue;
    policy[rule] = rule === 'upgrade' ? readUpgrade(`${name}.${rule}`, wish) : readBoolean(`${name}.${rule}`, wish);
  }
  return policy;
}

function readUpgrade(name: string, value: unknown): UpgradePolicy {
  if (value === 'websocket' || value === 'any' || value === 'deny') return value;
  throw new TypeError(`${name} is ${shown(value)}: expected 'websocket', 'any' or 'deny'`);
}
