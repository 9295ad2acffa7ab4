/**
 * Socket options that Node.js sets by itself, applied in one place for accepted and outgoing sockets. Those that need
 * native calls are native-options.ts.
 */
import { Socket } from 'node:net';

/** TCP keep-alive probes (SO_KEEPALIVE). Times are whole seconds to the system; what is below one is cut off. */
export interface TcpKeepAlive {
  /** Idle time before the first probe, in milliseconds. */
  readonly idleMs: number;
  /** Time between two probes, in milliseconds. Default 1,000, as Node.js sets it. */
  readonly intervalMs?: number | undefined;
  /** Probes without an answer until the connection is given up. Default 10, as Node.js sets it. */
  readonly count?: number | undefined;
}

/** Interval and count of probes where nothing else is said: what libuv sets. */
export const DEFAULT_PROBE_INTERVAL_MS = 1_000;
export const DEFAULT_PROBE_COUNT = 10;

/** What Node.js sets on a socket. */
export interface NodeSocketOptions {
  /** `intervalMs` and `count` need {@link setsProbes}. */
  readonly keepAlive?: TcpKeepAlive | undefined;
  /** Differentiated services code point of what is sent, from 0 to 63 (RFC 2474). Needs {@link setsDscp}. */
  readonly dscp?: number | undefined;
}

/** True when this runtime has interval and count of keep-alive probes (24.21, 26). */
export const setsProbes: boolean = Socket.prototype.setKeepAlive.length >= 4;

/** The method of newer runtimes. */
interface TypeOfService {
  setTypeOfService?(value: number): void;
}

/** True when this runtime marks packets (24.21, 26). */
export const setsDscp: boolean = typeof (Socket.prototype as TypeOfService).setTypeOfService === 'function';

/** Options of a new connection: TCP_NODELAY always, the others when asked. */
export function applySocketOptions(socket: Socket, options: NodeSocketOptions | undefined): void {
  socket.setNoDelay(true);
  if (options !== undefined) applyNodeOptions(socket, options);
}

/** Applies what is there. A connection that is gone already is left to say so itself. */
export function applyNodeOptions(socket: Socket, { keepAlive, dscp }: NodeSocketOptions): void {
  if (keepAlive !== undefined) {
    const { idleMs, intervalMs = DEFAULT_PROBE_INTERVAL_MS, count = DEFAULT_PROBE_COUNT } = keepAlive;
    const setKeepAlive = socket.setKeepAlive as (on: boolean, ...probes: number[]) => Socket;
    setKeepAlive.call(socket, true, idleMs, intervalMs, count);
  }
  if (dscp === undefined) return;
  try {
    (socket as TypeOfService).setTypeOfService?.(typeOfService(dscp));
  } catch {
    // Only where a reset has arrived before: then reading reports it.
  }
}

/** The value of IP_TOS and IPV6_TCLASS: the two bits below belong to congestion control. */
export function typeOfService(dscp: number): number {
  return dscp << 2;
}
