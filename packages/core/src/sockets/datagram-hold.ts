/**
 * A service's hold on a UDP socket. Another service may be lent it: from its first listener on, what arrives goes there. Both
 * can send, so that the first one may finish what it has begun.
 */
import type { Socket } from 'node:dgram';
import type { InetAddress } from '@cirque/transport';
import type { SocketRecord } from './socket-record.ts';

type Listener = (...values: unknown[]) => void;

/** What a hold is made with. */
export interface DatagramHoldParts {
  readonly socket: Socket;
  readonly address: InetAddress;
  readonly record: SocketRecord;
  /** Closes the socket. */
  close(): void;
  /** The hold is given up, or lent. */
  changed(): void;
}

/** See the file's head. A hold is given up by {@link close}, once; the last one closes the socket. */
export class DatagramHold {
  readonly socket: Socket;
  readonly address: InetAddress;
  readonly record: SocketRecord;
  readonly #parts: DatagramHoldParts;
  #lender: DatagramHold | undefined;
  #borrower: DatagramHold | undefined;
  /** Of the time before it was lent. */
  #listeners: readonly Listener[] = [];
  #errorListeners: readonly Listener[] = [];
  /** Waits for the first listener of the borrower. */
  #onListener: ((event: string | symbol) => void) | undefined;
  #isOpen = true;

  constructor(parts: DatagramHoldParts) {
    this.socket = parts.socket;
    this.address = parts.address;
    this.record = parts.record;
    this.#parts = parts;
  }

  /** False once it is given up. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Somebody else receives, or is about to. */
  get isLent(): boolean {
    return this.#borrower !== undefined;
  }

  /** A hold for another service. When it is given up first, this one goes on. */
  lend(changed: () => void): DatagramHold {
    if (this.isLent || !this.#isOpen)
      throw new Error(`the socket of ${this.record.address} is lent already, or closed`);
    const { socket } = this;
    const borrower = new DatagramHold({ ...this.#parts, changed });
    borrower.#lender = this;
    this.#borrower = borrower;
    this.#errorListeners = listenersOf(socket, 'error');
    this.#onListener = (event) => {
      if (event !== 'message') return;
      this.#stopWaiting();
      this.#listeners = listenersOf(socket, 'message');
      remove(socket, 'message', this.#listeners);
    };
    socket.on('newListener', this.#onListener);
    this.#parts.changed();
    return borrower;
  }

  /** Gives it up. Can be passed on its own. */
  readonly close = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const [lender, borrower] = [this.#lender, this.#borrower];
    if (borrower !== undefined) {
      borrower.#lender = lender;
      remove(this.socket, 'error', this.#errorListeners);
    }
    if (lender !== undefined) lender.#borrower = borrower;
    if (borrower === undefined) {
      if (lender === undefined) this.#parts.close();
      else lender.#goOn();
    }
    this.#parts.changed();
  };

  /** Its borrower has given up. */
  #goOn(): void {
    const { socket } = this;
    this.#stopWaiting();
    remove(
      socket,
      'error',
      listenersOf(socket, 'error').filter((one) => !this.#errorListeners.includes(one)),
    );
    if (this.#listeners.length === 0) return;
    remove(socket, 'message', listenersOf(socket, 'message'));
    for (const listener of this.#listeners) socket.on('message', listener);
    this.#listeners = [];
  }

  #stopWaiting(): void {
    if (this.#onListener !== undefined) this.socket.off('newListener', this.#onListener);
    this.#onListener = undefined;
  }
}

function listenersOf(socket: Socket, event: 'message' | 'error'): readonly Listener[] {
  return socket.rawListeners(event) as Listener[];
}

function remove(socket: Socket, event: 'message' | 'error', listeners: readonly Listener[]): void {
  for (const listener of listeners) socket.off(event, listener);
}
