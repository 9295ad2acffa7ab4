/**
 * The connections of a listening port as the kernel sees them, whoever holds them. Pure but for one read of /proc.
 */
import { readFileSync } from 'node:fs';

const LISTEN = '0A';

/** Connections of `port` on the listening side that a process has accepted and not closed. From `/proc/net/tcp`. */
export function countAccepted(port: number, table: string): number {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .slice(1)
    .filter((line) => {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      // Connections in the queue of the listener, and those that were closed, belong to no file.
      return local?.endsWith(`:${hexPort}`) && state !== LISTEN && inode !== '0';
    }).length;
}

export function acceptedConnections(port: number): number {
  return countAccepted(port, readFileSync('/proc/net/tcp', 'latin1'));
}
