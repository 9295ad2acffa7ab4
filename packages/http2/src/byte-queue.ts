/**
 * Bytes kept for later, copied: a body that waits for its window, or for a reader that paused.
 *
 * Small pieces share a block, so that a peer who sends single bytes pays for them itself.
 */

const BLOCK_BYTES = 4_096;

interface Block {
  readonly buffer: Buffer;
  start: number;
  end: number;
}

/** First in, first out. */
export class ByteQueue {
  /** Bytes in it. */
  bytes = 0;
  #blocks: Block[] = [];
  #first = 0;

  /** Copies `buffer[start, end)` to the end. */
  push(buffer: Buffer, start: number, end: number): void {
    const bytes = end - start;
    if (bytes === 0) return;
    this.bytes += bytes;
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.buffer.length - last.end >= bytes) {
      buffer.copy(last.buffer, last.end, start, end);
      last.end += bytes;
      return;
    }
    const block = Buffer.allocUnsafeSlow(Math.max(bytes, BLOCK_BYTES));
    buffer.copy(block, 0, start, end);
    this.#blocks.push({ buffer: block, start: 0, end: bytes });
  }

  /** The first bytes that lie together; undefined when there are none. Valid until something is dropped. */
  get front(): Readonly<Block> | undefined {
    return this.#blocks[this.#first];
  }

  /** Forgets the first `bytes` of {@link front}. */
  drop(bytes: number): void {
    const block = this.#blocks[this.#first] as Block;
    block.start += bytes;
    this.bytes -= bytes;
    if (block.start < block.end) return;
    this.#first += 1;
    if (this.#first < this.#blocks.length) return;
    this.#blocks = [];
    this.#first = 0;
  }
}
