/**
 * What is known of one listening socket: enough to find its owner again in a successor, or in another thread.
 *
 * Records are plain JSON: they go over the upgrade socket and between threads.
 */
import { type Address, formatAddress } from '@cirque/transport';

/** What a socket speaks. `udp` is a datagram socket, the others listen for connections. */
export type SocketKind = 'tcp' | 'unix' | 'udp';

/** One open listening socket. */
export interface SocketRecord {
  /** The service that it belongs to; empty when that is not known, as with socket activation. */
  readonly service: string;
  readonly kind: SocketKind;
  /** The configured address in the form of `formatAddress`. Port 0 stays 0. */
  readonly address: string;
  /** The real address: port 0 is replaced by the port that the system chose. */
  readonly bound: string;
  /** The number of its descriptor in this process. One number is used by one thread only. */
  readonly fd: number;
  /** True when the service manager owns the socket (socket activation): the path of a unix socket is left alone. */
  readonly activated?: true;
}

/** The record of a socket that is open here. */
export function socketRecord(
  service: string,
  kind: SocketKind,
  addresses: { readonly configured: Address; readonly bound: Address },
  fd: number,
): SocketRecord {
  const { configured, bound } = addresses;
  return { service, kind, address: formatAddress(configured), bound: formatAddress(bound), fd };
}
