/**
 * Writes responses of one HTTP/1 connection: framing, persistence and Date lines, and as few socket writes as possible.
 *
 * Text is held back until the end of a read brings a flush, so a head with a small body is one write (measured: two
 * writes cost 1.6 us of about 14).
 */
import { CirqueError } from '@cirque/error';
import { latin1, type ResponseHeader } from '@cirque/http';
import {
  BodyWriter,
  CHUNKED,
  CHUNKED_LINE,
  CLOSE_LINE,
  chunkSizeLine,
  type Framing,
  forbidsContentLength,
  hasNoBody,
  KEEP_ALIVE_LINE,
  LAST_CHUNK,
  serializeResponseHead,
  UNTIL_CLOSE,
} from '@cirque/http1';
import { httpDate } from '@cirque/timeout';
import type { Lease, Stream } from '@cirque/transport';

/** Pieces up to this size are sent as text together with what is before and after them. */
const SMALL_BODY_BYTES = 8_192;
/** Held text above this is sent at once. */
const MAX_HELD_CHARACTERS = 16_384;

const NO_COPY = Buffer.from('\r\n');

/** The writing half of a connection. */
export class ResponseWriter {
  readonly #stream: Stream;
  readonly #body = new BodyWriter('Internal');
  #held = '';
  #noBody = false;
  /** The final head was written. */
  started = false;
  /** The response is complete. */
  ended = false;
  /** The connection persists after this response. */
  keepAlive = false;
  bodyBytes = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Prepares for the next response. */
  reset(keepAlive: boolean): void {
    this.started = false;
    this.ended = false;
    this.keepAlive = keepAlive;
    this.bodyBytes = 0;
  }

  /** True when the body ends with the connection, so that a cut must be a reset. */
  get untilClose(): boolean {
    return this.started && !this.ended && this.#body.untilClose;
  }

  /** @param method and `minorVersion` of the request that is answered. */
  head(header: ResponseHeader, end: boolean, method: string, minorVersion: number): void {
    if (this.started)
      throw new CirqueError('InternalError', 'a final response head was written already', { source: 'Internal' });
    if (header.informational) {
      // HTTP/1.0 clients do not know them (RFC 9110 section 15.2).
      if (minorVersion > 0) this.#send(serializeResponseHead(header, ''));
      return;
    }
    const headers = header.headers;
    if (headers.mayHoldHopByHop) this.#takeWishes(header);
    this.#noBody = hasNoBody(header.status, method);
    let lines = headers.has('Date') ? '' : `Date: ${httpDate()}\r\n`;
    const framing = this.#frame(header, end, minorVersion);
    if (framing === CHUNKED) lines += CHUNKED_LINE;
    else if (framing === UNTIL_CLOSE) this.keepAlive = false;
    else if (end && !this.#noBody && headers.contentLength < 0) lines += 'Content-Length: 0\r\n';
    if (!this.keepAlive) lines += CLOSE_LINE;
    else if (minorVersion === 0) lines += KEEP_ALIVE_LINE;
    this.#body.begin(framing);
    this.started = true;
    this.#held += serializeResponseHead(header, lines);
    if (end) this.flush();
  }

  /** False asks to wait for the drain. */
  body(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean {
    // Else the bytes would be taken for a response of their own.
    if (!this.started || this.ended) throw misplaced(this.started);
    const bytes = end - start;
    if (bytes === 0 || this.#noBody) return true;
    this.#body.count(bytes);
    this.bodyBytes += bytes;
    if (bytes <= SMALL_BODY_BYTES) {
      const text = latin1(buffer, start, end);
      this.#held += this.#body.chunked ? `${chunkSizeLine(bytes)}${text}\r\n` : text;
      if (this.#held.length > MAX_HELD_CHARACTERS) return this.flush();
      return !this.#stream.duplex.writableNeedDrain;
    }
    return this.#large(buffer, start, end, lease, this.bodyBytes === bytes);
  }

  /** @throws CirqueError PrematureBodyEnd */
  end(): void {
    if (!this.#noBody) {
      this.#body.finish();
      if (this.#body.chunked) this.#held += LAST_CHUNK;
    }
    this.ended = true;
    this.flush();
  }

  flush(): boolean {
    const text = this.#held;
    if (text === '') return true;
    this.#held = '';
    return this.#stream.writeLatin1(text);
  }

  /** Forgets what was not sent; true when nothing of the response has left yet. */
  discard(): void {
    this.#held = '';
  }

  /** `first`: nothing of the body was written yet, so nothing before `start` in this buffer is still in use. */
  #large(buffer: Buffer, start: number, end: number, lease: Lease | undefined, first: boolean): boolean {
    const stream = this.#stream;
    const before = this.#held + (this.#body.chunked ? chunkSizeLine(end - start) : '');
    this.#held = '';
    if (before === '') return stream.writeSlice(buffer, start, end, lease);
    if (first && lease !== undefined && before.length <= start && !this.#body.chunked) {
      // Our head takes the place of the upstream's, in front of the body it came with: one plain write, no copy.
      buffer.write(before, start - before.length, 'latin1');
      return stream.writeSlice(buffer, start - before.length, end, lease);
    }
    stream.duplex.cork();
    stream.writeLatin1(before);
    let more = stream.writeSlice(buffer, start, end, lease);
    if (this.#body.chunked) more = stream.write(NO_COPY);
    stream.duplex.uncork();
    return more;
  }

  #send(text: string): void {
    this.flush();
    this.#stream.writeLatin1(text);
  }

  /** Connection and framing fields that the application has set: `close` is a wish, the rest is not its business. */
  #takeWishes(header: ResponseHeader): void {
    const connection = header.headers.get('connection');
    if (connection !== undefined && /(^|,)\s*close\s*(,|$)/i.test(connection)) this.keepAlive = false;
    header.headers.stripHopByHop(undefined);
  }

  #frame(header: ResponseHeader, end: boolean, minorVersion: number): Framing {
    if (forbidsContentLength(header.status)) {
      if (header.headers.contentLength !== -1) header.headers.delete('content-length');
      return 0;
    }
    const length = header.headers.contentLength;
    if (Number.isNaN(length)) {
      throw new CirqueError('InternalError', 'Content-Length of the response is not one number', {
        source: 'Internal',
      });
    }
    if (this.#noBody) return 0;
    if (length >= 0) return length;
    if (end) return 0;
    return minorVersion > 0 ? CHUNKED : UNTIL_CLOSE;
  }
}

function misplaced(started: boolean): CirqueError {
  const what = started ? 'the response was ended already' : 'no response head was written yet';
  return CirqueError.internal('InternalError', `a piece of a body cannot be written: ${what}`);
}
