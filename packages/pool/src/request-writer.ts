/**
 * Decides what requests to an HTTP/1 upstream say about framing and persistence. How they are written:
 * http1/message-writer.ts. Knows nothing of responses.
 */
import { CirqueError } from '@cirque/error';
import { type ConnectionOptions, type HeaderMap, parseConnectionOptions, type RequestHeader } from '@cirque/http';
import { CHUNKED, CHUNKED_LINE, type Framing, MessageWriter, serializeRequestHead, UNTIL_CLOSE } from '@cirque/http1';
import type { Lease, Stream } from '@cirque/transport';

/** The writing half of a connection, for one request after another. */
export class RequestWriter {
  /** The request written last says that the connection is not to be kept. */
  closeAsked = false;
  /** The tunnel that the request written last asks for. */
  tunnelAsked: 'upgrade' | 'connect' | undefined = undefined;
  readonly #writer: MessageWriter<Lease>;

  constructor(stream: Stream) {
    this.#writer = new MessageWriter(stream, 'Internal');
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
    this.tunnelAsked = header.method === 'CONNECT' ? 'connect' : undefined;
    if (headers.mayHoldHopByHop) {
      headers.delete('transfer-encoding');
      // What a user says about the connection counts: close is sent, and honoured.
      const { close, upgrade } = connectionOptions(headers);
      this.closeAsked = close;
      if (upgrade && headers.has('upgrade')) this.tunnelAsked = 'upgrade';
    }
    let framing: Framing = bodyLength ?? CHUNKED;
    let lines = '';
    if (announced >= 0) framing = announced;
    else if (framing === CHUNKED) lines = CHUNKED_LINE;
    else if (framing > 0 || expectsLength(header.method)) lines = `Content-Length: ${framing}\r\n`;
    this.#writer.begin(serializeRequestHead(header, lines), framing);
    return framing;
  }

  /** False: wait for the stream's drain. @throws CirqueError InternalError when it exceeds its length. */
  writeBody(buffer: Buffer, start: number, end: number): boolean {
    return this.#writer.piece(buffer, start, end, undefined);
  }

  /** From now on pieces are sent as they are. */
  tunnel(): void {
    this.#writer.begin('', UNTIL_CLOSE);
  }

  /** Ends the body and sends everything. @throws CirqueError PrematureBodyEnd when it is shorter than its length. */
  end(trailers?: HeaderMap): void {
    this.#writer.end(trailers);
  }

  /** Sends what was held back. False: wait for the stream's drain. */
  flush(): boolean {
    return this.#writer.flush();
  }
}

function connectionOptions(headers: HeaderMap): ConnectionOptions {
  return parseConnectionOptions(headers.has('connection') ? headers.getAll('connection').join(',') : undefined);
}

/** Methods for which an empty body is announced (RFC 9110 section 8.6). */
function expectsLength(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}
