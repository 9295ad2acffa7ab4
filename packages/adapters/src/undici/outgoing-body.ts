/**
 * The body of a request as a stream that a dispatcher reads, written piece by piece and counted.
 */
import { Readable } from 'node:stream';
import { CirqueError } from '@cirque/error';

/** Bytes that wait for the dispatcher before the writer has to. */
const HIGH_WATER_MARK = 65_536;

/** See the file's head. */
export class OutgoingBody extends Readable {
  /** Payload bytes written. */
  bytes = 0;
  /** The last piece was written. */
  complete = false;
  readonly #length: number;
  readonly #onDrain: () => void;
  #full = false;

  /**
   * @param length what Content-Length says; -1 when it says nothing.
   * @param onDrain told that there is room again, after a write had answered false.
   */
  constructor(length: number, onDrain: () => void) {
    super({ highWaterMark: HIGH_WATER_MARK });
    this.#length = length;
    this.#onDrain = onDrain;
    // Whoever reads it tells its errors in another way.
    this.on('error', () => {});
  }

  /** Takes a copy. False: full. @throws CirqueError InternalError beyond Content-Length. */
  write(buffer: Buffer, start: number, end: number): boolean {
    this.bytes += end - start;
    if (this.#length >= 0 && this.bytes > this.#length) {
      throw CirqueError.downstream('InternalError', 'body is longer than its Content-Length');
    }
    if (this.destroyed || start === end) return true;
    this.#full = !this.push(Buffer.from(buffer.subarray(start, end)));
    return !this.#full;
  }

  /** @throws CirqueError PrematureBodyEnd when announced bytes are missing. */
  finish(): void {
    const missing = this.#length - this.bytes;
    if (missing > 0) {
      throw CirqueError.downstream('PrematureBodyEnd', `body is ${missing} bytes shorter than its Content-Length`);
    }
    this.complete = true;
    this.push(null);
  }

  override _read(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#onDrain();
  }
}
