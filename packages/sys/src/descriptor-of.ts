/**
 * The file descriptor behind a socket of Node.js, which has no public way to tell.
 */
import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';

/**
 * The number of its descriptor; undefined when it has none: it is not open yet, closed, or the system is Windows.
 *
 * It belongs to the socket: give other owners, or other threads, a duplicate of it.
 */
export function descriptorOf(socket: Server | Socket | DatagramSocket): number | undefined {
  // Asking a datagram socket for _handle prints a deprecation warning on some lines of Node.js.
  const { handle } = datagramState(socket) ?? { handle: (socket as unknown as { _handle?: Handle })._handle };
  const fd = handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

type Handle = { readonly fd?: number } | null;

function datagramState(socket: object): { readonly handle?: Handle } | undefined {
  const key = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'state symbol');
  return key && (socket as Record<symbol, { handle?: Handle }>)[key];
}
