/**
 * The connections of a listening port as the kernel sees them, whoever holds them. Pure but for one read of /proc.
 */
import { readFileSync } from 'node:fs';

const LISTEN = '0A';

/** An IPv4 address as that table writes it. */
function hexAddress(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return bytes.toReversed().join('').toUpperCase();
}

/**
 * Connections of `port` on the listening side that a process has accepted and not closed, of all clients or of those
 * with one address. From `/proc/net/tcp`, for machines of the usual byte order.
 */
export function countAccepted(table: string, port: number, client?: string): number {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const start = client === undefined ? '' : `${hexAddress(client)}:`;
  return table
    .split('\n')
    .slice(1)
    .filter((line) => {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      // Connections in the queue of the listener, and those that were closed, belong to no file.
      const held = state !== LISTEN && inode !== '0';
      return held && local?.endsWith(`:${hexPort}`) && remote?.startsWith(start);
    }).length;
}

export function acceptedConnections(port: number, client?: string): number {
  return countAccepted(readFileSync('/proc/net/tcp', 'latin1'), port, client);
}
