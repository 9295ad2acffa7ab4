/**
 * The options of TCP sockets that both sides of a proxy offer, and who sets them: Node.js where it can, else a native
 * call, on a socket that is not connected yet. A listening socket passes what is set on it on to those it accepts.
 */
import { CirqueError, type ErrorSource } from '@cirque/error';
import { loadSys, type SocketOption, type Sys, sysUnavailable } from '@cirque/sys';
import {
  DEFAULT_PROBE_COUNT,
  DEFAULT_PROBE_INTERVAL_MS,
  type NodeSocketOptions,
  setsDscp,
  setsProbes,
  type TcpKeepAlive,
  typeOfService,
} from './socket-options.ts';

/** What may be set on a TCP socket. Undefined leaves it to the system. */
export interface TcpOptions {
  readonly keepAlive?: TcpKeepAlive | undefined;
  /** How long sent data may stay unacknowledged until the connection is given up (TCP_USER_TIMEOUT, RFC 5482). */
  readonly userTimeoutMs?: number | undefined;
  /** Differentiated services code point of what is sent, from 0 to 63 (RFC 2474). */
  readonly dscp?: number | undefined;
  /** SO_SNDBUF. The system stops to adapt the buffer then, doubles the number (Linux), and has a limit of its own. */
  readonly sendBufferBytes?: number | undefined;
  /** SO_RCVBUF, as above. */
  readonly receiveBufferBytes?: number | undefined;
  /** Of a listening socket: data in the first packet (TCP_FASTOPEN, RFC 7413) of so many clients that wait. */
  readonly fastOpenQueue?: number | undefined;
  /** Of a client: the first data goes with the first packet (TCP_FASTOPEN_CONNECT). */
  readonly fastOpenConnect?: boolean | undefined;
}

/** The names by which users know the options, for errors. */
export type TcpOptionNames = { readonly [Name in keyof TcpOptions]?: string };

/** An option that needs a native call. */
export interface NativeOption {
  /** As the user knows it. */
  readonly name: string;
  readonly option: SocketOption | 'TYPE_OF_SERVICE';
  readonly value: number;
}

/** Options by who sets them. */
export interface TcpOptionPlan {
  /** On each socket that is connected or accepted. */
  readonly node: NodeSocketOptions | undefined;
  /** Before the connection is there; empty when native calls are not needed. */
  readonly native: readonly NativeOption[];
}

/**
 * Decides who sets what; undefined when nothing is to be set.
 *
 * @throws TypeError naming an option that needs native calls where there are none, and what would help.
 */
export function planTcpOptions(options: TcpOptions, names: TcpOptionNames): TcpOptionPlan | undefined {
  const native = nativeOptions(options, names);
  const [first] = native;
  if (first !== undefined) requireSys(first.name);
  const node = nodeOptions(options);
  return first === undefined && node === undefined ? undefined : { node, native };
}

/**
 * The native calls.
 *
 * @throws TypeError that names the option which needs them, why there are none and what would help.
 */
export function requireSys(name: string): Sys {
  const sys = loadSys();
  if (sys !== undefined) return sys;
  throw new TypeError(`${name} cannot be set here, as ${sysUnavailable()}`);
}

/**
 * Sets options on a socket that is not connected, or listens.
 *
 * @throws CirqueError of type SocketError that names the option, with the error of the system as its cause.
 */
export function setNativeOptions(
  descriptor: number,
  family: 4 | 6,
  options: readonly NativeOption[],
  source: ErrorSource,
): void {
  for (const { name, option, value } of options) {
    try {
      const sys = requireSys(name);
      if (option === 'TYPE_OF_SERVICE') setTypeOfService(sys, descriptor, family, value);
      else sys.setSocketOption(descriptor, option, value);
    } catch (cause) {
      throw new CirqueError('SocketError', `${name} cannot be set`, { source, cause });
    }
  }
}

function nodeOptions({ keepAlive, dscp }: TcpOptions): NodeSocketOptions | undefined {
  const own = { keepAlive: nodeKeepsAlive(keepAlive) ? keepAlive : undefined, dscp: nodeMarks() ? dscp : undefined };
  return own.keepAlive === undefined && own.dscp === undefined ? undefined : own;
}

function nativeOptions(options: TcpOptions, names: TcpOptionNames): readonly NativeOption[] {
  const list: NativeOption[] = [];
  const add = (of: keyof TcpOptions, option: NativeOption['option'], value: number | undefined): void => {
    if (value !== undefined) list.push({ name: names[of] ?? of, option, value });
  };
  add('sendBufferBytes', 'SO_SNDBUF', options.sendBufferBytes);
  add('receiveBufferBytes', 'SO_RCVBUF', options.receiveBufferBytes);
  add('userTimeoutMs', 'TCP_USER_TIMEOUT', options.userTimeoutMs);
  if (!nodeMarks()) add('dscp', 'TYPE_OF_SERVICE', options.dscp);
  add('fastOpenQueue', 'TCP_FASTOPEN', options.fastOpenQueue);
  if (options.fastOpenConnect === true) add('fastOpenConnect', 'TCP_FASTOPEN_CONNECT', 1);
  const { keepAlive } = options;
  if (keepAlive === undefined || nodeKeepsAlive(keepAlive)) return list;
  const { idleMs, intervalMs = DEFAULT_PROBE_INTERVAL_MS, count = DEFAULT_PROBE_COUNT } = keepAlive;
  add('keepAlive', 'TCP_KEEPIDLE', Math.floor(idleMs / 1_000));
  add('keepAlive', 'TCP_KEEPINTVL', Math.floor(intervalMs / 1_000));
  add('keepAlive', 'TCP_KEEPCNT', count);
  add('keepAlive', 'SO_KEEPALIVE', 1);
  return list;
}

/** Older runtimes set 1 second and 10 probes, whatever is asked for. */
function nodeKeepsAlive(keepAlive: TcpKeepAlive | undefined): boolean {
  return setsProbes || (keepAlive?.intervalMs === undefined && keepAlive?.count === undefined);
}

/**
 * Node.js marks packets from the moment on in which it has the connection, and of a dual-stack listener only those of
 * IPv6; a native call marks all of them.
 */
function nodeMarks(): boolean {
  return setsDscp && loadSys() === undefined;
}

function setTypeOfService(sys: Sys, descriptor: number, family: 4 | 6, dscp: number): void {
  const value = typeOfService(dscp);
  if (family === 4) {
    sys.setSocketOption(descriptor, 'IP_TOS', value);
    return;
  }
  sys.setSocketOption(descriptor, 'IPV6_TCLASS', value);
  try {
    sys.setSocketOption(descriptor, 'IP_TOS', value);
  } catch {
    // A system whose IPv6 sockets never speak IPv4.
  }
}
