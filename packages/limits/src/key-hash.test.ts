import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyHash } from './key-hash.ts';

const hash = new KeyHash(0x03020100, 0x07060504);

function read(key: string | number, by = hash): [number, number] {
  by.read(key);
  return [by.first >>> 0, by.second >>> 0];
}

describe('KeyHash', () => {
  it('KeyHash has the published values of HalfSipHash-1-3', () => {
    // Input: the bytes 0, 1, 2, ... of even lengths, under the key 00 01 .. 07.
    const published = [0x5814c896, 0xbc4b0e30, 0x7e059ea6, 0xa0080b65, 0x577999b1, 0xe4fa32cf, 0x6b28096c, 0x16658a7c];
    const bytes = Buffer.from(Array.from({ length: 14 }, (_, i) => i));
    const found = published.map((_, i) => read(bytes.toString('utf16le', 0, 2 * i))[0]);
    expect(found).toEqual(published);
  });

  it('KeyHash makes 64 different bits of different keys', () => {
    const keys = fc.uniqueArray(fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.integer()), {
      minLength: 2,
      maxLength: 200,
      comparator: (a, b) => a === b, // 0 and -0 are one key
    });
    fc.assert(
      fc.property(keys, (list) => {
        expect(new Set(list.map((key) => read(key).join())).size).toBe(list.length);
      }),
    );
  });

  it('KeyHash depends on the secret, in both halves', () => {
    for (const other of [new KeyHash(0x03020101, 0x07060504), new KeyHash(0x03020100, 0x07060505)]) {
      const [first, second] = read('10.0.0.1');
      expect(read('10.0.0.1', other)[0]).not.toBe(first);
      expect(read('10.0.0.1', other)[1]).not.toBe(second);
    }
  });

  it('KeyHash takes 0 and -0 for one key, and 1 and "1" for two', () => {
    expect(read(-0)).toEqual(read(0));
    expect(read('1')).not.toEqual(read(1));
    expect(read(Number.NaN)).toEqual(read(Number.NaN));
    // @ts-expect-error no key
    expect(() => hash.read(undefined)).toThrow('a key must be a string or a number, got undefined');
  });
});
