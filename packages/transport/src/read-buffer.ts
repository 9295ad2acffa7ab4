/**
 * The memory that sockets read into.
 *
 * Two kinds: one shared buffer per thread, valid only during the read callback, and leased buffers from a
 * free list for large bodies, which may be written out without a copy and come back when every write is done.
 */

/** Bytes of the shared buffer: a head and a small body fit into one read. */
export const SHARED_READ_BYTES = 65_536;

/** Bytes of a leased buffer. */
export const LEASED_READ_BYTES = 131_072;

/** Leased buffers kept for reuse; more are left to the garbage collector. */
const MAX_FREE = 64;

/** All small reads of this thread land here. Never keep or write a slice of it: copy what outlives the callback. */
export const sharedReadBuffer: Buffer = Buffer.allocUnsafeSlow(SHARED_READ_BYTES);

const free: Lease[] = [];

/**
 * A counted buffer. Whoever passes a slice of it to an asynchronous write calls {@link retain} first and gives
 * {@link release} as that write's callback; at zero the buffer may be read into again.
 */
export class Lease {
  readonly buffer: Buffer;
  /** Gives one hold back. Bound, so that it can be a write callback as it is. */
  readonly release: () => void;
  #holds = 0;

  constructor(buffer: Buffer = Buffer.allocUnsafeSlow(LEASED_READ_BYTES)) {
    this.buffer = buffer;
    this.release = () => {
      this.#holds -= 1;
      if (this.#holds === 0 && free.length < MAX_FREE) free.push(this);
    };
  }

  /** Takes a buffer from the free list (or makes one) with one hold on it. */
  static take(): Lease {
    const lease = free.pop() ?? new Lease();
    lease.#holds = 1;
    return lease;
  }

  retain(): void {
    this.#holds += 1;
  }

  /** True when nobody but its reader holds the buffer, so that the next read may reuse it. */
  get exclusive(): boolean {
    return this.#holds === 1;
  }
}

/**
 * The lease of bytes that were allocated for one read: whoever holds it may keep and write them, and nothing reads over
 * them. Its own buffer is empty, and it never returns to the free list, because its first hold is never given back.
 */
export const OWNED: Lease = new Lease(Buffer.alloc(0));
OWNED.retain();
