/**
 * Facts about one connection: addresses, times, TLS and the PROXY header. Read once, on demand, and kept after the
 * socket is gone.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TcpInfo } from '@cirque/sys';
import type { ProxyHeader } from './proxy-header.ts';
import type { SslDigest } from './ssl-digest.ts';
import { tcpInfoOf } from './tcp-info.ts';

/** Addresses of a socket as text without port brackets; undefined where the transport has none (unix, virtual). */
export interface SocketDigest {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

/** What is known of an established connection (Pingora's Digest). */
export interface Digest {
  /** Milliseconds since the epoch at which the transport was there: TCP connected or accepted, TLS begun. */
  readonly establishedAt: number;
  /** The addresses; those of the PROXY header where there is one. */
  readonly socket: SocketDigest;
  /** The addresses of the socket itself, whatever a PROXY header says. */
  readonly transport: SocketDigest;
  /** Undefined on a plaintext connection. */
  readonly ssl: SslDigest | undefined;
  /** The PROXY header that the connection began with, if it was read. */
  readonly proxyHeader: ProxyHeader | undefined;
  /**
   * What the system knows of the connection now: round-trip time, retransmissions. A system call at every use; undefined
   * for what is not TCP, after the close, and where native calls are missing.
   */
  tcpInfo(): TcpInfo | undefined;
}

/** What only the one who made the connection knows of it; given to {@link Stream.identify}. */
export interface StreamFacts {
  readonly ssl?: SslDigest | undefined;
  readonly proxyHeader?: ProxyHeader | undefined;
  /** The socket underneath, when the duplex of the stream is TLS on top of it. */
  readonly carrier?: Duplex | undefined;
}

/** Puts together what is known of a connection. */
export function digestOf(duplex: object, establishedAt: number, { ssl, proxyHeader, carrier }: StreamFacts): Digest {
  const transport = socketDigest(carrier ?? duplex);
  const carried = proxyHeader?.source === undefined ? transport : new CarriedDigest(proxyHeader);
  return { establishedAt, socket: carried, transport, ssl, proxyHeader, tcpInfo: ownTcpInfo };
}

/** Shared, so that a digest costs no closure. */
function ownTcpInfo(this: Digest): TcpInfo | undefined {
  return this.transport instanceof LazySocketDigest ? this.transport.tcpInfo() : undefined;
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

  tcpInfo(): TcpInfo | undefined {
    return tcpInfoOf(this.#socket);
  }

  /** For logs: accessors are not copied by JSON. */
  toJSON(): SocketDigest {
    const { remoteAddress, remotePort, localAddress, localPort } = this;
    return { remoteAddress, remotePort, localAddress, localPort };
  }
}

/** The addresses that a PROXY header tells. A unix socket has a path there, which is no address. */
class CarriedDigest implements SocketDigest {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;

  constructor({ source, destination }: ProxyHeader) {
    this.remoteAddress = source?.host;
    this.remotePort = source?.port;
    this.localAddress = destination?.host;
    this.localPort = destination?.port;
  }
}

// A dual-stack listener reports IPv4 clients as ::ffff:a.b.c.d; lists and logs want the plain address.
function stripMapped(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
