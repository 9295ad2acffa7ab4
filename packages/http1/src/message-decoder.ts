/**
 * Turns bytes of one connection into messages: head, body, end, for as many messages as come.
 *
 * Sans I/O: the owner feeds what it read and keeps what was not consumed. The two roles differ only in how a head is
 * parsed, see request-decoder.ts and response-decoder.ts.
 */
import { CirqueError, type ErrorSource } from '@cirque/error';
import type { HeaderMap } from '@cirque/http';
import { ChunkedDecoder } from './chunked.ts';
import { INCOMPLETE } from './field-scan.ts';
import { CHUNKED, type Framing, UNTIL_CLOSE } from './framing.ts';
import type { Http1Limits } from './limits.ts';
import { SectionBuffer } from './section-buffer.ts';

const CR = 0x0d;

/**
 * Where a decoder is:
 * - `head`: between messages, or inside a head;
 * - `length`, `chunked`, `until-close`: inside a body;
 * - `ending`: the message was received, but its end is not reported before {@link MessageDecoder.unhold};
 * - `complete`: the message ended; nothing is consumed until {@link MessageDecoder.next};
 * - `stopped`: by an error or by the owner; nothing is consumed any more.
 */
export type DecoderState = 'head' | 'length' | 'chunked' | 'until-close' | 'ending' | 'complete' | 'stopped';

/** Receives the messages. It may call `hold`, `next` or `stop` of the decoder from any of its methods. */
export interface MessageSink {
  /** A head was parsed; its facts are in the registers of its parser. */
  onMessageHead(): void;
  /** A piece of the body: `buffer[start, end)`, valid during the call only. */
  onBodyBytes(buffer: Buffer, start: number, end: number): void;
  /** The message is complete. */
  onMessageEnd(trailers: HeaderMap | undefined): void;
}

/** A decoder for one side of one connection. */
export abstract class MessageDecoder {
  readonly #sink: MessageSink;
  readonly #source: ErrorSource;
  readonly #limits: Http1Limits;
  #chunked: ChunkedDecoder | undefined;
  #state: DecoderState = 'head';
  #remaining = 0;
  #trailers: HeaderMap | undefined;
  #held = false;
  /** An incomplete head. */
  #partial: SectionBuffer | undefined;
  readonly #stoppedOrHeld: () => boolean;

  constructor(sink: MessageSink, source: ErrorSource, limits: Http1Limits) {
    this.#sink = sink;
    this.#source = source;
    this.#limits = limits;
    this.#stoppedOrHeld = () => this.#held || this.#state === 'stopped';
  }

  get state(): DecoderState {
    return this.#state;
  }

  /** True when a head has begun but is not complete. The empty line that may precede a request is no beginning. */
  get insideHead(): boolean {
    const partial = this.#partial;
    return partial !== undefined && (partial.length > 2 || partial.bytes[0] !== CR);
  }

  /** True when the whole message was received, reported or not. */
  get received(): boolean {
    return this.#state === 'complete' || this.#state === 'ending';
  }

