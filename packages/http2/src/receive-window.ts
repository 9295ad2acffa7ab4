/**
 * What the peer may still send, on a stream or the whole connection (RFC 9113 section 5.2).
 */

/** Room is given back when half of it was consumed: often enough to never stall, rarely enough to cost nothing. */
export class ReceiveWindow {
  #size: number;
  #available: number;
  #consumed = 0;

  constructor(size: number) {
    this.#size = size;
    this.#available = size;
  }

  /** What the peer may send now. */
  get available(): number {
    return this.#available;
  }

  /** Bytes have come. False: the peer was not allowed to send them. */
  take(bytes: number): boolean {
    this.#available -= bytes;
    return this.#available >= 0;
  }

  /** Bytes were dealt with. Answers how many to announce to the peer now, mostly 0. */
  consume(bytes: number): number {
    this.#consumed += bytes;
    if (this.#consumed * 2 < this.#size) return 0;
    const announced = this.#consumed;
    this.#available += announced;
    this.#consumed = 0;
    return announced;
  }

  /** The announced size has changed; what is available may be below zero after this. */
  resize(size: number): void {
    this.#available += size - this.#size;
    this.#size = size;
  }
}
