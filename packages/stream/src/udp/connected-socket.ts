/**
 * A UDP socket that is connected to one partner: the system gives it what comes from there, and nothing else, and tells when
 * nobody receives there.
 *
 * Bound and connected in the same turn of the loop. In between, for some microseconds, it may get datagrams of others, which
 * is why its owner sees who has sent each.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { InetAddress } from '@cirque/transport';
import { DatagramSender } from './datagram-sender.ts';

/** Whom a socket tells. Nothing is told after `close`. */
export interface ConnectedSocketHandler {
  /** From now on it can send. Never during `open`. */
  onConnected(): void;
  onDatagram(bytes: Buffer, sender: RemoteInfo): void;
  /**
   * It could not be opened, or the partner cannot be reached, which may be a datagram's fault. May be called during `open`.
   */
  onSocketError(error: NodeJS.ErrnoException): void;
}

/** Where the socket is bound. */
export interface LocalEnd extends InetAddress {
  /** Shares the address with other sockets of this user. */
  readonly reusePort: boolean;
  readonly ipv6Only?: boolean;
}

const ANYWHERE: LocalEnd = { host: '', port: 0, reusePort: false };

/** See the file's head. */
export class ConnectedSocket {
  readonly #partner: InetAddress;
  readonly #local: LocalEnd;
  readonly #socket: Socket;
  readonly #sender: DatagramSender;
  #isOpen = true;

  /** @param partner an IP address. */
  constructor(partner: InetAddress, handler: ConnectedSocketHandler, local: LocalEnd = ANYWHERE) {
    const { reusePort, ipv6Only = false } = local;
    this.#partner = partner;
    this.#local = local;
    const type = isIPv6(partner.host) ? 'udp6' : 'udp4';
    this.#socket = createSocket({ type, reusePort, ipv6Only, lookup: isAddress });
    this.#sender = new DatagramSender(this.#socket, (error) => {
      if (this.#isOpen) handler.onSocketError(error);
    });
    this.#socket.on('connect', () => {
      if (this.#isOpen) handler.onConnected();
    });
    this.#socket.on('message', (bytes, sender) => {
      if (this.#isOpen) handler.onDatagram(bytes, sender);
    });
    this.#socket.on('error', (error) => {
      if (this.#isOpen) handler.onSocketError(error);
    });
  }

  /** Binds and connects. */
  open(): void {
    const { host: address, port } = this.#local;
    if (this.#local !== ANYWHERE) this.#socket.bind({ port, address, exclusive: true });
    // The owner may have closed it, having heard what went wrong.
    if (this.#isOpen) this.#socket.connect(this.#partner.port, this.#partner.host);
  }

  /** Call it when it is connected. False when there is no room: the datagram was dropped. */
  send(bytes: Buffer): boolean {
    return this.#sender.send(bytes);
  }

  /** Closes it, once. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.close();
  }
}

/** There are no names here: everything happens at once. */
function isAddress(
  host: string,
  _options: unknown,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  done(null, host, isIPv6(host) ? 6 : 4);
}
