import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyBits, countBits, hasBit, makeBits, setBit } from './bits.ts';

const flags = fc.array(fc.boolean(), { minLength: 1, maxLength: 140 });

function bitsOf(values: readonly boolean[]): Uint32Array {
  const bits = makeBits(values.length);
  for (const [i, value] of values.entries()) setBit(bits, i, value);
  return bits;
}

const valuesOf = (bits: Uint32Array, length: number): boolean[] => Array.from({ length }, (_, i) => hasBit(bits, i));

describe('setBit', () => {
  it('setBit sets one bit and no other, and back', () => {
    fc.assert(
      fc.property(flags, fc.nat(), (values, at) => {
        const position = at % values.length;
        const bits = bitsOf(values);
        expect(valuesOf(bits, values.length)).toEqual(values);
        for (const value of [true, false]) {
          setBit(bits, position, value);
          expect(valuesOf(bits, values.length)).toEqual(values.with(position, value));
        }
      }),
    );
  });
});

describe('countBits', () => {
  it('countBits and copyBits work on any range, as a loop would', () => {
    fc.assert(
      fc.property(flags, flags, fc.nat(), fc.nat(), (values, others, one, two) => {
        const { length } = values;
        const [from = 0, to = 0] = [one % (length + 1), two % (length + 1)].sort((a, b) => a - b);
        expect(countBits(bitsOf(values), from, to)).toBe(values.slice(from, to).filter(Boolean).length);
        const target = bitsOf(values);
        const source = values.map((_, i) => others[i] ?? false);
        copyBits(target, bitsOf(source), from, to);
        const expected = values.map((value, i) => (i >= from && i < to ? (source[i] ?? false) : value));
        expect(valuesOf(target, length)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});
