/**
 * Turns among backends of equal weight: a cursor that goes round. O(1) for any number of them.
 *
 * A refused candidate uses up its turn, else the one behind a dead backend would get double traffic. After many refusals
 * in one choice the cursor stays, and the rest is asked in leaps: a rack of hundreds of neighbours may have lost its power.
 */
import type { Selection } from './selection.ts';
import { spread } from './spread.ts';

const MAX_IN_ORDER = 32;
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/** Positions 0 to count - 1, over and over. */
export class EqualRotation implements Selection {
  readonly #count: number;
  /** How many are left to be asked in leaps, and the length of a leap, which has no common divisor with that. */
  readonly #rest: number;
  readonly #leap: number;
  #cursor = 0;
  /** How many may still be offered in this choice. */
  #left = 0;
  /** Where the last leap ended, from 0 to rest - 1. */
  #leapt = 0;
  /** How many choices had to leap. Each begins somewhere else, or the same ones would always be found. */
  #detours = 0;

  constructor(count: number) {
    this.#count = count;
    this.#rest = Math.max(0, count - MAX_IN_ORDER);
    this.#leap = leapFor(this.#rest);
  }

  first(): number {
    this.#left = this.#count;
    return this.next();
  }

  next(): number {
    if (this.#left === 0) return -1;
    this.#left -= 1;
    if (this.#left < this.#rest) return this.#nextInLeaps();
    const position = this.#cursor;
    this.#cursor = position + 1 === this.#count ? 0 : position + 1;
    return position;
  }

  #nextInLeaps(): number {
    if (this.#left === this.#rest - 1) {
      this.#detours += 1;
      this.#leapt = spread(this.#detours, this.#rest);
    }
    this.#leapt = (this.#leapt + this.#leap) % this.#rest;
    return (this.#cursor + this.#leapt) % this.#count;
  }
}

function leapFor(rest: number): number {
  let leap = Math.max(1, Math.floor(rest * GOLDEN_RATIO));
  while (commonDivisor(leap, rest) > 1) leap += 1;
  return leap;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
