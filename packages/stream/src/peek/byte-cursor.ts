/**
 * Reads numbers and vectors out of bytes, in the order of a TLS message. Beyond the end everything is 0 or empty, and
 * `ok` says so: one look at the end of a message instead of one at every field.
 */

/** See the file's head. */
export class ByteCursor {
  readonly #bytes: Buffer;
  #at = 0;
  /** False from the first read beyond the end on. */
  ok = true;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Everything was read, and nothing beyond it. */
  get atEnd(): boolean {
    return this.ok && this.#at === this.#bytes.length;
  }

  /** There is something left to read. */
  get hasMore(): boolean {
    return this.ok && this.#at < this.#bytes.length;
  }

  u8(): number {
    return this.#number(1);
  }

  u16(): number {
    return this.#number(2);
  }

  /** As many bytes as asked for. */
  bytes(count: number): Buffer {
    const start = this.#at;
    if (!this.#advance(count)) return EMPTY;
    return this.#bytes.subarray(start, this.#at);
  }

  /** A vector with its length in one byte before it (`<0..255>`). */
  vector8(): Buffer {
    return this.bytes(this.u8());
  }

  /** A vector with its length in two bytes before it (`<0..65535>`). */
  vector16(): Buffer {
    return this.bytes(this.u16());
  }

  #number(bytes: number): number {
    const start = this.#at;
    return this.#advance(bytes) ? this.#bytes.readUIntBE(start, bytes) : 0;
  }

  #advance(count: number): boolean {
    this.ok = this.ok && count <= this.#bytes.length - this.#at;
    if (this.ok) this.#at += count;
    return this.ok;
  }
}

const EMPTY = Buffer.alloc(0);
