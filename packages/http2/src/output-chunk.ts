/**
 * Buffers that frames are collected in, used again once the system has taken them.
 *
 * Shared by all connections of a thread, so that an idle connection owns none.
 */

/** A full read of the other side (64 KiB) with its frame headers and a head fits. */
export const CHUNK_BYTES = 67_584;
const MAX_FREE = 32;

const free: OutputChunk[] = [];

/** A buffer on loan. */
export class OutputChunk {
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #lent = true;
  /** Gives it back; a second call does nothing. */
  readonly release: () => void;

  private constructor() {
    this.release = (): void => {
      if (!this.#lent) return;
      this.#lent = false;
      if (free.length < MAX_FREE) free.push(this);
    };
  }

  static take(): OutputChunk {
    const chunk = free.pop();
    if (chunk === undefined) return new OutputChunk();
    chunk.#lent = true;
    return chunk;
  }
}
