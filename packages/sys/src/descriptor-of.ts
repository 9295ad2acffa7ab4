/**
 * The file descriptor behind a socket of Node.js, which has no public way to tell.
 */
import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';

/** The number of its descriptor; undefined when it is closed, or the runtime has none. */
export function descriptorOf(socket: Server | Socket | DatagramSocket): number | undefined {
  const stream = (socket as unknown as { _handle?: { fd?: number } | null })._handle;
  const fd = stream?.fd ?? datagramDescriptor(socket);
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

function datagramDescriptor(socket: object): number | undefined {
  const state = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'state symbol');
  if (state === undefined) return undefined;
  return (socket as Record<symbol, { handle?: { fd?: number } | null } | undefined>)[state]?.handle?.fd;
}
