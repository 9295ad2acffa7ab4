/**
 * Socket options that Node can set without native code, applied in one place for accepted and outgoing sockets.
 */
import type { Socket } from 'node:net';

/** TCP keep-alive probes (SO_KEEPALIVE). */
export interface TcpKeepAlive {
  /** Idle time before the first probe, in milliseconds; Node rounds down to seconds. */
  readonly idleMs: number;
}

/** Applies the per-connection options: TCP_NODELAY always, keep-alive when asked. */
export function applySocketOptions(socket: Socket, keepAlive: TcpKeepAlive | undefined): void {
  socket.setNoDelay(true);
  if (keepAlive !== undefined) socket.setKeepAlive(true, keepAlive.idleMs);
}
