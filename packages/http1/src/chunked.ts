/**
 * Decodes the chunked transfer coding (RFC 9112 section 7.1), byte-exact: CRLF only, extensions and trailers bounded.
 *
 * A flat state machine that can stop after any byte. Payload is reported as ranges of the input, never copied.
 */
import { CirqueError, type ErrorSource } from '@cirque/error';
import { HeaderMap, latin1, VALUE_BYTES } from '@cirque/http';
import { FieldFacts, INCOMPLETE, type ScanRules, scanFields } from './field-scan.ts';
import type { Http1Limits } from './limits.ts';
import { SectionBuffer } from './section-buffer.ts';

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;

/** 13 hexadecimal digits are 52 bits: exact in a double, and beyond every real chunk. */
const MAX_SIZE_DIGITS = 13;

type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailer' | 'done';

/** Receives the payload. */
export interface ChunkSink {
  onBodyBytes(buffer: Buffer, start: number, end: number): void;
}

const facts = new FieldFacts();

/** One decoder per connection; {@link reset} starts the next body. */
export class ChunkedDecoder {
  readonly #source: ErrorSource;
  readonly #limits: Http1Limits;
  readonly #trailerRules: ScanRules;
  #state: State = 'done';
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #partialTrailers: SectionBuffer | undefined;
  #trailers: HeaderMap | undefined;

  constructor(source: ErrorSource, limits: Http1Limits) {
    this.#source = source;
    this.#limits = limits;
    this.#trailerRules = { source, maxFields: limits.maxFields, foldedLines: false, spaceBeforeColon: false };
  }

  reset(): void {
    this.#state = 'size';
    this.#size = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#partialTrailers = undefined;
    this.#trailers = undefined;
  }

  /** True when the last chunk and the trailer section were read. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /** The trailer fields of a finished body; undefined when it had none. */
  get trailers(): HeaderMap | undefined {
    return this.#trailers;
  }

  /** True while more payload than the given input is certain to come. */
  get expectsMuch(): boolean {
    return this.#state === 'data';
  }