  /** True when the body goes on for more bytes than were fed so far by at least `bytes`. */
  expectsBody(bytes: number): boolean {
    if (this.#state === 'length') return this.#remaining >= bytes;
    return this.#state === 'until-close' || (this.#state === 'chunked' && this.#chunked?.expectsMuch === true);
  }

  /** Stops consuming and reporting until {@link unhold}: the owner keeps the rest. */
  hold(): void {
    this.#held = true;
  }

  /** Allows to go on; the owner feeds next, no bytes at all if it has none. */
  unhold(): void {
    this.#held = false;
  }

  /** Begins the next message after a complete one. */
  next(): void {
    if (this.received) this.#state = 'head';
  }

  /** The connection is no longer HTTP: every byte from here to its end is passed on as a body. */
  tunnel(): void {
    this.#state = 'until-close';
    this.#trailers = undefined;
  }

  /** Consumes nothing more, for good. */
  stop(): void {
    this.#state = 'stopped';
    this.#partial = undefined;
  }

  /**
   * Consumes `buffer[start, end)` as far as the state allows.
   *
   * @returns the offset after the last byte consumed; the rest is the owner's to keep or to judge.
   * @throws CirqueError when the bytes are not acceptable; the decoder is stopped then.
   */
  feed(buffer: Buffer, start: number, end: number): number {
    try {
      return this.#feed(buffer, start, end);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /**
   * The connection was closed by the other side.
   *
   * Ends a body that is delimited by the close.
   * @throws CirqueError ConnectionClosed when a message was cut.
   */
  finish(): void {
    const state = this.#state;
    if (state === 'until-close') {
      this.#complete();
      return;
    }
    const cut = state === 'length' || state === 'chunked' || this.insideHead;
    if (!this.received) this.stop();
    if (cut) {
      const where = state === 'head' ? 'inside a head' : 'before the end of the body';
      throw new CirqueError('ConnectionClosed', `connection closed ${where}`, { source: this.#source });
    }
  }

  /** Parses a head; answers the offset after it or INCOMPLETE. The framing goes to {@link beginBody}. */
  protected abstract parseHead(buffer: Buffer, start: number, end: number): number;

  /** The framing of the head that was parsed last. */
  protected abstract framingOfHead(): Framing;

  /** What to throw when a head does not end within the limit; `partial` is its beginning. */
  protected abstract headTooLarge(partial: Buffer): CirqueError;

  #feed(buffer: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#state === 'ending') this.#complete();
    while (at < end && !this.#held) {
      switch (this.#state) {
        case 'head':
          at = this.#readHead(buffer, at, end);
          break;
        case 'length':
          at = this.#readLength(buffer, at, end);
          break;
        case 'chunked':
          at = this.#readChunked(buffer, at, end);
          break;
        case 'until-close':
          this.#sink.onBodyBytes(buffer, at, end);
          at = end;
          break;
        default:
          return at;
      }
    }
    return at;
  }

  // No byte beyond the limit is looked at, so that a head has the same fate however it is cut.
  #readHead(buffer: Buffer, start: number, end: number): number {
    if (this.#partial !== undefined) return this.#readSplitHead(this.#partial, buffer, start, end);
    const limit = Math.min(end, start + this.#limits.maxHeadBytes);
    const next = this.parseHead(buffer, start, limit);
    if (next === INCOMPLETE) {
      if (limit < end) throw this.headTooLarge(buffer.subarray(start, limit));
      this.#partial = new SectionBuffer(buffer, start, end);
      return end;
    }
    this.#begin();
    return next;
  }

  #readSplitHead(partial: SectionBuffer, buffer: Buffer, start: number, end: number): number {
    const before = partial.length;
    const worthwhile = partial.add(buffer, start, end);
    const limit = Math.min(partial.length, this.#limits.maxHeadBytes);
    if (!worthwhile && limit === partial.length) return end;
    const next = this.parseHead(partial.bytes, 0, limit);
    if (next === INCOMPLETE) {
      if (limit < partial.length) throw this.headTooLarge(partial.bytes.subarray(0, limit));
      return end;
    }
    this.#partial = undefined;
    this.#begin();
    return start + next - before;
  }

  #begin(): void {
    const framing = this.framingOfHead();
    if (framing > 0) {
      this.#state = 'length';
      this.#remaining = framing;
    } else if (framing === CHUNKED) {
      this.#state = 'chunked';
      this.#chunked ??= new ChunkedDecoder(this.#source, this.#limits);
      this.#chunked.reset();
    } else {
      this.#state = framing === UNTIL_CLOSE ? 'until-close' : 'ending';
    }
    this.#trailers = undefined;
    this.#sink.onMessageHead();
    if (this.#state === 'ending') this.#complete();
  }

  #readLength(buffer: Buffer, start: number, end: number): number {
    const upTo = Math.min(end, start + this.#remaining);
    this.#remaining -= upTo - start;
    this.#sink.onBodyBytes(buffer, start, upTo);
    if (this.#remaining === 0 && this.#state === 'length') this.#complete();
    return upTo;
  }

  #readChunked(buffer: Buffer, start: number, end: number): number {
    const chunked = this.#chunked as ChunkedDecoder;
    const next = chunked.decode(buffer, start, end, this.#sink, this.#stoppedOrHeld);
    if (chunked.done && this.#state === 'chunked') {
      this.#trailers = chunked.trailers;
      this.#complete();
    }
    return next;
  }

  #complete(): void {
    this.#state = this.#held ? 'ending' : 'complete';
    if (!this.#held) this.#sink.onMessageEnd(this.#trailers);
  }
}
