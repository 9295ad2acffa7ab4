/**
 * One end of a relay: what is read from its stream is written to the other end's.
 *
 * Nothing is made for a chunk: leased buffers are written as they are, and whether to read on is decided by two bits.
 */
import { Socket } from 'node:net';
import { CirqueError } from '@cirque/error';
import { Timer } from '@cirque/timeout';
import type { Lease, Stream, StreamHandler } from '@cirque/transport';
import { claimLargeReads, returnLargeReads } from './large-reads.ts';
import type { Relay } from './relay.ts';
import { TokenBucket } from './token-bucket.ts';

/** Which side of the proxy an end is. */
export type Side = 'client' | 'upstream';

/** Reads of at least this size show that more is coming: they get larger buffers. */
const LARGE_READ_BYTES = 32_768;
/** Reads below this size show that it is over. */
const SMALL_READ_BYTES = 16_384;

/** Why an end does not read: the other one does not take what was written, or the rate is used up. */
const WRITES = 1;
const RATE = 2;

/** See the file's head. */
export class RelayEnd implements StreamHandler {
  readonly side: Side;
  readonly stream: Stream;
  readonly #relay: Relay;
  /** Bytes read from this end. */
  read = 0;
  /** Bytes given to the stream of this end to write. */
  given = 0;
  /** It has sent everything (FIN). */
  ended = false;
  closed = false;
  #discards = false;
  #other: RelayEnd | undefined;
  #waits = 0;
  #bucket: TokenBucket | undefined;
  #rateTimer: Timer | undefined;

  constructor(side: Side, stream: Stream, relay: Relay) {
    this.side = side;
    this.stream = stream;
    this.#relay = relay;
  }

  /** The end that gets what this one reads. */
  get other(): RelayEnd {
    return this.#other as RelayEnd;
  }

  /** Makes a pair of two ends. */
  static join(left: RelayEnd, right: RelayEnd): void {
    left.#other = right;
    right.#other = left;
  }

  onRead(buffer: Buffer, length: number, lease: Lease | undefined): void {
    if (this.read === 0) this.#relay.firstByte(this);
    this.read += length;
    if (this.#discards) return;
    const { other, stream } = this;
    other.given += length;
    // A write that the system took whole is no reason to wait, whatever Node says of its size.
    if (!other.stream.writeSlice(buffer, 0, length, lease) && other.stream.writePending) this.#wait(WRITES);
    if (this.#bucket !== undefined) this.#spend(this.#bucket, length);
    else if (length >= LARGE_READ_BYTES && !stream.largeReads) stream.largeReads = claimLargeReads();
    if (length < SMALL_READ_BYTES && stream.largeReads) this.#endLargeReads();
    this.#relay.active();
  }

  onReadEnd(): void {
    this.ended = true;
    this.#relay.ended(this);
  }

  onDrain(): void {
    this.other.#go(WRITES);
    this.#relay.active();
  }

  /** @internal of pool's `keepReadable`: what the upstream has said before it closed is still to be read. */
  onWriteError(error: Error): boolean {
    return this.#relay.cannotWrite(this, error);
  }

  onClose(error: CirqueError | undefined): void {
    this.closed = true;
    this.#rateTimer?.close();
    this.#endLargeReads();
    this.#relay.closed(this, error);
  }

  /** The service stops, and the time of connections is over. */
  shutDown(): void {
    this.#relay.cut('shutdown', CirqueError.internal('ConnectionClosed', 'the service stopped'));
  }

  /** From now on what it sends goes nowhere. */
  discard(): void {
    this.#discards = true;
    this.#go(WRITES | RATE);
  }

  /** Reads no faster than this, in bytes per second; 0: as fast as it can. */
  set rate(bytesPerSecond: number) {
    this.#bucket = bytesPerSecond === 0 ? undefined : new TokenBucket(bytesPerSecond, this.#relay.clock.now());
    // One read is the least that can pass at once: keep it small.
    if (bytesPerSecond > 0) this.#endLargeReads();
    this.#rateTimer?.clear();
    this.#go(RATE);
  }

  /** It waits for nothing but its rate. */
  get paced(): boolean {
    return (this.#waits & RATE) !== 0;
  }

  /**
   * Closing says the same as ending first, with one system call less: it is a plain socket that has taken everything. (TLS has
   * words of its own for its end, and what users make may know of no other end.)
   */
  get endsByClosing(): boolean {
    const { duplex } = this.stream;
    return (
      duplex instanceof Socket && !this.stream.writePending && (duplex as { encrypted?: boolean }).encrypted !== true
    );
  }

  /** Bytes that the system took of what was written here. */
  get taken(): number {
    return Math.max(0, this.given - this.stream.duplex.writableLength);
  }

  #spend(bucket: TokenBucket, bytes: number): void {
    const waitMs = bucket.take(bytes, this.#relay.clock.now());
    if (waitMs === 0) return;
    this.#rateTimer ??= new Timer(() => this.#go(RATE), this.#relay.wheel);
    this.#rateTimer.set(waitMs);
    this.#wait(RATE);
  }

  #wait(why: number): void {
    if (this.#waits === 0) this.stream.pause();
    this.#waits |= why;
  }

  #go(why: number): void {
    if ((this.#waits & why) === 0) return;
    this.#waits &= ~why;
    if (this.#waits === 0 && !this.closed) this.stream.resume();
  }

  #endLargeReads(): void {
    if (!this.stream.largeReads) return;
    this.stream.largeReads = false;
    returnLargeReads();
  }
}
