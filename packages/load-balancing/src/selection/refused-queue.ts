/**
 * Positions that were refused, first in, first out, in memory that is taken once.
 *
 * For algorithms that would offer an idle backend first: one that is out of rotation is always idle, and would be
 * offered and refused at every choice.
 */

/** Holds each position at most once; that is the caller's duty. */
export class RefusedQueue {
  readonly #items: Uint32Array;
  #head = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#items = new Uint32Array(capacity);
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds one behind all others. */
  push(item: number): void {
    this.#items[this.#wrap(this.#head + this.#size)] = item;
    this.#size += 1;
  }

  /** Takes the first one out. Only for a queue that is not empty. */
  shift(): number {
    const item = this.#items[this.#head] as number;
    this.#head = this.#wrap(this.#head + 1);
    this.#size -= 1;
    return item;
  }

  /** The one with so many others before it. */
  at(index: number): number {
    return this.#items[this.#wrap(this.#head + index)] as number;
  }

  #wrap(index: number): number {
    return index < this.#items.length ? index : index - this.#items.length;
  }
}
