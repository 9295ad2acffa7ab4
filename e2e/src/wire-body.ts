/**
 * Decodes one message body whose framing is already decided: none, by length, chunked, or until the connection ends.
 *
 * Chunked coding is read to the letter of RFC 9112 section 7.1; what a lenient reader would overlook is an anomaly.
 */
import { parseHead, type WireField } from './wire-head.ts';

export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

type ChunkState = 'size' | 'data' | 'data-end' | 'trailers';

const EMPTY: Buffer = Buffer.alloc(0);
const SIZE_LINE = /^([0-9A-Fa-f]+)$/;
const SIZE_LINE_WITH_EXTENSION = /^([0-9A-Fa-f]+)[ \t]*;/;

export class WireBody {
  readonly framing: Framing;
  readonly anomalies: string[] = [];
  /** Trailer fields of a chunked body. */
  trailers: readonly WireField[] = [];
  /** True when any chunk carried an extension. */
  sawExtension = false;
  done: boolean;
  #chunks: Buffer[] = [];
  #size = 0;
  #pending: Buffer = EMPTY;
  #state: ChunkState = 'size';
  #left = 0;

  constructor(framing: Framing) {
    this.framing = framing;
    if (framing.kind === 'length') this.#left = framing.length;
    this.done = framing.kind === 'none' || (framing.kind === 'length' && framing.length === 0);
  }

  /** Octets of content so far. */
  get size(): number {
    return this.#size;
  }

  /** The content so far as one buffer. */
  bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? EMPTY;
  }

  /** Takes what belongs to this body and returns the rest. */
  push(bytes: Buffer): Buffer {
    if (this.done || this.anomalies.length > 0) return bytes;
    if (this.framing.kind === 'close') this.#take(bytes);
    if (this.framing.kind === 'length') return this.#pushLength(bytes);
    return this.framing.kind === 'chunked' ? this.#pushChunked(bytes) : EMPTY;
  }

  /** The connection ended: completes a body that ends with it. */
  end(): void {
    if (this.framing.kind === 'close') this.done = true;
  }

  #take(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
  }

  #pushLength(bytes: Buffer): Buffer {
    const mine = bytes.subarray(0, this.#left);
    this.#take(mine);
    this.#left -= mine.length;
    this.done = this.#left === 0;
    return bytes.subarray(mine.length);
  }

  #pushChunked(bytes: Buffer): Buffer {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    let progress = true;
    while (progress && !this.done && this.anomalies.length === 0) progress = this.#step();
    if (!this.done) return EMPTY;
    const rest = this.#pending;
    this.#pending = EMPTY;
    return rest;
  }

  #step(): boolean {
    if (this.#state === 'size') return this.#readSize();
    if (this.#state === 'data') return this.#readData();
    if (this.#state === 'data-end') return this.#readDataEnd();
    return this.#readTrailers();
  }

  #readSize(): boolean {
    const at = this.#pending.indexOf('\r\n', 0, 'latin1');
    if (at < 0) return false;
    const line = this.#pending.toString('latin1', 0, at);
    this.#pending = this.#pending.subarray(at + 2);
    const extended = SIZE_LINE_WITH_EXTENSION.exec(line);
    if (extended) this.sawExtension = true;
    const digits = (SIZE_LINE.exec(line) ?? extended)?.[1];
    if (digits === undefined || digits.length > 12) {
      this.anomalies.push(`chunk size line outside the grammar: ${JSON.stringify(line)}`);
      return false;
    }
    this.#left = Number.parseInt(digits, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'data';
    return true;
  }

  #readData(): boolean {
    const mine = this.#pending.subarray(0, this.#left);
    this.#take(mine);
    this.#left -= mine.length;
    this.#pending = this.#pending.subarray(mine.length);
    if (this.#left > 0) return false;
    this.#state = 'data-end';
    return true;
  }

  #readDataEnd(): boolean {
    if (this.#pending.length < 2) return false;
    if (this.#pending[0] !== 13 || this.#pending[1] !== 10) this.anomalies.push('chunk data not followed by CRLF');
    this.#pending = this.#pending.subarray(2);
    this.#state = 'size';
    return true;
  }

  #readTrailers(): boolean {
    if (this.#pending.length >= 2 && this.#pending[0] === 13 && this.#pending[1] === 10) {
      this.#pending = this.#pending.subarray(2);
      this.done = true;
      return true;
    }
    const at = this.#pending.indexOf('\r\n\r\n', 0, 'latin1');
    if (at < 0) return false;
    // The section parses as a head whose start line is absent.
    const section = parseHead(Buffer.concat([Buffer.from('\r\n'), this.#pending.subarray(0, at + 4)]));
    this.anomalies.push(...section.anomalies);
    this.trailers = section.fields;
    this.#pending = this.#pending.subarray(at + 4);
    this.done = true;
    return true;
  }
}
