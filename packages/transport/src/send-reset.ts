/**
 * Closes a duplex in a way that the other side cannot take for an orderly end, where its transport has one.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Sockets have RST, streams in memory may offer the same. False for unix sockets, which Node refuses to reset. */
export function sendReset(
  duplex: Duplex & Partial<Pick<Socket, 'resetAndDestroy'>>,
  carrier: Duplex | undefined,
): boolean {
  if (carrier !== undefined) {
    // Node crashes when the socket under TLS is closed before TLS is. So TLS is destroyed, and it closes the socket,
    // which knows by this property of net.Socket how. Only TCP handles can reset.
    const socket = carrier as { resetAndClosing?: boolean; _handle?: { reset?: unknown } | null };
    if (typeof socket._handle?.reset === 'function') socket.resetAndClosing = true;
    return false;
  }
  if (duplex.resetAndDestroy === undefined) return false;
  try {
    duplex.resetAndDestroy();
    return true;
  } catch {
    return false;
  }
}
