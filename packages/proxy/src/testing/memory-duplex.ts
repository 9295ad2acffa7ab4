/**
 * Two linked streams in memory that behave as the two ends of a connection: what sessions get in the place of sockets.
 *
 * Bytes arrive in a later turn and as copies, writing waits while the other side does not read, `end` closes one
 * direction only, and `resetAndDestroy` reaches the other side as ECONNRESET.
 */
import { Duplex } from 'node:stream';

/** Bytes buffered on each side before writing has to wait; as much as a socket has. */
const HIGH_WATER_MARK = 65_536;

/** The most that arrives at once. */
const READ_BYTES = 65_536;

/** Addresses that the sessions of this end will see. */
export interface EndAddresses {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
}

/** One end of a connection in memory. */
export class MemoryEnd extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly #onTraffic: () => void;
  #peer: MemoryEnd | undefined;
  /** Finishes the other side's write, which waits for us to read. */
  #resumePeer: (() => void) | undefined;
  #ended = false;
  #reset = false;

  constructor(onTraffic: () => void, addresses: EndAddresses = {}) {
    super({ highWaterMark: HIGH_WATER_MARK, allowHalfOpen: true });
    this.#onTraffic = onTraffic;
    this.remoteAddress = addresses.remoteAddress;
    this.remotePort = addresses.remotePort;
    this.localAddress = addresses.localAddress;
    this.localPort = addresses.localPort;
  }

  /** Connects the two ends of a pair. */
  static link(left: MemoryEnd, right: MemoryEnd): void {
    left.#peer = right;
    right.#peer = left;
  }

  /** Closes at once, and so that the other side sees it as an error; as `net.Socket` does with RST. */
  resetAndDestroy(): void {
    this.#reset = true;
    this.destroy();
  }

  override _read(): void {
    const resume = this.#resumePeer;
    this.#resumePeer = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#later(() => {
      const peer = this.#peer;
      if (peer === undefined || peer.destroyed) done(systemError('write', 'EPIPE'));
      else peer.#receive(Buffer.from(chunk), done);
    });
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'latin1', done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#later(() => {
      if (this.#peer !== undefined) this.#peer.#receiveEnd();
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this._read();
    const reset = this.#reset || error !== null;
    this.#later(() => {
      const peer = this.#peer;
      if (peer === undefined) return;
      if (reset) peer.destroy(systemError('read', 'ECONNRESET'));
      else peer.#receiveEnd();
    });
    done(error);
  }

  /** In a later turn, as with sockets: a reader never runs inside the writer's call. */
  #later(then: () => void): void {
    setImmediate(() => {
      this.#onTraffic();
      then();
    });
  }

  /** Takes the bytes in reads of at most the size of a socket's, as fast as they are wanted. */
  #receive(bytes: Buffer, done: () => void): void {
    if (this.#ended || this.destroyed || bytes.length === 0) {
      done();
      return;
    }
    const rest = bytes.subarray(READ_BYTES);
    const next = (): void => this.#receive(rest, done);
    if (!this.push(bytes.subarray(0, READ_BYTES))) this.#resumePeer = next;
    else if (rest.length === 0) done();
    else this.#later(next);
  }

  #receiveEnd(): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    this.push(null);
  }
}

function systemError(syscall: 'read' | 'write', code: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}
