/**
 * The knobs of TCP connections to a peer, with their defaults. Part of the peer options; of no meaning on unix sockets.
 *
 * What Node.js cannot set by itself needs native calls, and is refused where there are none.
 */
import { isIP } from 'node:net';
import { planTcpOptions, type TcpKeepAlive, type TcpOptionNames, type TcpOptionPlan } from '@cirque/transport';
import { type OptionReader, readBoolean, readFields, readRange, shown } from './check-option.ts';

/** Ports from `from` to `to`, both included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** The local address of outgoing connections. */
export interface BindTo {
  /** A local IP address. Of an upstream's name only the addresses of the same family are tried. */
  readonly address: string;
  /**
   * Local ports, taken in turn; of those in use 128 are skipped per connection, then it fails. Default: the system's
   * choice, which is better where nobody asks for certain ports.
   */
  readonly portRange?: PortRange;
  /**
   * When no port of the range is free, use any; when the address cannot be bound, or is of the other family, connect
   * without it. Default false.
   */
  readonly fallback?: boolean;
}

/**
 * Options of the TCP connections to a peer. `bindTo` and `tcpKeepAlive` with `idleMs` only work everywhere; the others need
 * native calls (Node.js 26.1, or the package koffi) or, where that is said, Node.js 24.21. Linux is where all of them work.
 */
export interface TcpPeerOptions {
  /**
   * TCP keep-alive probes. Default: none. Other than `intervalMs` 1,000 and `count` 10 need Node.js 24.21 or native calls.
   */
  readonly tcpKeepAlive?: TcpKeepAlive;
  /**
   * How long sent data may stay unacknowledged until the connection is given up (TCP_USER_TIMEOUT). Default 0: the
   * system's many minutes.
   */
  readonly tcpUserTimeoutMs?: number;
  /**
   * TCP Fast Open (RFC 7413): to an upstream that allowed it before, the first bytes go with the first packet. Default
   * false. They may arrive twice, so use it with TLS or for requests that may be repeated; that an upstream is down shows
   * only when the request is sent, as its error; and one that speaks first, in a tunnel, is never connected to.
   */
  readonly tcpFastOpen?: boolean;
  /** Marks what is sent (differentiated services code point, 0 to 63). Default: none. Needs Node.js 24.21 or native calls. */
  readonly dscp?: number;
  /** Size of the send buffer. Default: the system adapts it, which is better unless memory is short. */
  readonly sendBufferBytes?: number;
  /** Size of the receive buffer, as above. The system has a limit (Linux: net.core.rmem_max), which it does not tell. */
  readonly receiveBufferBytes?: number;
  /** Default: the system's choice. */
  readonly bindTo?: BindTo;
}

/** {@link TcpPeerOptions} with the defaults filled in. */
export interface ResolvedTcpPeerOptions {
  readonly tcpKeepAlive: TcpKeepAlive | undefined;
  readonly tcpUserTimeoutMs: number;
  readonly tcpFastOpen: boolean;
  readonly dscp: number | undefined;
  readonly sendBufferBytes: number | undefined;
  readonly receiveBufferBytes: number | undefined;
  readonly bindTo: BindTo | undefined;
}

/** The defaults. */
export const DEFAULT_TCP_PEER_OPTIONS: ResolvedTcpPeerOptions = {
  tcpKeepAlive: undefined,
  tcpUserTimeoutMs: 0,
  tcpFastOpen: false,
  dscp: undefined,
  sendBufferBytes: undefined,
  receiveBufferBytes: undefined,
  bindTo: undefined,
};

/** What the system stores in 16 bits of seconds, and in 7 bits (Linux). */
const MAX_PROBE_MS = 32_767_000;
const MAX_PROBES = 127;
const MAX_INT = 2 ** 31 - 1;
/** Linux doubles the number. */
const MAX_BUFFER_BYTES = 2 ** 30 - 1;

/** One reader per option. */
export const TCP_READERS: { readonly [Name in keyof Required<TcpPeerOptions>]: OptionReader<unknown> } = {
  tcpKeepAlive: readKeepAlive,
  tcpUserTimeoutMs: (name, value) => readRange(name, value, 0, MAX_INT),
  tcpFastOpen: readBoolean,
  dscp: (name, value) => readRange(name, value, 0, 63),
  sendBufferBytes: (name, value) => readRange(name, value, 1, MAX_BUFFER_BYTES),
  receiveBufferBytes: (name, value) => readRange(name, value, 1, MAX_BUFFER_BYTES),
  bindTo: readBindTo,
};

const NAMES: TcpOptionNames = {
  keepAlive: 'peer option tcpKeepAlive',
  userTimeoutMs: 'peer option tcpUserTimeoutMs',
  fastOpenConnect: 'peer option tcpFastOpen',
  dscp: 'peer option dscp',
  sendBufferBytes: 'peer option sendBufferBytes',
  receiveBufferBytes: 'peer option receiveBufferBytes',
};

/**
 * Who sets which option of a connection; undefined when there is none to set, which costs next to nothing.
 *
 * @throws TypeError naming an option that needs native calls where there are none.
 */
export function tcpPlanOf(options: ResolvedTcpPeerOptions): TcpOptionPlan | undefined {
  const { tcpKeepAlive: keepAlive, tcpUserTimeoutMs, tcpFastOpen, dscp, sendBufferBytes, receiveBufferBytes } = options;
  const numbers = dscp ?? sendBufferBytes ?? receiveBufferBytes;
  if (numbers === undefined && keepAlive === undefined && tcpUserTimeoutMs === 0 && !tcpFastOpen) return undefined;
  const userTimeoutMs = tcpUserTimeoutMs === 0 ? undefined : tcpUserTimeoutMs;
  const wanted = { keepAlive, userTimeoutMs, dscp, sendBufferBytes, receiveBufferBytes, fastOpenConnect: tcpFastOpen };
  return planTcpOptions(wanted, NAMES);
}

function readKeepAlive(name: string, value: unknown): TcpKeepAlive {
  const { idleMs, intervalMs, count } = readFields(name, value, ['idleMs', 'intervalMs', 'count']);
  return {
    idleMs: readRange(`${name}.idleMs`, idleMs, 1_000, MAX_PROBE_MS),
    ...(intervalMs === undefined
      ? {}
      : { intervalMs: readRange(`${name}.intervalMs`, intervalMs, 1_000, MAX_PROBE_MS) }),
    ...(count === undefined ? {} : { count: readRange(`${name}.count`, count, 1, MAX_PROBES) }),
  };
}

function readBindTo(name: string, value: unknown): BindTo {
  const { address, portRange, fallback } = readFields(name, value, ['address', 'portRange', 'fallback']);
  if (typeof address !== 'string' || isIP(address) === 0) {
    throw new TypeError(`${name}.address is ${shown(address)}: expected a local IP address without port`);
  }
  return {
    address,
    ...(portRange === undefined ? {} : { portRange: readPortRange(`${name}.portRange`, portRange) }),
    fallback: fallback === undefined ? false : readBoolean(`${name}.fallback`, fallback),
  };
}

function readPortRange(name: string, value: unknown): PortRange {
  const fields = readFields(name, value, ['from', 'to']);
  const from = readRange(`${name}.from`, fields.from, 1, 65_535);
  return { from, to: readRange(`${name}.to`, fields.to, from, 65_535) };
}
