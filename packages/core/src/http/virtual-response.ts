/**
 * The rules of a response that is not written to a connection: order, length, statuses without a body.
 *
 * The counterpart of response-writer.ts for virtual sessions; it writes nothing itself.
 */
import { CirqueError } from '@cirque/error';
import type { ResponseHeader } from '@cirque/http';
import { forbidsContentLength, hasNoBody } from '@cirque/http1';

/** See the file's head. One per request. */
export class VirtualResponse {
  /** The final head was written. */
  started = false;
  ended = false;
  /** The application has nothing against another request after this one. */
  keepAlive = true;
  /** Payload bytes so far. */
  bodyBytes = 0;
  #noBody = false;
  /** Announced by Content-Length; -1 when nothing was. */
  #length = -1;

  /** The response can have no body, whatever is written. */
  get noBody(): boolean {
    return this.#noBody;
  }

  /**
   * Takes a head, final or informational; removes what concerns connections only.
   *
   * @param method of the request. @throws CirqueError InternalError for a second final head and what cannot be sent.
   */
  head(header: ResponseHeader, end: boolean, method: string): void {
    if (this.started) throw internal('a final response head was written already');
    if (header.status === 101) throw internal('there is no protocol to switch to: status 101');
    const { headers } = header;
    if (headers.mayHoldHopByHop) this.#takeWishes(header);
    if (header.informational) return;
    if (forbidsContentLength(header.status)) headers.delete('Content-Length');
    const length = headers.contentLength;
    if (Number.isNaN(length)) throw internal('Content-Length of the response is not one number');
    this.#noBody = hasNoBody(header.status, method);
    this.#length = this.#noBody ? -1 : length;
    if (end && !this.#noBody && length < 0) headers.set('Content-Length', '0');
    this.started = true;
  }

  /** Counts a piece; false when it is to be dropped. @throws CirqueError InternalError when it does not belong here. */
  piece(bytes: number): boolean {
    if (!this.started || this.ended) {
      const what = this.started ? 'the response was ended already' : 'no response head was written yet';
      throw internal(`a piece of a body cannot be written: ${what}`);
    }
    if (bytes === 0 || this.#noBody) return false;
    this.bodyBytes += bytes;
    if (this.#length >= 0 && this.bodyBytes > this.#length) throw internal('body is longer than its Content-Length');
    return true;
  }

  /** @throws CirqueError PrematureBodyEnd when announced bytes are missing. */
  end(): void {
    const missing = this.#length - this.bodyBytes;
    if (missing > 0) {
      throw CirqueError.internal('PrematureBodyEnd', `body is ${missing} bytes shorter than its Content-Length`);
    }
    this.ended = true;
  }

  #takeWishes({ headers, informational }: ResponseHeader): void {
    const connection = headers.get('connection');
    if (!informational && connection !== undefined && /(^|,)\s*close\s*(,|$)/i.test(connection)) this.keepAlive = false;
    headers.stripHopByHop(undefined);
  }
}

function internal(what: string): CirqueError {
  return CirqueError.internal('InternalError', what);
}
