/**
 * Writes messages of one connection with as few socket writes as possible, and frames their bodies.
 *
 * Heads and small pieces are held back as one text until somebody flushes: a head with a small body is one write
 * (measured: two cost 1.6 us of about 14). What a head says is decided by the two roles, in core and pool.
 */
import type { ErrorSource } from '@cirque/error';
import { type HeaderMap, latin1 } from '@cirque/http';
import { BodyWriter } from './body-writer.ts';
import type { Framing } from './framing.ts';
import { chunkSizeLine, LAST_CHUNK, lastChunk } from './serialize-head.ts';

/** Where text and bytes go: a stream of the transport. `L` keeps a read buffer alive while it is being written. */
export interface ByteSink<L> {
  /** False: wait for the drain, as everywhere here. */
  writeLatin1(text: string): boolean;
  write(bytes: Uint8Array): boolean;
  writeSlice(buffer: Buffer, start: number, end: number, lease: L | undefined): boolean;
  readonly duplex: { cork(): void; uncork(): void; readonly writableNeedDrain: boolean };
}

/** Pieces up to this size are sent as text together with what is before and after them. */
const SMALL_BODY_BYTES = 8_192;
/** Held text above this is sent at once. */
const MAX_HELD_CHARACTERS = 16_384;

const CRLF = Buffer.from('\r\n');

/** One per connection and direction; {@link begin} starts each message. */
export class MessageWriter<L> {
  readonly #sink: ByteSink<L>;
  readonly #body: BodyWriter;
  #held = '';
  /** Payload bytes of the current message. */
  bodyBytes = 0;

  /** @param source whose fault a body of the wrong length is. */
  constructor(sink: ByteSink<L>, source: ErrorSource) {
    this.#sink = sink;
    this.#body = new BodyWriter(source);
  }

  /** Takes a head, to be sent with what follows, and how its body is delimited. */
  begin(head: string, framing: Framing): void {
    this.#held += head;
    this.#body.begin(framing);
    this.bodyBytes = 0;
  }

  /** True when the current body ends with the connection. */
  get untilClose(): boolean {
    return this.#body.untilClose;
  }

  /** Writes a piece of the body. @throws CirqueError InternalError when it exceeds the announced length. */
  piece(buffer: Buffer, start: number, end: number, lease: L | undefined): boolean {
    const bytes = end - start;
    this.#body.count(bytes);
    this.bodyBytes += bytes;
    if (bytes > SMALL_BODY_BYTES) return this.#large(buffer, start, end, lease);
    const text = latin1(buffer, start, end);
    this.#held += this.#body.chunked ? `${chunkSizeLine(bytes)}${text}\r\n` : text;
    if (this.#held.length > MAX_HELD_CHARACTERS) return this.flush();
    return !this.#sink.duplex.writableNeedDrain;
  }

  /**
   * Ends the body and sends everything. Only a chunked body can have trailers; others lose them.
   *
   * @throws CirqueError PrematureBodyEnd when announced bytes are missing.
   */
  end(trailers?: HeaderMap): void {
    this.#body.finish();
    if (this.#body.chunked) this.#held += trailers === undefined ? LAST_CHUNK : lastChunk(trailers);
    this.flush();
  }

  /** Sends what was held back. */
  flush(): boolean {
    const text = this.#held;
    if (text === '') return true;
    this.#held = '';
    return this.#sink.writeLatin1(text);
  }

  /** Forgets what was not sent. */
  discard(): void {
    this.#held = '';
  }

  #large(buffer: Buffer, start: number, end: number, lease: L | undefined): boolean {
    const sink = this.#sink;
    const { chunked } = this.#body;
    const before = this.#held + (chunked ? chunkSizeLine(end - start) : '');
    this.#held = '';
    if (before === '') return sink.writeSlice(buffer, start, end, lease);
    // Nothing of this body was written yet, so nothing before it in its buffer is still in use.
    const first = this.bodyBytes === end - start;
    if (first && lease !== undefined && before.length <= start && !chunked) {
      // Our head takes the place of the one that the body came with: one plain write, no copy.
      buffer.write(before, start - before.length, 'latin1');
      return sink.writeSlice(buffer, start - before.length, end, lease);
    }
    sink.duplex.cork();
    sink.writeLatin1(before);
    let more = sink.writeSlice(buffer, start, end, lease);
    if (chunked) more = sink.write(CRLF);
    sink.duplex.uncork();
    return more;
  }
}
