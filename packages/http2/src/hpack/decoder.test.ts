import { describe, expect, test } from 'vitest';
import { decodeBlock, fromHex } from '../../test/field-list.ts';
import { type FieldSink, HpackDecoder } from './decoder.ts';
import { HpackError } from './hpack-error.ts';

/** custom-key: custom-header, added to the table. */
const ADDED = '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572';

describe('HpackDecoder', () => {
  test('decodes a slice only', () => {
    const decoder = new HpackDecoder();
    const fields: string[] = [];
    decoder.decode(fromHex('ff 8286 ff'), 1, 3, { field: (name, value) => fields.push(`${name}=${value}`) });
    expect(fields).toEqual([':method=GET', ':scheme=http']);
  });

  test('decodes an empty block', () => {
    expect(decodeBlock(new HpackDecoder(), '')).toEqual([]);
  });

  test('decodes empty values and octets above 0x7f as latin1', () => {
    expect(decodeBlock(new HpackDecoder(), '00 01 61 00  00 01 62 03 e9 00 ff  81')).toEqual([
      ['a', ''],
      ['b', '\u00e9\u0000\u00ff'],
      [':authority', ''],
    ]);
  });

  test('hands out the strings of the table themselves', () => {
    const decoder = new HpackDecoder();
    decodeBlock(decoder, ADDED);
    expect(decodeBlock(decoder, 'be be')).toEqual([
      ['custom-key', 'custom-header'],
      ['custom-key', 'custom-header'],
    ]);
    expect(decodeBlock(decoder, '7e 01 61 be bf')).toEqual([
      ['custom-key', 'a'],
      ['custom-key', 'a'],
      ['custom-key', 'custom-header'],
    ]);
  });

  test('takes integers of up to five continuation octets', () => {
    expect(decodeBlock(new HpackDecoder(), '0f 8080 8080 00 00')).toEqual([['accept-charset', '']]);
  });

  test.each([
    ['index 0', '80'],
    ['index behind the static table when the dynamic one is empty', 'be'],
    ['index far beyond', 'ff ffff 7f'],
    ['name index beyond', '7e 01 61'],
    ['name index beyond, not indexed', '0f 2f 01 61'],
    ['name index beyond, never indexed', '1f 2f 01 61'],
    ['integer of six continuation octets', 'ff 8080 8080 8000'],
    ['integer of 2^31', 'ff 81ff ffff 07'],
    ['integer that never ends', 'ff ffff ffff ffff ffff ffff'],
    ['integer cut after its prefix', 'ff'],
    ['integer cut within', 'ff 80'],
    ['literal cut after its first octet', '40'],
    ['literal cut after its name', '40 01 61'],
    ['name cut', '40 03 61 61'],
    ['value cut', '40 01 61 02 61'],
    ['value cut before its length ends', '40 01 61 7f'],
    ['string of 2 GiB', '40 7f 80ff ffff 07'],
    ['Huffman-coded string with zeros as padding', '00 01 61 81 18'],
    ['Huffman-coded string with an octet of padding', '00 01 61 82 1fff'],
    ['Huffman-coded string with the end-of-string symbol', '00 01 61 84 ffff ffff'],
    ['Huffman-coded name that is cut', '00 8a 25a8'],
    ['size update above the bound', '3fe2 1f'],
    ['size update after a field', '82 20'],
    ['size update after a literal', '00 01 61 00 20'],
    ['size update cut', '3f'],
  ])('refuses %s', (_, block) => {
    expect(() => decodeBlock(new HpackDecoder(), block)).toThrow(HpackError);
  });

  test('refuses what a smaller table dropped', () => {
    const decoder = new HpackDecoder();
    decodeBlock(decoder, ADDED);
    expect(decodeBlock(decoder, '3f18 be')).toHaveLength(1);
    expect(decodeBlock(decoder, '3f17')).toEqual([]);
    expect(decoder.tableSize).toBe(0);
    expect(() => decodeBlock(decoder, 'be')).toThrow(HpackError);
  });

  test('takes several size updates before the first field', () => {
    const decoder = new HpackDecoder();
    decodeBlock(decoder, ADDED);
    expect(decodeBlock(decoder, `20 3fe11f 82`)).toEqual([[':method', 'GET']]);
    expect(decoder.tableSize).toBe(0);
    decodeBlock(decoder, ADDED);
    expect(decoder.tableSize).toBe(55);
  });

  test('keeps no entry that is larger than the table, and empties the table for it', () => {
    const decoder = new HpackDecoder();
    decodeBlock(decoder, ADDED);
    expect(decodeBlock(decoder, `3f18 40 01 61 17 ${'62'.repeat(23)}`)).toEqual([['a', 'b'.repeat(23)]]);
    expect(decoder.tableSize).toBe(0);
  });

  test('keeps an entry that fills the table', () => {
    const decoder = new HpackDecoder();
    decodeBlock(decoder, `3f18 40 01 61 16 ${'62'.repeat(22)}`);
    expect(decoder.tableSize).toBe(55);
    expect(decodeBlock(decoder, 'be')).toEqual([['a', 'b'.repeat(22)]]);
  });

  test('adds an entry that is named by the entry it pushes out', () => {
    const decoder = new HpackDecoder();
    decodeBlock(decoder, `3f18 ${ADDED}`);
    expect(decodeBlock(decoder, '7e 01 61 be')).toEqual([
      ['custom-key', 'a'],
      ['custom-key', 'a'],
    ]);
    expect(decoder.tableSize).toBe(43);
  });
});

