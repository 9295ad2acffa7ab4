/**
 * Two linked streams in memory that behave as the two ends of a TCP connection.
 *
 * Bytes arrive in a later turn and as copies, writing waits while the other side does not read, `end` closes one
 * direction only, and destroying one side with an error reaches the other as a reset.
 */
import { Duplex } from 'node:stream';

export interface DuplexPairOptions {
  /** Bytes buffered on each side before writing has to wait. Default 64 KiB. */
  highWaterMark?: number;
  /** When false, a side ends its own direction as soon as the other one has ended. Default true. */
  allowHalfOpen?: boolean;
}

class PairEnd extends Duplex {
  #peer: PairEnd | undefined;
  /** Finishes the other side's write, which waits for us to read. */
  #resumePeer: (() => void) | undefined;
  #ended = false;

  link(peer: PairEnd): void {
    this.#peer = peer;
  }

  override _read(): void {
    const resume = this.#resumePeer;
    this.#resumePeer = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const peer = this.#peer;
    // A later turn, as with sockets: a reader never runs inside the writer's call.
    setImmediate(() => {
      if (peer === undefined || peer.destroyed) done(systemError('write EPIPE', 'EPIPE'));
      else peer.#receive(Buffer.from(chunk), done);
    });
  }

  override _final(done: (error?: Error) => void): void {
    const peer = this.#peer;
    setImmediate(() => {
      if (peer !== undefined) peer.#receiveEnd();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const peer = this.#peer;
    this._read();
    setImmediate(() => {
      if (peer === undefined) return;
      if (error === null) peer.#receiveEnd();
      else peer.destroy(systemError('read ECONNRESET', 'ECONNRESET'));
    });
    done(error);
  }

  #receive(chunk: Buffer, done: () => void): void {
    if (this.#ended || this.push(chunk)) done();
    else this.#resumePeer = done;
  }

  #receiveEnd(): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    this.push(null);
  }
}

/** The two ends of a new connection. Both have to be destroyed, or ended and read to their end, by the test. */
export function duplexPair(options: DuplexPairOptions = {}): [Duplex, Duplex] {
  const { highWaterMark = 65_536, allowHalfOpen = true } = options;
  const left = new PairEnd({ highWaterMark, allowHalfOpen });
  const right = new PairEnd({ highWaterMark, allowHalfOpen });
  left.link(right);
  right.link(left);
  return [left, right];
}

function systemError(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
