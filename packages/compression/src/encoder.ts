/**
 * Compresses one body. Every piece is flushed, so no byte waits inside for one that may never come.
 *
 * Measured: flushing costs at most 1.5 % of size for pieces of 16 KiB or more. Small bodies of known length are compressed
 * at once on this thread, which is half the work of a stream (`bench/compression.bench.ts`).
 */
import {
  type BrotliOptions,
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  type ZstdOptions,
  zstdCompressSync,
} from 'node:zlib';
import { CirqueError } from '@cirque/error';
import type { MaybePromise } from '@cirque/http';
import type { Algorithm } from './algorithm.ts';
import { ZlibPipe, type ZlibStream } from './zlib-pipe.ts';

/** 512 KiB, as Pingora has it for brotli: content of the web gains nothing from more, and each response in progress pays. */
const WINDOW_BITS = 19;
/** Bodies up to this size may be compressed at once: it takes some 50 to 150 us. */
const WHOLE_BYTES = 8_192;
/** Above it the thread pool does the work whatever the size. */
const WHOLE_LEVEL = 6;
const NOTHING: Buffer = Buffer.alloc(0);

const brotliOptions = (level: number): BrotliOptions => ({
  params: { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS },
});
const zstdOptions = (level: number): ZstdOptions => ({
  params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW_BITS },
});

const STREAMS: Readonly<Record<Algorithm, (level: number) => ZlibStream>> = {
  gzip: (level) => createGzip({ level, flush: constants.Z_SYNC_FLUSH }),
  brotli: (level) => createBrotliCompress({ ...brotliOptions(level), flush: constants.BROTLI_OPERATION_FLUSH }),
  zstd: (level) => createZstdCompress({ ...zstdOptions(level), flush: constants.ZSTD_e_flush }),
};

const AT_ONCE: Readonly<Record<Algorithm, (level: number, body: Buffer) => Buffer>> = {
  gzip: (level, body) => gzipSync(body, { level }),
  brotli: (level, body) => brotliCompressSync(body, brotliOptions(level)),
  zstd: (level, body) => zstdCompressSync(body, zstdOptions(level)),
};

/** See the file's head. One per body. */
export class Encoder {
  readonly #algorithm: Algorithm;
  readonly #level: number;
  /** Pieces of a small body, as long as it is one. */
  #whole: Buffer[] | undefined;
  #wholeBytes = 0;
  #pipe: ZlibPipe | undefined;
  #closed = false;

  /** @param length the length of the body, -1 when unknown. */
  constructor(algorithm: Algorithm, level: number, length: number) {
    this.#algorithm = algorithm;
    this.#level = level;
    if (length >= 0 && length <= WHOLE_BYTES && level <= WHOLE_LEVEL) this.#whole = [];
  }

  /** The encoded piece; no bytes while a small body is collected. @throws CirqueError CompressionError, also by rejecting */
  push(piece: Buffer | undefined, end: boolean): MaybePromise<Buffer> {
    if (this.#closed) throw new CirqueError('CompressionError', `${this.#algorithm} was closed`);
    const body = piece ?? NOTHING;
    if (this.#whole === undefined) return this.#stream(body, end);
    this.#whole.push(body);
    this.#wholeBytes += body.length;
    if (!end && this.#wholeBytes <= WHOLE_BYTES) return NOTHING;
    const collected = this.#whole.length === 1 ? body : Buffer.concat(this.#whole, this.#wholeBytes);
    this.#whole = undefined;
    return end ? AT_ONCE[this.#algorithm](this.#level, collected) : this.#stream(collected, false);
  }

  /** The body will not go on; a pending promise rejects. */
  close(): void {
    this.#closed = true;
    this.#whole = undefined;
    this.#pipe?.close(new CirqueError('CompressionError', `${this.#algorithm} was closed in the middle of a body`));
  }

  #stream(body: Buffer, end: boolean): MaybePromise<Buffer> {
    if (body.length === 0 && !end) return NOTHING;
    this.#pipe ??= new ZlibPipe(STREAMS[this.#algorithm](this.#level));
    return this.#pipe.push(body, end).catch((error: unknown) => {
      throw CirqueError.is(error)
        ? error
        : CirqueError.internal('CompressionError', `compressing with ${this.#algorithm}`, error);
    });
  }
}
