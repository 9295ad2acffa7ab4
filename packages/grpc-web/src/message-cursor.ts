/**
 * Follows the messages of a gRPC body: a flag byte, a length of four bytes, and that many bytes each.
 */
const PREFIX_BYTES = 5;

/** See the file's head. One per body. */
export class MessageCursor {
  /** Bytes of the prefix seen, and the length as far as it is known. */
  #prefix = 0;
  #length = 0;
  /** Bytes of the message still to come. */
  #left = 0;

  /** Moves over a piece; answers the offset behind the last message that ends in it, 0 when none does. */
  advance(piece: Uint8Array): number {
    let ended = 0;
    for (let at = 0; at < piece.length; ) {
      if (this.#prefix < PREFIX_BYTES) {
        if (this.#prefix > 0) this.#length = this.#length * 256 + (piece[at] as number);
        this.#prefix += 1;
        at += 1;
        if (this.#prefix < PREFIX_BYTES) continue;
        this.#left = this.#length;
      }
      const passed = Math.min(this.#left, piece.length - at);
      this.#left -= passed;
      at += passed;
      if (this.#left > 0) continue;
      ended = at;
      this.#prefix = 0;
      this.#length = 0;
    }
    return ended;
  }
}
