/**
 * Facts about one connection: addresses and times. Read once, on demand, and kept after the socket is gone.
 */
import type { Socket } from 'node:net';

/** Addresses of a socket as text without port brackets; undefined where the transport has none (unix, virtual). */
export interface SocketDigest {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

/** What is known of an established connection (Pingora's Digest, plaintext part). */
export interface Digest {
  /** Milliseconds since the epoch at which the transport was ready. */
  readonly establishedAt: number;
  readonly socket: SocketDigest;
}

/** Reads the addresses of a socket; a destroyed or virtual one gives undefined fields. */
export function socketDigest(socket: object): SocketDigest {
  const { remoteAddress, remotePort, localAddress, localPort } = socket as Partial<Socket>;
  return {
    remoteAddress: stripMapped(remoteAddress),
    remotePort,
    localAddress: stripMapped(localAddress),
    localPort,
  };
}

// A dual-stack listener reports IPv4 clients as ::ffff:a.b.c.d; lists and logs want the plain address.
function stripMapped(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
