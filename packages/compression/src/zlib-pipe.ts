/**
 * One zlib stream as a function: a piece in, everything that comes of it out.
 *
 * The work is done on libuv's thread pool, and the promise is the back-pressure: nobody calls again before it settles.
 * Knows nothing about codings, heads or limits.
 */
import type { Transform } from 'node:stream';
import type { Zlib } from 'node:zlib';

/** Any stream of node:zlib. */
export type ZlibStream = Transform & Zlib;

/** See the file's head. Calls must not overlap. */
export class ZlibPipe {
  readonly #stream: ZlibStream;
  /** Sees the size of each bit of output as it is made; what it throws ends the work. */
  readonly #onOutput: ((bytes: number) => void) | undefined;
  #output: Buffer[] = [];
  #resolve: ((output: Buffer) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  #failure: unknown;
  #ended = false;

  constructor(stream: ZlibStream, onOutput?: (bytes: number) => void) {
    this.#stream = stream;
    this.#onOutput = onOutput;
    stream.on('data', (chunk: Buffer) => this.#collect(chunk));
    stream.on('error', (error) => this.#fail(error));
    stream.on('end', () => {
      this.#ended = true;
      this.#settle();
    });
  }

  /** Bytes that the algorithm took; fewer than were pushed when it saw the end of its data before. */
  get consumed(): number {
    return this.#stream.bytesWritten;
  }

  /** Answers the output up to and including this piece. Rejects with the error of the stream, for all calls to come. */
  push(piece: Uint8Array, end: boolean): Promise<Buffer> {
    const output = new Promise<Buffer>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (this.#failure !== undefined) this.#fail(this.#failure);
    else if (this.#ended) this.#settle();
    else if (end) this.#stream.end(piece);
    else this.#stream.write(piece, (error) => (error == null ? this.#settle() : this.#fail(error)));
    return output;
  }

  /** Frees the memory of the algorithm, after the work at hand. A pending call, and later ones, reject with the reason. */
  close(reason: unknown): void {
    this.#fail(reason);
  }

  #collect(chunk: Buffer): void {
    try {
      this.#onOutput?.(chunk.length);
      this.#output.push(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  #settle(): void {
    const output = this.#output;
    this.#output = [];
    this.#resolve?.(output.length === 1 ? (output[0] as Buffer) : Buffer.concat(output));
    this.#resolve = undefined;
    this.#reject = undefined;
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason;
    this.#output = [];
    this.#stream.destroy();
    this.#reject?.(this.#failure);
    this.#resolve = undefined;
    this.#reject = undefined;
  }
}
