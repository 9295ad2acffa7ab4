/**
 * Decides what the responses of one HTTP/1 connection say about framing, persistence and Date, and in which order they
 * may be written. How they are written: http1/message-writer.ts.
 */
import { CirqueError } from '@cirque/error';
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import {
  CHUNKED,
  CHUNKED_LINE,
  CLOSE_LINE,
  type Framing,
  forbidsContentLength,
  hasNoBody,
  KEEP_ALIVE_LINE,
  MessageWriter,
  serializeResponseHead,
  UNTIL_CLOSE,
} from '@cirque/http1';
import { httpDate } from '@cirque/timeout';
import type { Lease, Stream } from '@cirque/transport';

/** The writing half of a connection. */
export class ResponseWriter {
  readonly #writer: MessageWriter<Lease>;
  #noBody = false;
  /** The final head was written. */
  started = false;
  /** The response is complete. */
  ended = false;
  /** The connection persists after this response. */
  keepAlive = false;

  constructor(stream: Stream) {
    this.#writer = new MessageWriter(stream, 'Internal');
  }

  /** Prepares for the next response. */
  reset(keepAlive: boolean): void {
    this.started = false;
    this.ended = false;
    this.keepAlive = keepAlive;
    this.#writer.bodyBytes = 0;
  }

  /** Payload bytes of the response so far. */
  get bodyBytes(): number {
    return this.#writer.bodyBytes;
  }

  /** True when the body ends with the connection, so that a cut must be a reset. */
  get untilClose(): boolean {
    return this.started && !this.ended && this.#writer.untilClose;
  }

  /** @param method and `minorVersion` of the request that is answered. */
  head(header: ResponseHeader, end: boolean, method: string, minorVersion: number): void {
    if (this.started)
      throw new CirqueError('InternalError', 'a final response head was written already', { source: 'Internal' });
    if (header.status === 101)
      throw CirqueError.internal('InternalError', 'there is no protocol to switch to: status 101');
    if (header.informational) {
      // HTTP/1.0 clients do not know them (RFC 9110 section 15.2).
      if (minorVersion > 0) this.#inform(header);
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
    this.#writer.begin(serializeResponseHead(header, lines), framing);
    this.started = true;
    if (end) this.flush();
  }

  /** The head that makes a tunnel of the connection: 101 with its protocol, or a 2xx to CONNECT. */
  tunnel(header: ResponseHeader): void {
    if (this.started) throw CirqueError.internal('InternalError', 'a final response head was written already');
    const { headers, status } = header;
    const protocol = status === 101 ? headers.get('Upgrade') : undefined;
    headers.stripHopByHop(undefined);
    headers.delete('Content-Length');
    const lines = protocol === undefined ? '' : `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
    this.keepAlive = false;
    this.#noBody = false;
    this.#writer.begin(serializeResponseHead(header, lines), UNTIL_CLOSE);
    this.started = true;
    this.flush();
  }

  /** False asks to wait for the drain. */
  body(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean {
    // Else the bytes would be taken for a response of their own.
    if (!this.started || this.ended) throw misplaced(this.started);
    return end === start || this.#noBody || this.#writer.piece(buffer, start, end, lease);
  }

  /** @throws CirqueError PrematureBodyEnd */
  end(trailers?: HeaderMap): void {
    if (this.#noBody) this.flush();
    else this.#writer.end(trailers);
    this.ended = true;
  }

  flush(): boolean {
    return this.#writer.flush();
  }

  /** Forgets what was not sent. */
  discard(): void {
    this.#writer.discard();
  }

  #inform(header: ResponseHeader): void {
    this.#writer.begin(serializeResponseHead(header, ''), 0);
    this.flush();
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
