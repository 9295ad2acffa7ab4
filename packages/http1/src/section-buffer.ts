/**
 * Collects a head or a trailer section that arrives in pieces, and says when it is worth parsing again.
 *
 * Parsing starts over each time, so parsing after every read would cost the square of the size: whoever sends byte by
 * byte decides how often. Here the bytes that are parsed and copied stay within a small multiple of the section.
 */

const CR = 0x0d;
const LF = 0x0a;

/** Line ends after which the section is parsed at once, so that a bad first line is refused before the rest comes. */
const EARLY_LINES = 16;

/** The beginning of a section, up to wherever the input ended. */
export class SectionBuffer {
  #bytes: Buffer;
  #length: number;
  #parsedLength: number;
  #earlyLines = EARLY_LINES;

  /** Begins with a copy of `buffer[start, end)`, which the caller has parsed in vain. */
  constructor(buffer: Buffer, start: number, end: number) {
    this.#bytes = Buffer.from(buffer.subarray(start, end));
    this.#length = end - start;
    this.#parsedLength = this.#length;
  }

  /** What was collected is `bytes[0, length)`; what is behind means nothing. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Adds a copy of `buffer[start, end)`.
   *
   * @returns true when parsing may have another result now: always when the section has become complete. A mistake in
   * it is found when the size has doubled, at the latest.
   */
  add(buffer: Buffer, start: number, end: number): boolean {
    const from = this.#length;
    this.#reserve(from + end - start);
    buffer.copy(this.#bytes, from, start, end);
    this.#length = from + end - start;
    const worthwhile = this.#hasLineEnd(from) || this.#length >= this.#parsedLength * 2;
    if (worthwhile) this.#parsedLength = this.#length;
    return worthwhile;
  }

  /** Looks for an early line, an empty line, which ends every section, or a bare LF, which no section may hold. */
  #hasLineEnd(from: number): boolean {
    const bytes = this.#bytes;
    let found = false;
    for (let at = from; at < this.#length; at++) {
      if (bytes[at] !== LF) continue;
      const early = this.#earlyLines > 0;
      if (early) this.#earlyLines -= 1;
      found ||= early || bytes[at - 1] !== CR || bytes[at - 2] === LF;
    }
    return found;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
