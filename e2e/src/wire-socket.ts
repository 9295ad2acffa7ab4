/**
 * One TCP connection seen as bytes: what was sent, what came, and how it ended.
 * Half-open connections stay half-open, so that a FIN and a reset can be told apart.
 */
import type { Socket } from 'node:net';
import { type Delivery, deliver } from './delivery.ts';
import { SignalBoard } from './signal-board.ts';

/** `fin`: the peer ended its side in order. `reset`: the connection broke. */
export type Ending = 'fin' | 'reset';

export class WireSocket {
  readonly board: SignalBoard = new SignalBoard();
  /** How the peer ended the connection; undefined while it has not. */
  ending: Ending | undefined;
  onBytes: ((bytes: Buffer) => void) | undefined;
  onEnding: ((ending: Ending) => void) | undefined;
  #socket: Socket;
  #received: Buffer[] = [];
  #receivedSize = 0;

  /** `keep`: how many received bytes are kept for messages of failing tests. */
  constructor(socket: Socket, keep: number = 65_536) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      if (this.#receivedSize < keep) this.#received.push(bytes);
      this.#receivedSize += bytes.length;
      this.onBytes?.(bytes);
      this.board.changed();
    });
    socket.on('end', () => this.#ended('fin'));
    socket.on('error', () => this.#ended('reset'));
    socket.on('close', () => this.#ended('reset'));
    socket.on('drain', () => this.board.changed());
  }

  /** True once this side can send no more. */
  get isOver(): boolean {
    return this.ending !== undefined || this.#socket.destroyed;
  }

  /** Octets received in all. */
  get receivedSize(): number {
    return this.#receivedSize;
  }

  /** Octets that the kernel has taken for the peer. */
  get sentSize(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** Octets that were written and that the kernel has not taken. */
  get unsentSize(): number {
    return this.#socket.writableLength;
  }

  /** What came first, for error messages. */
  transcript(): string {
    return JSON.stringify(Buffer.concat(this.#received).toString('latin1', 0, 2_000));
  }

  send(bytes: string | Buffer): boolean {
    if (this.#socket.destroyed || this.#socket.writableEnded) return false;
    return this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends in pieces, each in a write and an event loop turn of its own; stops early when the peer ends. */
  deliver(bytes: Buffer, delivery: Delivery): Promise<void> {
    return deliver(
      bytes,
      delivery,
      (piece) => this.send(piece),
      () => this.isOver,
    );
  }

  /** Ends this side in order; the other one stays open. */
  finish(): void {
    this.#socket.end();
  }

  /** Breaks the connection: the peer sees a reset, or just the end when this side had already sent its FIN. */
  reset(): void {
    // While a shutdown is under way Node cannot reset, and would keep the handle for ever.
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Calls back once when everything written has been taken. */
  onDrain(callback: () => void): void {
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', callback);
    else callback();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Lets go of the connection at the end of a test. */
  destroy(): void {
    this.#socket.destroy();
  }

  until(condition: () => boolean, what: string, timeoutMs: number = 3_000): Promise<void> {
    const describe = () => `connection ${this.ending ?? 'open'}, received ${this.receivedSize}: ${this.transcript()}`;
    return this.board.until(condition, what, timeoutMs, describe);
  }

  #ended(ending: Ending): void {
    if (this.ending === undefined) {
      this.ending = ending;
      this.onEnding?.(ending);
    }
    this.board.changed();
  }
}
