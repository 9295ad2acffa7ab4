/**
 * A small repeatable source of random numbers (Mulberry32: one 32-bit state, passes the usual test batteries).
 * For spreading load, not for secrets. Also where nobody asks for repeatable choices: `Math.random` allocates the number
 * it returns.
 */

const STEP = 0x6d2b79f5;
/** Integers up to here need no object on the heap. */
const MAX_INT32 = 0x7fffffff;

/** A function that gives numbers from 0 up to but not including 1, the same ones for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    const value = fraction(scramble(state + STEP), scramble(state + 2 * STEP));
    state = (state + 2 * STEP) | 0;
    return value;
  };
}

/** Random integers, without allocation as long as they are below 2^31. */
export class SeededIntegers {
  #state: number;

  /** The same numbers for the same seed. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to end - 1; `end` is an integer from 1 to 2^53. */
  below(end: number): number {
    const first = (this.#state + STEP) | 0;
    const second = (first + STEP) | 0;
    this.#state = second;
    const point = fraction(scramble(first), scramble(second)) * end;
    return end <= MAX_INT32 ? point | 0 : Math.floor(point);
  }
}

/** 53 bits from two numbers of 32 bits: sums of weights may exceed 32 bits. */
function fraction(high: number, low: number): number {
  return ((high >>> 5) * 0x4000000 + (low >>> 6)) / 0x20000000000000;
}

/** Signed, so that the engine has an integer for it. */
function scramble(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return mixed ^ (mixed >>> 14);
}
