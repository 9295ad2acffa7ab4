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

/**
 * The addresses of a socket, each side asked of the system when it is first read (measured: 3 us a side).
 *
 * What was read once stays known after the close; what was not is undefined then, as for a virtual stream.
 */
export function socketDigest(socket: object): SocketDigest {
  return new LazySocketDigest(socket as Partial<Socket>);
}

class LazySocketDigest implements SocketDigest {
  readonly #socket: Partial<Socket>;
  #localAddress: string | undefined;
  #localPort: number | undefined;

  constructor(socket: Partial<Socket>) {
    this.#socket = socket;
  }

  // Node keeps what it was told of the other side when the socket closes, and forgets our own.
  get remoteAddress(): string | undefined {
    return stripMapped(this.#socket.remoteAddress);
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort;
  }

  get localAddress(): string | undefined {
    this.#readLocal();
    return this.#localAddress;
  }

  get localPort(): number | undefined {
    this.#readLocal();
    return this.#localPort;
  }

  #readLocal(): void {
    if (this.#localPort !== undefined) return;
    this.#localAddress = stripMapped(this.#socket.localAddress);
    this.#localPort = this.#socket.localPort;
  }

  /** For logs: accessors are not copied by JSON. */
  toJSON(): SocketDigest {
    const { remoteAddress, remotePort, localAddress, localPort } = this;
    return { remoteAddress, remotePort, localAddress, localPort };
  }
}

// A dual-stack listener reports IPv4 clients as ::ffff:a.b.c.d; lists and logs want the plain address.
function stripMapped(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
