/**
 * One address on which clients are received, as their sessions see it.
 */
import type { RemoteInfo } from 'node:dgram';
import type { InetAddress } from '@cirque/transport';

/** See the file's head. */
export interface ClientPort {
  /** The real address. */
  readonly address: InetAddress;
  readonly ipv6Only: boolean;
  /** Whether it receives and sends; a session needs a socket of its own else. */
  readonly isOpen: boolean;
  /** Sends to a client. False: the datagram was dropped. */
  sendTo(bytes: Buffer, client: RemoteInfo): boolean;
  /** A datagram has come in, whichever way: its client's session gets it. */
  dispatch(bytes: Buffer, client: RemoteInfo): void;
  /** The system did not take a datagram for a client. */
  notSent(): void;
}
