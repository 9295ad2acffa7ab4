/**
 * Asks the system about a TCP connection.
 */
import type { Socket } from 'node:net';
import { descriptorOf, loadSys, type TcpInfo } from '@cirque/sys';

/** Undefined for what is not an open TCP socket, and where native calls are missing. */
export function tcpInfoOf(socket: object): TcpInfo | undefined {
  try {
    const descriptor = descriptorOf(socket as Socket);
    return descriptor === undefined ? undefined : loadSys()?.tcpInfo(descriptor);
  } catch {
    // A unix socket or a pipe has none.
    return undefined;
  }
}
