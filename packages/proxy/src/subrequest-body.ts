/**
 * The response body of a subrequest: held up to a cap, then the proxy waits for its reader.
 */
import { CirqueError } from '@cirque/error';

/** Bytes held for the reader before the upstream has to wait. */
const MAX_HELD_BYTES = 65_536;
/** Bytes that are collected when nothing else is said. */
const DEFAULT_MAX_BYTES = 1_048_576;

/** What the body needs of its subrequest. */
export interface BodyOwner {
  /** The reader has taken enough for more to come. */
  bodyDrained(): void;
  /** Nobody reads on. */
  bodyGivenUp(): void;
}

/** A body to be read once: with `for await`, or by one of the methods that take it whole. */
export class SubrequestBody implements AsyncIterable<Buffer> {
  readonly #owner: BodyOwner;
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  /** A push has answered false. */
  #full = false;
  #ended = false;
  #error: CirqueError | undefined = undefined;
  #waiting: PromiseWithResolvers<void> | undefined = undefined;

  /** @internal */
  constructor(owner: BodyOwner) {
    this.#owner = owner;
  }

  /**
   * The whole body.
   *
   * @throws CirqueError ResponseTooLarge above `maxBytes` (default 1 MiB); the subrequest is given up then. What broke the
   * response, where it was cut.
   */
  async bytes(maxBytes: number = DEFAULT_MAX_BYTES): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of this) {
      bytes += piece.length;
      if (bytes > maxBytes) {
        throw CirqueError.upstream('ResponseTooLarge', `the response of a subrequest has more than ${maxBytes} bytes`);
      }
      pieces.push(piece);
    }
    return Buffer.concat(pieces, bytes);
  }

  /** The whole body as UTF-8 text. @throws CirqueError as {@link bytes}. */
  async text(maxBytes?: number): Promise<string> {
    return (await this.bytes(maxBytes)).toString();
  }

  /** Reads the body to its end and keeps nothing of it; answers its length. @throws CirqueError what broke it. */
  async discard(): Promise<number> {
    let bytes = 0;
    for await (const piece of this) bytes += piece.length;
    return bytes;
  }

  /** Gives the rest of the body up, and the subrequest with it if that is not at its end. */
  cancel(): void {
    this.#pieces = [];
    if (this.#ended || this.#error !== undefined) return;
    this.fail(CirqueError.downstream('ConnectionClosed', 'the response of the subrequest was given up'));
    this.#owner.bodyGivenUp();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const piece = await this.#read();
        if (piece === undefined) return;
        yield piece;
      }
    } finally {
      this.cancel();
    }
  }

  /** @internal Takes a copy of a piece. False: enough for now. */
  push(buffer: Buffer, start: number, end: number): boolean {
    if (this.#error !== undefined) return true;
    this.#pieces.push(Buffer.from(buffer.subarray(start, end)));
    this.#heldBytes += end - start;
    this.#wake();
    this.#full = this.#heldBytes >= MAX_HELD_BYTES;
    return !this.#full;
  }

  /** @internal */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** @internal What came before is read, then the error. */
  fail(error: CirqueError): void {
    if (this.#ended) return;
    this.#error ??= error;
    this.#wake();
  }

  async #read(): Promise<Buffer | undefined> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) return this.#took(piece);
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return undefined;
      this.#waiting ??= Promise.withResolvers<void>();
      await this.#waiting.promise;
    }
  }

  #took(piece: Buffer): Buffer {
    this.#heldBytes -= piece.length;
    if (this.#full && this.#heldBytes < MAX_HELD_BYTES) {
      this.#full = false;
      this.#owner.bodyDrained();
    }
    return piece;
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