describe('HpackDecoder.setMaxTableSize', () => {
  test('lets the table grow once the bound is higher', () => {
    const decoder = new HpackDecoder();
    decoder.setMaxTableSize(8_192);
    expect(decodeBlock(decoder, '3fe13f 82')).toHaveLength(1);
    expect(() => decodeBlock(decoder, '3fe23f 82')).toThrow(HpackError);
  });

  test.each(['82', '', '3f01 82', '3fe11f 82'])(
    'refuses a block without the update that a lower bound asks for: %s',
    (block) => {
      const decoder = new HpackDecoder();
      decoder.setMaxTableSize(31);
      expect(() => decodeBlock(decoder, block)).toThrow(HpackError);
    },
  );

  test.each(['20 82', '3f00 82', '20 3f00 82'])('takes the update that a lower bound asks for: %s', (block) => {
    const decoder = new HpackDecoder();
    decoder.setMaxTableSize(31);
    expect(decodeBlock(decoder, block)).toEqual([[':method', 'GET']]);
    expect(decodeBlock(decoder, '82')).toEqual([[':method', 'GET']]);
  });

  test('asks for the lowest of several bounds first', () => {
    const first = new HpackDecoder();
    first.setMaxTableSize(0);
    first.setMaxTableSize(4_096);
    expect(() => decodeBlock(first, '3fe11f 82')).toThrow(HpackError);
    const second = new HpackDecoder();
    second.setMaxTableSize(0);
    second.setMaxTableSize(4_096);
    expect(decodeBlock(second, '20 3fe11f 82')).toHaveLength(1);
  });

  test('asks for nothing when the table in use is small enough already', () => {
    const decoder = new HpackDecoder();
    decodeBlock(decoder, '20');
    decoder.setMaxTableSize(100);
    expect(decodeBlock(decoder, '82')).toHaveLength(1);
  });

  test('holds from the beginning when it is given to the constructor', () => {
    expect(() => decodeBlock(new HpackDecoder(0), '82')).toThrow(HpackError);
    expect(decodeBlock(new HpackDecoder(0), '20 82')).toHaveLength(1);
  });
});

describe('HpackDecoder under load', () => {
  test('keeps no more than its table, whatever is added', () => {
    const decoder = new HpackDecoder();
    const block = fromHex('40 01 61 00'.repeat(20_000));
    let count = 0;
    const sink: FieldSink = { field: () => void count++ };
    decoder.decode(block, 0, block.length, sink);
    expect(count).toBe(20_000);
    expect(decoder.tableSize).toBe(4_092);
    expect(decodeBlock(decoder, 'ff 3a')).toEqual([['a', '']]);
    expect(() => decodeBlock(decoder, 'ff 3b')).toThrow(HpackError);
  });

  test('makes one string for a large value that is referred to often', () => {
    const decoder = new HpackDecoder();
    decodeBlock(decoder, `40 01 61 7f b11e ${'62'.repeat(4_016)}`);
    const before = process.memoryUsage().heapUsed;
    const values: string[] = [];
    const block = fromHex('be'.repeat(16_000));
    decoder.decode(block, 0, block.length, { field: (_, value) => void values.push(value) });
    expect(values).toHaveLength(16_000);
    expect(values[0]).toHaveLength(4_016);
    // 16,000 copies would be 64 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1_024 * 1_024);
  });
});
