/**
 * Writes requests to an HTTP/1 upstream: framing lines, body framing, and as few writes as possible.
 *
 * Head and small pieces are held back as one text until somebody flushes or it is long enough. Knows nothing of responses.
 */
import { CirqueError } from '@cirque/error';
import { type HeaderMap, latin1, parseConnectionOptions, type RequestHeader } from '@cirque/http';
import {
  BodyWriter,
  CHUNKED,
  CHUNKED_LINE,
  chunkSizeLine,
  type Framing,
  LAST_CHUNK,
  serializeRequestHead,
} from '@cirque/http1';
import type { Stream } from '@cirque/transport';

/** Body pieces up to this size are sent as text together with what is before them. */
const SMALL_BODY_BYTES = 8_192;
const MAX_HELD_CHARACTERS = 16_384;
const CRLF = Buffer.from('\r\n');

/** The writing half of a connection, for one request after another. */
export class RequestWriter {
  /** The request written last says that the connection is not to be kept. */
  closeAsked = false;
  readonly #stream: Stream;
  readonly #body = new BodyWriter('Internal');
  #held = '';

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /**
   * Takes the head; nothing is sent yet. Answers the framing of the body, 0 for none.
   *
   * @throws CirqueError InternalError when its Content-Length cannot be sent; nothing has happened then.
   */
  writeHead(header: RequestHeader, bodyLength: number | undefined): Framing {
    const { headers } = header;
    const announced = headers.contentLength;
    if (Number.isNaN(announced) || (bodyLength === 0 && announced > 0)) {
      const what = Number.isNaN(announced) ? 'is not one number' : `is ${announced}, but there is no body`;
      throw CirqueError.internal('InternalError', `Content-Length of the request ${what}`);
    }
    this.closeAsked = false;
    if (headers.mayHoldHopByHop) {
      headers.delete('transfer-encoding');
      // What a user says about the connection counts: close is sent, and honoured.
      this.closeAsked = headers.has('connection') && asksToClose(headers);
    }
    let framing: Framing = bodyLength ?? CHUNKED;
    let lines = '';
    if (announced >= 0) framing = announced;
    else if (framing === CHUNKED) lines = CHUNKED_LINE;
    else if (framing > 0 || expectsLength(header.method)) lines = `Content-Length: ${framing}\r\n`;
    this.#body.begin(framing);
    this.#held = serializeRequestHead(header, lines);
    return framing;
  }

  /** False: wait for the stream's drain. @throws CirqueError InternalError when it exceeds its length. */
  writeBody(buffer: Buffer, start: number, end: number): boolean {
    const bytes = end - start;
    this.#body.count(bytes);
    return bytes <= SMALL_BODY_BYTES ? this.#small(buffer, start, end) : this.#large(buffer, start, end);
  }

  /** Ends the body and sends everything. @throws CirqueError PrematureBodyEnd when it is shorter than its length. */
  end(): void {
    this.#body.finish();
    if (this.#body.chunked) this.#held += LAST_CHUNK;
    this.flush();
  }

  /** Sends what was held back. False: wait for the stream's drain. */
  flush(): boolean {
    const text = this.#held;
    if (text === '') return true;
    this.#held = '';
    return this.#stream.writeLatin1(text);
  }

  #small(buffer: Buffer, start: number, end: number): boolean {
    const text = latin1(buffer, start, end);
    this.#held += this.#body.chunked ? `${chunkSizeLine(end - start)}${text}\r\n` : text;
    if (this.#held.length > MAX_HELD_CHARACTERS) this.flush();
    return !this.#stream.duplex.writableNeedDrain;
  }

  #large(buffer: Buffer, start: number, end: number): boolean {
    const stream = this.#stream;
    const before = this.#held + (this.#body.chunked ? chunkSizeLine(end - start) : '');
    this.#held = '';
    stream.duplex.cork();
    if (before !== '') stream.writeLatin1(before);
    let more = stream.writeSlice(buffer, start, end, undefined);
    if (this.#body.chunked) more = stream.write(CRLF);
    stream.duplex.uncork();
    return more;
  }
}

function asksToClose(headers: HeaderMap): boolean {
  return parseConnectionOptions(headers.getAll('connection').join(',')).close;
}

/** Methods for which an empty body is announced (RFC 9110 section 8.6). */
function expectsLength(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}
