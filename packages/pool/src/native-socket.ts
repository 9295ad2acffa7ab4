/**
 * TCP sockets with options that must be there before the connection is, which only native calls can set.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';
import { loadSys, type Sys } from '@cirque/sys';
import { type NativeOption, requireSys, setNativeOptions } from '@cirque/transport';

/** What is asked of a socket. */
export interface NativeSocketRequest {
  readonly family: 4 | 6;
  readonly options: readonly NativeOption[];
  /** It will be bound to a local address, to any port. */
  readonly bound: boolean;
}

/**
 * True when the socket is better made by a native call: there are options to set, or it will be bound.
 *
 * Node binds without IP_BIND_ADDRESS_NO_PORT: the port is chosen before the upstream is known then, and must be free for
 * all upstreams, so that some 28,000 connections from one address is all there are.
 */
export function needsNativeSocket({ options, bound }: Pick<NativeSocketRequest, 'options' | 'bound'>): boolean {
  return options.length > 0 || (bound && loadSys() !== undefined);
}

/**
 * A socket that is not connected yet.
 *
 * @throws CirqueError naming an option that cannot be set; SysError when there is no socket to be had.
 */
export function openNativeSocket(request: NativeSocketRequest, options: SocketConstructorOpts): Socket {
  const { family, bound } = request;
  const sys = requireSys('a TCP socket');
  const fd = sys.createTcpSocket(family);
  try {
    setNativeOptions(fd, family, request.options, 'Upstream');
    if (bound) choosePortLate(sys, fd);
    // Reading begins when it is connected: before, there is nothing to read from.
    return new Socket({ ...options, fd, manualStart: true } as SocketConstructorOpts);
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

/** Nobody has asked for it, so nobody is told that a system does not have it. */
function choosePortLate(sys: Sys, fd: number): void {
  try {
    sys.setSocketOption(fd, 'IP_BIND_ADDRESS_NO_PORT', 1);
  } catch {
    // Not Linux.
  }
}
