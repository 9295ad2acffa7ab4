/**
 * One bit per position, 32 to a word.
 */

/** Bits by position. */
export type Bits = Uint32Array;

/** So many bits, all of them 0. */
export function makeBits(length: number): Bits {
  return new Uint32Array((length + 31) >>> 5);
}

/** The bit at a position within the length. */
export function hasBit(bits: Bits, position: number): boolean {
  return (((bits[position >>> 5] as number) >>> (position & 31)) & 1) === 1;
}

/** Sets the bit at a position within the length. */
export function setBit(bits: Bits, position: number, value: boolean): void {
  const mask = 1 << (position & 31);
  const word = bits[position >>> 5] as number;
  bits[position >>> 5] = value ? word | mask : word & ~mask;
}

/** How many bits are 1 at positions from `from` up to but not including `to`. */
export function countBits(bits: Bits, from: number, to: number): number {
  let count = 0;
  for (let word = from >>> 5; word << 5 < to; word += 1) count += ones((bits[word] as number) & maskOf(word, from, to));
  return count;
}

/** Gives `target` the bits of `source` at positions from `from` up to but not including `to`. */
export function copyBits(target: Bits, source: Bits, from: number, to: number): void {
  for (let word = from >>> 5; word << 5 < to; word += 1) {
    const mask = maskOf(word, from, to);
    target[word] = ((target[word] as number) & ~mask) | ((source[word] as number) & mask);
  }
}

/** Which bits of a word lie in the range; at least one does. */
function maskOf(word: number, from: number, to: number): number {
  const start = Math.max(0, from - (word << 5));
  const end = Math.min(32, to - (word << 5));
  return (-1 << start) & (-1 >>> (32 - end));
}

function ones(word: number): number {
  let rest = word - ((word >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
