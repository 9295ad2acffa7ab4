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
  // By its other end: a table that is read while it changes may show a connection twice.
  const held = new Set<string>();
  for (const line of table.split('\n').slice(1)) {
    const [, local, remote = '', state, , , , , , inode] = line.trim().split(/\s+/);
    // Connections in the queue of the listener, and those that were closed, belong to no file.
    if (state === LISTEN || inode === '0') continue;
    if (local?.endsWith(`:${hexPort}`) && remote.startsWith(start)) held.add(remote);
  }
  return held.size;
}

export function acceptedConnections(port: number, client?: string): number {
  return countAccepted(readFileSync('/proc/net/tcp', 'latin1'), port, client);
}
