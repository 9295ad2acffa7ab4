/**
 * A service's hold on a listening socket. Another service may be lent it: it goes on with the same socket and its queue, and
 * at every moment one of the two accepts.
 */
import type { Server } from 'node:net';
import type { Address } from '@cirque/transport';
import type { Attach, BoundListener } from '../listeners/bound-listener.ts';
import type { SocketRecord } from './socket-record.ts';

/** Who accepts on a socket now. */
class Seat {
  #leave: (() => void) | undefined;

  take(attach: Attach): void {
    this.#leave?.();
    this.#leave = attach();
  }
}

/** What a hold is made with. */
export interface ListenerHoldParts {
  readonly listener: BoundListener;
  /** The thread for which it is open, where that is another one. */
  readonly owner?: number | undefined;
  /** The hold is given up, or lent. */
  changed(): void;
}

/** See the file's head. A hold is given up by {@link close}, once; the last one closes the socket. */
export class ListenerHold implements BoundListener {
  readonly server: Server;
  readonly address: Address;
  readonly record: SocketRecord;
  readonly owner: number | undefined;
  readonly #parts: ListenerHoldParts;
  #seat: Seat = new Seat();
  #attach: Attach | undefined;
  #lender: ListenerHold | undefined;
  #borrower: ListenerHold | undefined;
  #isOpen = true;

  constructor(parts: ListenerHoldParts) {
    const { listener, owner } = parts;
    this.server = listener.server;
    this.address = listener.address;
    this.record = listener.record;
    this.owner = owner;
    this.#parts = parts;
  }

  /** False once it is given up. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Somebody else listens, or is about to. */
  get isLent(): boolean {
    return this.#borrower !== undefined;
  }

  serve(attach: Attach): void {
    this.#attach = attach;
    this.#seat.take(attach);
  }

  /** A hold for another service, which accepts as soon as it {@link serve}s. When it is given up first, this one goes on. */
  lend(changed: () => void): ListenerHold {
    if (this.isLent || !this.#isOpen)
      throw new Error(`the socket of ${this.record.address} is lent already, or closed`);
    const borrower = new ListenerHold({ ...this.#parts, changed });
    borrower.#seat = this.#seat;
    borrower.#lender = this;
    this.#borrower = borrower;
    this.#parts.changed();
    return borrower;
  }

  /** Gives it up. Can be passed on its own. */
  readonly close = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const [lender, borrower] = [this.#lender, this.#borrower];
    if (borrower !== undefined) borrower.#lender = lender;
    if (lender !== undefined) lender.#borrower = borrower;
    if (borrower === undefined) {
      if (lender === undefined) this.#parts.listener.close();
      else if (lender.#attach !== undefined) this.#seat.take(lender.#attach);
    }
    this.#parts.changed();
  };
}
