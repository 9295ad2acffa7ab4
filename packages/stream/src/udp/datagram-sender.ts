/**
 * Sends on a UDP socket, and does not let datagrams pile up that the system does not take.
 *
 * As a rule the system takes a datagram at once. Where it does not, Node.js keeps it, without a limit of its own.
 */
import type { Socket } from 'node:dgram';

/** As many may be on their way before anybody asks how many bytes that is. */
const FREE_DATAGRAMS = 64;

/** What Node.js may keep for a socket. */
const MAX_KEPT_BYTES = 1_048_576;

/** See the file's head. */
export class DatagramSender {
  readonly #socket: Socket;
  readonly #onError: (error: Error) => void;
  #underWay = 0;
  readonly #sent = (error: Error | null): void => {
    this.#underWay -= 1;
    if (error !== null) this.#onError(error);
  };

  /** @param onError called for each datagram that was not sent; often not before the turn is over. */
  constructor(socket: Socket, onError: (error: Error) => void) {
    this.#socket = socket;
    this.#onError = onError;
  }

  /** On a connected socket. False when there is no room: it was dropped. */
  send(bytes: Buffer): boolean {
    if (this.#isFull()) return false;
    this.#underWay += 1;
    this.#socket.send(bytes, this.#sent);
    return true;
  }

  /** The same on a socket that is not connected. */
  sendTo(bytes: Buffer, port: number, address: string): boolean {
    if (this.#isFull()) return false;
    this.#underWay += 1;
    this.#socket.send(bytes, port, address, this.#sent);
    return true;
  }

  #isFull(): boolean {
    return this.#underWay >= FREE_DATAGRAMS && this.#socket.getSendQueueSize() >= MAX_KEPT_BYTES;
  }
}
