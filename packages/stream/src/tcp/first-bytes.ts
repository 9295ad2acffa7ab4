/**
 * What a client says before its upstream is there: kept in one growing buffer.
 */

/** See the file's head. */
export class FirstBytes {
  #buffer: Buffer = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All of it, valid until the next {@link add}. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** All of it, which is forgotten here; undefined when there is nothing. */
  take(): Buffer | undefined {
    const { bytes } = this;
    this.#buffer = EMPTY;
    this.#length = 0;
    return bytes.length === 0 ? undefined : bytes;
  }

  /** Keeps a copy of `buffer[0, length)`. */
  add(buffer: Buffer, length: number): void {
    const total = this.#length + length;
    if (total > this.#buffer.length) this.#grow(total);
    buffer.copy(this.#buffer, this.#length, 0, length);
    this.#length = total;
  }

  /** Doubles, so that bytes that come one by one are not copied over and over. */
  #grow(total: number): void {
    const larger = Buffer.allocUnsafe(this.#length === 0 ? total : Math.max(total, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

const EMPTY = Buffer.alloc(0);
