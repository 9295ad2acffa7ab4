/**
 * One established byte stream (TCP, unix or virtual) behind one handler: the only thing that sessions know of sockets.
 *
 * It adds to a Node duplex what the data path needs: reads without a Buffer per chunk, one terminal event,
 * and errors as CirqueError. Writes go straight to the duplex.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type CirqueError, type ErrorSource, fromNodeError } from '@cirque/error';
import { type Digest, digestOf, type StreamFacts } from './digest.ts';
import { hidesResets, wasReset } from './hidden-reset.ts';
import { LEASED_READ_BYTES, Lease, OWNED, sharedReadBuffer } from './read-buffer.ts';
import { sendReset } from './send-reset.ts';

/** What the owner of a stream is told. Methods may replace the handler, pause or destroy the stream. */
export interface StreamHandler {
  /**
   * Bytes arrived: `buffer[0, length)`. Valid only during the call, unless `lease` is given and retained.
   */
  onRead(buffer: Buffer, length: number, lease: Lease | undefined): void;
  /** The other side finished sending (FIN); the writable side is still open. */
  onReadEnd(): void;
  /** Everything written so far was handed to the system after a write had returned false. */
  onDrain(): void;
  /** Last call, exactly once. `error` is undefined after an orderly close. */
  onClose(error: CirqueError | undefined): void;
}

const kStream: unique symbol = Symbol('cirque.stream');
interface Owned {
  [kStream]: Stream;
}

/** A byte stream with one handler. Reading starts with {@link start}. */
export class Stream {
  /** The Node stream underneath. Use it directly only for writes, or before {@link start} (`pipe`, `for await`). */
  readonly duplex: Duplex;
  handler: StreamHandler;
  /** Set while a large body is expected: reads then land in leased buffers that can be written without a copy. */
  largeReads = false;
  /** Milliseconds since the epoch. */
  readonly establishedAt: number = Date.now();
  /** Which side of the proxy this is; the source of its errors. */
  readonly side: ErrorSource;
  #lease: Lease | undefined;
  #digest: Digest | undefined;
  #facts: StreamFacts = NO_FACTS;
  #error: CirqueError | undefined;
  readonly #callbackReads: boolean;
  /** A write that is done is over. What users make may keep the chunk for longer, as a PassThrough does. */
  readonly #writesOut: boolean;
  #started = false;
  #paused = false;
  #closed = false;

  /** @param callbackReads true when the duplex was made with an `onread` option of this file. */
  constructor(duplex: Duplex, side: ErrorSource, callbackReads = false) {
    this.duplex = duplex;
    this.side = side;
    this.handler = UNHANDLED;
    this.#callbackReads = callbackReads;
    this.#writesOut = duplex instanceof Socket;
    (duplex as unknown as Owned)[kStream] = this;
    // A connected socket would read at once, and what comes before start would be lost.
    if (callbackReads) duplex.pause();
    duplex.on('close', closed);
    duplex.on('error', failed);
  }

