/**
 * Holds the body of an HTTP/2 request to the length that its head announces.
 */
import { CirqueError } from '@cirque/error';
import type { HeaderMap } from '@cirque/http';

const UNKNOWN = -1;

/** Counts one body. */
export class BodyLength {
  #left = UNKNOWN;

  /**
   * Begins with the head. A length that is known and not announced yet is announced: HTTP/2 does not need it, but origins
   * like to know it.
   *
   * @throws CirqueError InternalError when Content-Length is not a number, or contradicts that there is no body.
   */
  begin(headers: HeaderMap, bodyLength: number | undefined): void {
    const announced = headers.contentLength;
    if (Number.isNaN(announced) || (bodyLength === 0 && announced > 0)) {
      const what = Number.isNaN(announced) ? 'is not one number' : `is ${announced}, but there is no body`;
      throw CirqueError.internal('InternalError', `Content-Length of the request ${what}`);
    }
    if (announced < 0 && bodyLength !== undefined && bodyLength > 0) headers.set('content-length', String(bodyLength));
    this.#left = announced >= 0 ? announced : (bodyLength ?? UNKNOWN);
  }

  /** Some of it is written. @throws CirqueError InternalError when that is too much. */
  take(bytes: number): void {
    if (this.#left === UNKNOWN) return;
    if (bytes > this.#left) {
      throw CirqueError.internal('InternalError', `body is ${bytes - this.#left} bytes longer than its Content-Length`);
    }
    this.#left -= bytes;
  }

  /** It is complete. @throws CirqueError PrematureBodyEnd when bytes are missing. */
  end(): void {
    if (this.#left <= 0) return;
    throw CirqueError.internal('PrematureBodyEnd', `body is ${this.#left} bytes shorter than its Content-Length`);
  }
}
