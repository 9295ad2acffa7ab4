/**
 * Decodes one body, strictly: a body that was cut, has bytes behind its end, or grows beyond the limits is an error.
 *
 * The limits look at the output while it is made, so a bomb is stopped before it is in memory.
 */
import { constants, createBrotliDecompress, createGunzip, createZstdDecompress } from 'node:zlib';
import { CirqueError } from '@cirque/error';
import type { Algorithm } from './algorithm.ts';
import { ZlibPipe, type ZlibStream } from './zlib-pipe.ts';
import { ZstdFrames } from './zstd-frames.ts';

/** How far a body may grow. */
export interface DecodingLimits {
  /** Decoded bytes of one body. */
  readonly maxOutputBytes: number;
  /** Decoded bytes for each encoded one, judged when there are more than {@link RATIO_FREE_BYTES}. */
  readonly maxRatio: number;
}

/** What was wrong with a body. */
export type DecodingProblem = 'malformed' | 'too large';

/** Makes the error to throw; whose fault a bad body is depends on where it came from. */
export type DecodingFailure = (problem: DecodingProblem, context: string, cause?: unknown) => CirqueError;

/** Small bodies may have any ratio: a megabyte hurts nobody. */
export const RATIO_FREE_BYTES = 1_048_576;
/** What may come of one piece, whatever the ratio of the body is: it is in memory at once. */
export const MAX_PIECE_OUTPUT_BYTES = 16_777_216;
/** RFC 9659: the largest window that a decoder of web content has to have. */
const ZSTD_WINDOW_BITS = 23;
/** Larger than the default: output is made in fewer turns. */
const CHUNK_BYTES = 65_536;
const NOTHING: Buffer = Buffer.alloc(0);

const STREAMS: Readonly<Record<Algorithm, () => ZlibStream>> = {
  gzip: () => createGunzip({ chunkSize: CHUNK_BYTES }),
  brotli: () => createBrotliDecompress({ chunkSize: CHUNK_BYTES }),
  zstd: () =>
    createZstdDecompress({ chunkSize: CHUNK_BYTES, params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_BITS } }),
};

/** See the file's head. One per body. */
export class Decoder {
  readonly #algorithm: Algorithm;
  readonly #limits: DecodingLimits;
  readonly #failure: DecodingFailure;
  readonly #frames: ZstdFrames | undefined;
  #pipe: ZlibPipe | undefined;
  #closed = false;
  #taken = 0;
  #made = 0;
  #madeOfPiece = 0;

  constructor(algorithm: Algorithm, limits: DecodingLimits, failure: DecodingFailure) {
    this.#algorithm = algorithm;
    this.#limits = limits;
    this.#failure = failure;
    this.#frames = algorithm === 'zstd' ? new ZstdFrames() : undefined;
  }

  /** What the piece decodes to. A body without any byte is an empty one in every coding. */
  async push(piece: Buffer | undefined, end: boolean): Promise<Buffer> {
    if (this.#closed) throw this.#failure('malformed', `${this.#algorithm} was closed`);
    const body = piece ?? NOTHING;
    if (body.length === 0 && (!end || this.#taken === 0)) return NOTHING;
    this.#pipe ??= new ZlibPipe(STREAMS[this.#algorithm](), (bytes) => this.#count(bytes));
    this.#taken += body.length;
    this.#madeOfPiece = 0;
    try {
      return await this.#decode(this.#pipe, body, end);
    } catch (error) {
      this.#pipe.close(error);
      if (CirqueError.is(error)) throw error;
      throw this.#failure('malformed', `decoding ${this.#algorithm}`, error);
    }
  }

  /** The body will not go on; a pending promise rejects. */
  close(): void {
    this.#closed = true;
    this.#pipe?.close(this.#failure('malformed', `${this.#algorithm} was closed in the middle of a body`));
  }

  async #decode(pipe: ZlibPipe, body: Buffer, end: boolean): Promise<Buffer> {
    const output: Buffer[] = [];
    const before = this.#taken - body.length;
    let pushed = before;
    for (const slice of this.#frames?.split(body) ?? [body]) {
      if (slice.length > 0) output.push(await pipe.push(slice, false));
      pushed += slice.length;
      if (pipe.consumed < pushed) throw this.#failure('malformed', `bytes behind the end of ${this.#algorithm}`);
    }
    if (end) {
      if (this.#frames?.complete === false) throw this.#failure('malformed', `${this.#algorithm} was cut`);
      output.push(await pipe.push(NOTHING, true));
    }
    return output.length === 1 ? (output[0] as Buffer) : Buffer.concat(output);
  }

  /** @throws CirqueError when the body grows too much. */
  #count(bytes: number): void {
    this.#made += bytes;
    this.#madeOfPiece += bytes;
    const { maxOutputBytes, maxRatio } = this.#limits;
    const name = this.#algorithm;
    if (this.#made > maxOutputBytes)
      throw this.#failure('too large', `${name} decodes to more than ${maxOutputBytes} bytes`);
    const grown = this.#made > RATIO_FREE_BYTES && this.#made > this.#taken * maxRatio;
    if (grown || this.#madeOfPiece > MAX_PIECE_OUTPUT_BYTES) {
      throw this.#failure('too large', `${this.#taken} bytes of ${name} decode to ${this.#made} or more`);
    }
  }
}
