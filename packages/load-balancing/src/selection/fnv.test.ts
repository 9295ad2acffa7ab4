import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fnv32, Fnv64 } from './fnv.ts';

/** The definition, in arbitrary precision. */
function fnvSlowly(bytes: Uint8Array, offset: bigint, prime: bigint, bits: number): bigint {
  return bytes.reduce((hash, byte) => BigInt.asUintN(bits, (hash ^ BigInt(byte)) * prime), offset);
}

const slow64 = (bytes: Uint8Array): bigint => fnvSlowly(bytes, 0xcbf29ce484222325n, 0x100000001b3n, 64);
const slow32 = (bytes: Uint8Array): bigint => fnvSlowly(bytes, 0x811c9dc5n, 0x01000193n, 32);
const bigOf = (hash: Fnv64): bigint => (BigInt(hash.high) << 32n) | BigInt(hash.low);

describe('Fnv64', () => {
  it.each([
    ['', 0xcbf29ce484222325n],
    ['a', 0xaf63dc4c8601ec8cn],
    ['foobar', 0x85944171f73967e8n],
  ])('Fnv64 of %j is the published value', (text, expected) => {
    const hash = new Fnv64();
    hash.hash(text);
    expect(bigOf(hash)).toBe(expected);
  });

  it('Fnv64 equals its definition for any bytes, any text, any divisor and after rehashing', () => {
    const hash = new Fnv64();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 2 ** 37 }), (text, divisor) => {
        const bytes = new TextEncoder().encode(text);
        const expected = slow64(bytes);
        hash.hash(bytes);
        expect(bigOf(hash)).toBe(expected);
        hash.hash(text);
        expect(bigOf(hash)).toBe(expected);
        expect(BigInt(hash.modulo(divisor))).toBe(expected % BigInt(divisor));
        hash.rehash();
        const again = new DataView(new ArrayBuffer(8));
        again.setBigUint64(0, expected, true);
        expect(bigOf(hash)).toBe(slow64(new Uint8Array(again.buffer)));
      }),
    );
  });

  it('Fnv64 takes lone surrogates for U+FFFD, as encoders do', () => {
    const hash = new Fnv64();
    for (const text of ['\ud800', 'a\udc00b', '\ud800\ud800\udc00', 'x\udbff']) {
      hash.hash(text);
      expect(bigOf(hash)).toBe(slow64(new TextEncoder().encode(text)));
    }
  });
});

describe('Fnv32', () => {
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('Fnv32 of %j is the published value', (text, expected) => {
    const hash = new Fnv32();
    hash.hash(text);
    expect(hash.value).toBe(expected);
  });

  it('Fnv32 equals its definition for any text and after rehashing', () => {
    const hash = new Fnv32();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const expected = slow32(new TextEncoder().encode(text));
        hash.hash(text);
        expect(BigInt(hash.value)).toBe(expected);
        expect(BigInt(hash.modulo(1_000))).toBe(expected % 1_000n);
        hash.rehash();
        const again = new DataView(new ArrayBuffer(4));
        again.setUint32(0, Number(expected), true);
        expect(BigInt(hash.value)).toBe(slow32(new Uint8Array(again.buffer)));
      }),
    );
  });
});
