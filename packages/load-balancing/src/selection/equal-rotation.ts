/**
 * Turns among backends of equal weight: a cursor that goes round. O(1) for any number of them.
 *
 * A refused candidate uses up its turn, else the one behind a dead backend would get double traffic.
 */
import type { Selection } from './selection.ts';

/** Positions 0 to count - 1, over and over. */
export class EqualRotation implements Selection {
  readonly #count: number;
  #cursor = 0;
  /** How many may still be offered in this choice. */
  #left = 0;

  constructor(count: number) {
    this.#count = count;
  }

  first(): number {
    this.#left = this.#count;
    return this.next();
  }

  next(): number {
    if (this.#left === 0) return -1;
    this.#left -= 1;
    const position = this.#cursor;
    this.#cursor = position + 1 === this.#count ? 0 : position + 1;
    return position;
  }
}
