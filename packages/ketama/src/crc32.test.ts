import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addUint32, CRC32_START, crc32, crc32Signed } from './crc32.ts';

test('crc32 has the check value of the standard', () => {
  expect(crc32('123456789')).toBe(0xcbf43926);
  expect(crc32('')).toBe(0);
});

test('crc32 equals that of zlib for any bytes', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => crc32(bytes) === zlibCrc32(bytes)));
});

test('crc32 equals that of zlib for any text, hashed as UTF-8', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => crc32(text) === zlibCrc32(text)));
  for (const text of ['é', 'ߨ', '€', '日本', '😀', '\u{10ffff}', 'a😀b']) expect(crc32(text)).toBe(zlibCrc32(text));
});

test('crc32 takes lone surrogates for U+FFFD, as Node does', () => {
  for (const text of ['\ud800', 'a\udc00b', '\ud83d', '\ude00\ud83d'])
    expect(crc32(text)).toBe(zlibCrc32(Buffer.from(text)));
});

test('crc32Signed has the same 32 bits', () => {
  expect(crc32Signed('123456789')).toBe(0xcbf43926 | 0);
});

test('addUint32 adds four bytes, lowest first, of numbers with either sign', () => {
  for (const value of [0, 1, 0x01020304, 0xfffefdfc, -2]) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value | 0);
    expect(~addUint32(CRC32_START, value) >>> 0).toBe(zlibCrc32(bytes));
  }
});
