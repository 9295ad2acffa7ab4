/**
 * The streams of a connection, and what must be remembered of those that are gone.
 *
 * Frames may still arrive for a stream that we reset, and are ignored; on one that ended otherwise they are errors. The last
 * 32 are known one by one. Of older ones it is only known up to which number resets of ours are among them.
 */
import type { EngineStream } from './stream.ts';

const REMEMBERED = 32;

/** How a stream without an entry came to have none. */
export type Absence = 'idle' | 'closed' | 'reset by us';

/** One per connection. */
export class StreamTable {
  readonly #open = new Map<number, EngineStream>();
  /** Numbers of closed streams, oldest overwritten first; negative when we reset them. */
  #closed: Int32Array | undefined;
  #next = 0;
  /** No reset of ours above it was forgotten. */
  #forgotten = 0;
  /** Highest number that the side which opens streams has used. */
  highest = 0;
  /** Closed streams whose work still goes on. */
  retained = 0;

  get(id: number): EngineStream | undefined {
    return this.#open.get(id);
  }

  get size(): number {
    return this.#open.size;
  }

  values(): IterableIterator<EngineStream> {
    return this.#open.values();
  }

  add(stream: EngineStream): void {
    this.#open.set(stream.id, stream);
  }

  /** The stream is over; `byUs`: we reset it. */
  remove(id: number, byUs: boolean): void {
    this.#open.delete(id);
    this.#closed ??= new Int32Array(REMEMBERED);
    const old = this.#closed[this.#next] as number;
    if (old < 0 && -old > this.#forgotten) this.#forgotten = -old;
    this.#closed[this.#next] = byUs ? -id : id;
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** Why there is no such stream, given that its number is one of the side that opens streams. */
  absence(id: number): Absence {
    if (id > this.highest) return 'idle';
    if (id <= this.#forgotten || this.#closed?.includes(-id) === true) return 'reset by us';
    return 'closed';
  }

  /** True for a stream that is known to have been used; numbers may be skipped. */
  wasUsed(id: number): boolean {
    return this.#closed?.includes(id) === true;
  }

  clear(): void {
    this.#open.clear();
    this.retained = 0;
  }
}
