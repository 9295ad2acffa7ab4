import { describe, expect, test } from 'vitest';
import { HpackError } from './hpack-error.ts';
import { CODE_LENGTHS, CODES, END_OF_STRING } from './huffman-code.ts';
import { decodeHuffman } from './huffman-decode.ts';
import { encodeHuffman, huffmanRoom } from './huffman-encode.ts';

describe('CODES', () => {
  test('is complete: no bits are left without a symbol', () => {
    let used = 0;
    for (const length of CODE_LENGTHS) used += 2 ** -length;
    expect(CODE_LENGTHS.length).toBe(257);
    expect(used).toBe(1);
  });

  test.each([
    [0, 0x1ff8, 13],
    [9, 0xffffea, 24],
    [10, 0x3ffffffc, 30],
    [0x20, 0x14, 6],
    [0x2f, 0x18, 6],
    [0x30, 0x0, 5],
    [0x41, 0x21, 6],
    [0x5c, 0x7fff0, 19],
    [0x7e, 0x1ffd, 13],
    [128, 0xfffe6, 20],
    [172, 0x1fffdf, 21],
    [199, 0x1ffffec, 25],
    [220, 0xffffffd, 28],
    [254, 0x7fffff0, 27],
    [255, 0x3ffffee, 26],
    [END_OF_STRING, 0x3fffffff, 30],
  ])('symbol %i is as in RFC 7541 appendix B', (symbol, code, length) => {
    expect(CODES[symbol]).toBe(code);
    expect(CODE_LENGTHS[symbol]).toBe(length);
  });
});

describe('decodeHuffman', () => {
  test('decodes every symbol alone and beside every other', () => {
    for (let first = 0; first < 256; first++) {
      expect(decode(bitsOf([first]))).toBe(String.fromCharCode(first));
      for (let second = 0; second < 256; second += 5) {
        expect(decode(bitsOf([first, second, 0x61]))).toBe(`${String.fromCharCode(first, second)}a`);
      }
    }
  });

  test('decodes the empty string', () => {
    expect(decodeHuffman(Buffer.alloc(0), 0, 0)).toBe('');
  });

  test('decodes a string longer than what is kept for it', () => {
    const text = 'aeio0123'.repeat(2_000);
    expect(decode(bitsOf(Buffer.from(text)))).toBe(text);
  });

  test.each([
    ['seven bits of padding', bitsOf([0x30, 0x5c, 0x3b]), true],
    ['zeros as padding', `${bits(0x61)}000`, false],
    ['padding that begins as ones', `${bits(0x61)}110`, false],
    ['an octet of padding', `${bits(0x26)}${'1'.repeat(8)}`, false],
    ['three octets of padding', `${bits(0x61)}${'1'.repeat(27)}`, false],
    ['the end-of-string symbol', `${bits(END_OF_STRING)}11`, false],
    ['the end-of-string symbol within', `${bits(0x61)}${bits(END_OF_STRING)}${bits(0x61)}`, false],
    ['half a symbol', bits(0).slice(0, 8), false],
    ['nothing but an octet of ones', '1'.repeat(8), false],
  ])('%s', (_, text, isWellFormed) => {
    const padded = text.padEnd(Math.ceil(text.length / 8) * 8, '1');
    const buffer = fromBits(padded);
    if (isWellFormed) expect(decodeHuffman(buffer, 0, buffer.length)).toHaveLength(3);
    else expect(() => decodeHuffman(buffer, 0, buffer.length)).toThrow(HpackError);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('takes %i bits of padding', (count) => {
    // '0' has 5 bits and ' ' has 6: eleven bits in three ways make every remainder.
    for (let fives = 0; fives < 8; fives++) {
      const text = `${'0'.repeat(fives)}${' '.repeat(8 - fives)}`;
      const code = Array.from(text, (char) => bits(char.charCodeAt(0))).join('');
      if ((8 - (code.length % 8)) % 8 === count) expect(decode(code)).toBe(text);
    }
    expect.assertions(1);
  });
});

describe('encodeHuffman', () => {
  test('codes text so that it is decoded to itself', () => {
    for (const text of ['www.example.com', 'a'.repeat(1_000), 'Sat, 21 Nov 2026 08:49:37 GMT', '%&*,;XZ.000aaa']) {
      const buffer = Buffer.alloc(huffmanRoom(text.length) + 1);
      const length = encodeHuffman(text, buffer, 1);
      expect(length).toBe(Math.ceil(Array.from(text, (c) => bits(c.charCodeAt(0))).join('').length / 8));
      expect(decodeHuffman(buffer, 1, 1 + length)).toBe(text);
    }
  });

  test.each([
    '',
    'X',
    'XZ',
    '<>',
    '\n'.repeat(10),
    `aaaaaaaaaaaaa\r`,
    '{}{}{}',
    '\u0100aaaaaa',
    '\u20acaaaaa',
    'aaaaaaaaaa\u20ac',
  ])('declines %j, which does not become shorter or has octets that no text has', (text) => {
    expect(encodeHuffman(text, Buffer.alloc(huffmanRoom(text.length)), 0)).toBe(0);
  });

  test('stays within its room whatever the text', () => {
    for (let octet = 0; octet < 0x180; octet++) {
      for (const text of [String.fromCharCode(octet).repeat(9), `aaaa${String.fromCharCode(octet)}`]) {
        const room = huffmanRoom(text.length);
        const buffer = Buffer.alloc(room + 8, 0x55);
        encodeHuffman(text, buffer, 0);
        expect(buffer.subarray(room).every((byte) => byte === 0x55)).toBe(true);
      }
    }
  });
});

function bits(symbol: number): string {
  return (CODES[symbol] as number).toString(2).padStart(CODE_LENGTHS[symbol] as number, '0');
}

function bitsOf(symbols: Iterable<number>): string {
  return Array.from(symbols, bits).join('');
}

function decode(code: string): string {
  const buffer = fromBits(code.padEnd(Math.ceil(code.length / 8) * 8, '1'));
  return decodeHuffman(buffer, 0, buffer.length);
}

function fromBits(text: string): Buffer {
  return Buffer.from(
    Array.from({ length: text.length / 8 }, (_, at) => Number.parseInt(text.slice(at * 8, at * 8 + 8), 2)),
  );
}