  /**
   * Consumes input until the body ends, the input ends or `stopped` answers true after a piece of payload.
   *
   * @returns the offset after the last byte consumed.
   * @throws CirqueError InvalidChunk, or InvalidHTTPHeader for a trailer section that is not well-formed.
   */
  decode(buffer: Buffer, start: number, end: number, sink: ChunkSink, stopped: () => boolean): number {
    let at = start;
    while (at < end) {
      switch (this.#state) {
        case 'size':
          at = this.#readSize(buffer, at, end);
          break;
        case 'extension':
          at = this.#skipExtension(buffer, at, end);
          break;
        case 'size-lf':
          if (buffer[at] !== LF) throw this.#invalid('chunk size is not followed by CRLF');
          at++;
          this.#state = this.#size > 0 ? 'data' : 'trailer';
          break;
        case 'data': {
          const upTo = Math.min(end, at + this.#size);
          this.#size -= upTo - at;
          if (this.#size === 0) this.#state = 'data-cr';
          sink.onBodyBytes(buffer, at, upTo);
          at = upTo;
          if (stopped()) return at;
          break;
        }
        case 'data-cr':
          if (buffer[at] !== CR) throw this.#invalid('chunk data is not followed by CRLF');
          at++;
          this.#state = 'data-lf';
          break;
        case 'data-lf':
          if (buffer[at] !== LF) throw this.#invalid('chunk data is not followed by CRLF');
          at++;
          this.#digits = 0;
          this.#state = 'size';
          break;
        case 'trailer':
          at = this.#readTrailer(buffer, at, end);
          break;
        case 'done':
          return at;
      }
    }
    return at;
  }

  #readSize(buffer: Buffer, start: number, end: number): number {
    let at = start;
    for (; at < end; at++) {
      const byte = buffer[at] as number;
      const digit = hexDigit(byte);
      if (digit < 0) {
        if (this.#digits === 0) throw this.#invalid('chunk without a size');
        if (byte === SEMICOLON) this.#beginExtension();
        else if (byte !== CR) throw this.#invalid(`byte 0x${byte.toString(16).padStart(2, '0')} in a chunk size`);
        this.#state = byte === CR ? 'size-lf' : 'extension';
        return at + 1;
      }
      if (this.#digits === 0) this.#size = 0;
      // Leading zeros count too: a size of any length would be a way to send bytes for nothing.
      this.#digits += 1;
      if (this.#digits > MAX_SIZE_DIGITS) throw this.#invalid('chunk size above 13 digits');
      this.#size = this.#size * 16 + digit;
    }
    return at;
  }

  #beginExtension(): void {
    this.#extensionBytes += 1;
    if (this.#extensionBytes > this.#limits.maxChunkExtensionBytes) throw this.#extensionsTooLarge();
  }

  /** Extensions are dropped. No byte beyond their limit is looked at, so the outcome does not depend on the reads. */
  #skipExtension(buffer: Buffer, start: number, end: number): number {
    const limit = Math.min(end, start + this.#limits.maxChunkExtensionBytes - this.#extensionBytes);
    let at = start;
    while (at < limit && VALUE_BYTES[buffer[at] as number] === 1) at++;
    this.#extensionBytes += at - start;
    if (at >= end) return end;
    if (buffer[at] === CR) {
      this.#state = 'size-lf';
      return at + 1;
    }
    if (at === limit) throw this.#extensionsTooLarge();
    throw this.#invalid('control character in a chunk extension');
  }

  #extensionsTooLarge(): CirqueError {
    return this.#tooLarge(`chunk extensions above ${this.#limits.maxChunkExtensionBytes} bytes`, 413);
  }

  #readTrailer(buffer: Buffer, start: number, end: number): number {
    const partial = this.#partialTrailers;
    if (partial !== undefined) return this.#readSplitTrailer(partial, buffer, start, end);
    // Nearly every body ends with an empty trailer section, complete in the same read.
    if (end - start >= 2 && buffer[start] === CR && buffer[start + 1] === LF) {
      this.#state = 'done';
      return start + 2;
    }
    const next = this.#scanTrailer(buffer, start, end);
    if (next !== INCOMPLETE) return next;
    this.#partialTrailers = new SectionBuffer(buffer, start, end);
    return end;
  }

  #readSplitTrailer(partial: SectionBuffer, buffer: Buffer, start: number, end: number): number {
    const before = partial.length;
    const worthwhile = partial.add(buffer, start, end);
    if (!worthwhile && partial.length <= this.#limits.maxTrailerBytes) return end;
    const next = this.#scanTrailer(partial.bytes, 0, partial.length);
    if (next === INCOMPLETE) return end;
    this.#partialTrailers = undefined;
    return start + next - before;
  }

  /** Answers the offset after the section, or INCOMPLETE. No byte beyond the limit is looked at. */
  #scanTrailer(bytes: Buffer, start: number, end: number): number {
    const limit = Math.min(end, start + this.#limits.maxTrailerBytes);
    const next = scanFields(bytes, start, limit, this.#trailerRules, facts);
    if (next === INCOMPLETE) {
      if (limit < end) throw this.#tooLarge(`trailer section above ${this.#limits.maxTrailerBytes} bytes`, 431);
      return INCOMPLETE;
    }
    if (facts.count > 0) this.#trailers = trailersOf(latin1(bytes, start, next - 2));
    this.#state = 'done';
    return next;
  }

  #invalid(what: string): CirqueError {
    return new CirqueError('InvalidChunk', what, { source: this.#source });
  }

  #tooLarge(what: string, status: number): CirqueError {
    const options = this.#source === 'Downstream' ? { source: this.#source, status } : { source: this.#source };
    return new CirqueError('InvalidChunk', what, options);
  }
}

function trailersOf(block: string): HeaderMap {
  const { contentLength, contentLengthLines, hopLines } = facts;
  // A length among trailers frames nothing (RFC 9110 section 6.5.1), but the map must not hide it.
  const length =
    contentLengthLines === 0 ? -1 : contentLengthLines > 1 || contentLength < 0 ? Number.NaN : contentLength;
  return HeaderMap.fromBlock(block, hopLines, length);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
