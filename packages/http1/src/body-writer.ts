/**
 * Decides how an outgoing body is delimited and keeps count of it. The counterpart of framing.ts for what we send.
 */
import { CirqueError, type ErrorSource } from '@cirque/error';
import { CHUNKED, type Framing, UNTIL_CLOSE } from './framing.ts';

/** Counts the bytes of one outgoing body against its announced framing. */
export class BodyWriter {
  readonly #source: ErrorSource;
  #framing: Framing = 0;
  #remaining = 0;

  /** @param source whose fault a body of the wrong length is: the side it comes from. */
  constructor(source: ErrorSource) {
    this.#source = source;
  }

  begin(framing: Framing): void {
    this.#framing = framing;
    this.#remaining = framing;
  }

  get chunked(): boolean {
    return this.#framing === CHUNKED;
  }

  get untilClose(): boolean {
    return this.#framing === UNTIL_CLOSE;
  }

  /** True when every announced byte was written. */
  get full(): boolean {
    return this.#framing >= 0 && this.#remaining === 0;
  }

  /** @throws CirqueError when more bytes come than were announced. */
  count(bytes: number): void {
    if (this.#framing < 0) return;
    this.#remaining -= bytes;
    if (this.#remaining < 0) {
      throw new CirqueError('InternalError', 'body is longer than its Content-Length', { source: this.#source });
    }
  }

  /** @throws CirqueError PrematureBodyEnd when announced bytes are missing. */
  finish(): void {
    if (this.#framing > 0 && this.#remaining > 0) {
      const what = `body is ${this.#remaining} bytes shorter than its Content-Length`;
      throw new CirqueError('PrematureBodyEnd', what, { source: this.#source });
    }
  }
}