  /**
   * Installs the handler and begins to read; a later owner calls it again to take the stream over.
   *
   * An end or close that came before is reported to the new handler as well, in a later turn.
   */
  start(handler: StreamHandler): void {
    this.handler = handler;
    if (this.#closed || this.duplex.readableEnded) process.nextTick(reportAgain, this, handler, this.#closed);
    this.#paused = false;
    if (this.#started) {
      this.duplex.resume();
      return;
    }
    this.#started = true;
    this.duplex.on('end', ended);
    this.duplex.on('drain', drained);
    if (this.#callbackReads) this.duplex.resume();
    else this.duplex.on('data', chunkArrived);
  }

  /** Stops reading until {@link resume} or {@link start}; bytes already in flight may still arrive once. */
  pause(): void {
    this.#paused = true;
    this.duplex.pause();
  }

  resume(): void {
    this.#paused = false;
    this.duplex.resume();
  }

  /** Writes text whose characters are all below 256. False asks the caller to wait for onDrain. */
  writeLatin1(text: string): boolean {
    return this.duplex.write(text, 'latin1');
  }

  /** Writes bytes that nobody changes any more. */
  write(bytes: Uint8Array): boolean {
    return this.duplex.write(bytes);
  }

  /** Writes part of a read buffer: to a socket without a copy when it is leased, else from a copy. */
  writeSlice(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean {
    const bytes = end - start;
    if (this.#writesOut && lease !== undefined) {
      lease.retain();
      return this.duplex.write(buffer.subarray(start, end), lease.release);
    }
    if (!this.#writesOut || bytes <= COPY_TO_LEASE_FROM || bytes > LEASED_READ_BYTES) {
      return this.duplex.write(Buffer.from(buffer.subarray(start, end)));
    }
    const copy = Lease.take();
    // Measured: copying into a recycled buffer beats allocating one of this size for every chunk.
    buffer.copy(copy.buffer, 0, start, end);
    return this.duplex.write(copy.buffer.subarray(0, bytes), copy.release);
  }

  /** Writes bytes whose memory is used again after `done`: to a socket without a copy. */
  writeLent(bytes: Buffer, done: () => void): boolean {
    if (this.#writesOut) return this.duplex.write(bytes, done);
    const more = this.duplex.write(Buffer.from(bytes));
    done();
    return more;
  }

  /** True while written bytes wait for the system. */
  get writePending(): boolean {
    return this.duplex.writableLength > 0;
  }

  /**
   * Changes whenever the system takes some of what was written, 0 when it has everything: two equal answers mean that
   * the other side has read nothing in between. `writableLength` alone does not tell, it keeps a write until its end.
   */
  get writeBacklog(): number {
    const pending = this.duplex.writableLength;
    if (pending === 0) return 0;
    const socket = this.#facts.carrier ?? this.duplex;
    const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
    return pending + (handle?.writeQueueSize ?? 0);
  }

  /** Asks the system whether the other side has reset the connection; while reading is paused nobody is told. */
  get wasReset(): boolean {
    return wasReset(this.duplex);
  }

  /** Tells the stream what its maker learnt of it: TLS, PROXY header. Before the stream is handed on. */
  identify(facts: StreamFacts): void {
    this.#facts = facts;
    this.#digest = undefined;
  }

  /** Addresses, times, TLS; survives the close. */
  get digest(): Digest {
    this.#digest ??= digestOf(this.duplex, this.establishedAt, this.#facts);
    return this.#digest;
  }

  get destroyed(): boolean {
    return this.duplex.destroyed;
  }

  /** Sends FIN after what was written; reading goes on. */
  end(): void {
    this.duplex.end();
  }

  /** Closes both directions now. The error, if any, is what onClose reports. */
  destroy(error?: CirqueError): void {
    this.#error ??= error;
    this.duplex.destroy();
  }

  /**
   * Closes at once, with RST where the transport has one, so that the other side cannot take it for an orderly end.
   * What was not sent yet is lost. After {@link end} with everything sent the end was said already: then it just closes.
   */
  reset(error?: CirqueError): void {
    this.#error ??= error;
    const { duplex } = this;
    if (duplex.destroyed) return;
    const finSent = duplex.writableEnded && duplex.writableLength === 0;
    // While a FIN is under way libuv refuses to reset, and Node would never close the socket.
    if (finSent || !sendReset(duplex, this.#facts.carrier)) duplex.destroy();
  }

  /** The buffer for the next read of a socket made with {@link switchableOnread}. */
  nextReadBuffer(): Buffer {
    if (!this.largeReads) {
      if (this.#lease !== undefined) this.#returnLease();
      return sharedReadBuffer;
    }
    if (this.#lease === undefined || !this.#lease.exclusive) {
      this.#lease?.release();
      this.#lease = Lease.take();
    }
    return this.#lease.buffer;
  }

  /**
   * @internal A read completed. False stops the reading: Node resumes in a later turn, and would do so after a pause
   * that came in between.
   */
  deliver(length: number, buffer: Buffer): boolean {
    const lease = this.#lease;
    this.handler.onRead(buffer, length, lease !== undefined && lease.buffer === buffer ? lease : undefined);
    return !this.#paused;
  }

  /** @internal */
  fail(cause: unknown): void {
    const writing = cause instanceof Error && (cause as NodeJS.ErrnoException).syscall === 'write';
    this.#error ??= fromNodeError(cause, writing ? 'write' : 'read', this.side);
  }

  /** @internal */
  closed(): void {
    this.#closed = true;
    this.#returnLease();
    this.handler.onClose(this.#error);
  }

  #returnLease(): void {
    this.#lease?.release();
    this.#lease = undefined;
  }
}

function reportAgain(stream: Stream, handler: StreamHandler, wasClosed: boolean): void {
  if (stream.handler !== handler) return;
  if (wasClosed) stream.closed();
  else if (!stream.destroyed) handler.onReadEnd();
}

/** Slices above this are copied into a recycled buffer instead of a new one. */
const COPY_TO_LEASE_FROM = 16_384;

const NO_FACTS: StreamFacts = {};

const UNHANDLED: StreamHandler = { onRead() {}, onReadEnd() {}, onDrain() {}, onClose() {} };

const RESETS_ARE_HIDDEN = hidesResets(process.versions.uv);

/** As Node reports it where it does. */
function connectionReset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}

// Shared listeners: a closure per connection and event would cost memory on every idle connection.
function closed(this: Duplex): void {
  (this as unknown as Owned)[kStream].closed();
}
function failed(this: Duplex, error: unknown): void {
  (this as unknown as Owned)[kStream].fail(error);
}
function ended(this: Duplex): void {
  const stream = (this as unknown as Owned)[kStream];
  if (RESETS_ARE_HIDDEN && wasReset(this)) stream.duplex.destroy(connectionReset());
  else stream.handler.onReadEnd();
}
function drained(this: Duplex): void {
  (this as unknown as Owned)[kStream].handler.onDrain();
}
function chunkArrived(this: Duplex, chunk: Buffer): void {
  // A socket allocates for each read. What comes out of other streams may be somebody's constants.
  const lease = this instanceof Socket ? OWNED : undefined;
  (this as unknown as Owned)[kStream].handler.onRead(chunk, chunk.length, lease);
}
function readArrived(this: unknown, length: number, buffer: Uint8Array): boolean {
  return (this as unknown as Owned)[kStream].deliver(length, buffer as Buffer);
}

/** The option of `net.Socket` for reads with callbacks. */
export interface OnreadOption {
  readonly buffer: Uint8Array | (() => Uint8Array);
  readonly callback: (length: number, buffer: Uint8Array) => boolean;
}

/** `onread` option of an accepted socket: reads go to the shared buffer. */
export const acceptOnread: OnreadOption = {
  buffer: sharedReadBuffer,
  callback: readArrived,
};

/** `onread` option for a socket that may switch to leased buffers; `stream` answers which stream it became. */
export function switchableOnread(stream: () => Stream | undefined): OnreadOption {
  return { buffer: () => stream()?.nextReadBuffer() ?? sharedReadBuffer, callback: readArrived };
}
