/**
 * A small repeatable source of random numbers (Mulberry32: one 32-bit state, passes the usual test batteries).
 * For spreading load, not for secrets.
 */

/** A function that gives numbers from 0 up to but not including 1, the same ones for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  const draw = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  // 53 bits from two draws: sums of weights may exceed 32 bits.
  return () => ((draw() >>> 5) * 0x4000000 + (draw() >>> 6)) / 0x20000000000000;
}
