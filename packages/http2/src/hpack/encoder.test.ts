import { describe, expect, test } from 'vitest';
import { decodeBlock } from '../../test/field-list.ts';
import { encodeBlock, type Field } from '../../test/growing-output.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';
import { indexingOf } from './indexing-policy.ts';

function hex(encoder: HpackEncoder, ...fields: Field[]): string {
  return encodeBlock(encoder, fields).toString('hex');
}

describe('HpackEncoder', () => {
  test('writes whole fields of the static table as one octet', () => {
    expect(hex(new HpackEncoder(), [':method', 'GET'], [':status', '304'], ['accept-encoding', 'gzip, deflate'])).toBe(
      '828b90',
    );
  });

  test('writes a field that comes again as one octet', () => {
    const encoder = new HpackEncoder();
    expect(hex(encoder, ['x-a', '1'])).toBe('4003782d610131');
    expect(hex(encoder, ['x-a', '1'], ['x-a', '1'])).toBe('bebe');
    expect(hex(encoder, ['x-a', '2'], ['x-a', '1'], ['x-a', '2'])).toBe('7e0132bfbe');
  });

  test('writes an index of two octets from the 66th entry on', () => {
    const encoder = new HpackEncoder();
    const fields: Field[] = Array.from({ length: 70 }, (_, i) => [`${i}`, 'a']);
    const decoder = new HpackDecoder();
    decodeBlock(decoder, encodeBlock(encoder, fields));
    const again = encodeBlock(encoder, fields);
    expect(again).toHaveLength(5 * 2 + 65);
    expect(decodeBlock(decoder, again)).toEqual(fields);
  });

  test.each([
    ['authorization', 'Basic dXNlcjpwYXNz'],
    ['proxy-authorization', 'Basic dXNlcjpwYXNz'],
    ['cookie', 'short=0123456789'],
  ])('writes %s so that nobody may index it', (name, value) => {
    const encoder = new HpackEncoder();
    const block = encodeBlock(encoder, [[name, value]]);
    expect((block[0] as number) & 0xf0).toBe(0x10);
    expect(encoder.tableSize).toBe(0);
    expect(decodeBlock(new HpackDecoder(), block)).toEqual([[name, value]]);
  });

  test('writes a field so that nobody may index it when asked to', () => {
    const encoder = new HpackEncoder();
    expect(hex(encoder, ['x', 'y', true])).toBe('1001780179');
    expect(hex(encoder, [':method', 'GET', true])).toBe('1203474554');
    hex(encoder, ['x', 'y']);
    expect(hex(encoder, ['x', 'y', true])).toBe('1f2f0179');
    expect(hex(encoder, ['x', 'y'])).toBe('be');
  });

  test.each(['set-cookie', ':path', 'content-length', 'etag', 'last-modified', 'x-request-id'])(
    'does not index %s, whose values differ',
    (name) => {
      const encoder = new HpackEncoder();
      const block = encodeBlock(encoder, [[name, 'value-of-this-one']]);
      expect((block[0] as number) & 0xf0).toBe(0);
      expect(encoder.tableSize).toBe(0);
    },
  );

  test('does not index a field that would take most of the table', () => {
    const encoder = new HpackEncoder();
    hex(encoder, ['a', 'b'.repeat(4_096 * 0.75 - 32)]);
    expect(encoder.tableSize).toBe(0);
    hex(encoder, ['a', 'b'.repeat(4_096 * 0.75 - 33)]);
    expect(encoder.tableSize).toBe(3_072);
  });

  test.each([126, 127, 128, 200, 202, 203, 204, 254, 255, 256, 16_509, 16_510, 16_511, 30_000])(
    'writes strings of %i octets, coded or not',
    (length) => {
      for (const text of ['a'.repeat(length), '{'.repeat(length), '~'.repeat(length - 1).concat('a')]) {
        const fields: Field[] = [
          ['a', text],
          [text, 'b'],
        ];
        expect(decodeBlock(new HpackDecoder(), encodeBlock(new HpackEncoder(), fields))).toEqual(fields);
      }
    },
  );

  test('refuses text that is not latin1, wherever the character stands', () => {
    for (const text of ['\u0100', '\u010a', 'aaaaaaaaaa\u20ac', '\u20acaaaaaaaaaa']) {
      expect(() => hex(new HpackEncoder(), ['a', text])).toThrow(TypeError);
      expect(() => hex(new HpackEncoder(), [text, 'a'])).toThrow(TypeError);
    }
    expect(decodeBlock(new HpackDecoder(), encodeBlock(new HpackEncoder(), [['a', '\u00ff']]))).toEqual([
      ['a', '\u00ff'],
    ]);
  });
});

describe('HpackEncoder.setMaxTableSize', () => {
  test('announces a smaller table at the start of the next block, once', () => {
    const encoder = new HpackEncoder();
    hex(encoder, ['x', 'y']);
    encoder.setMaxTableSize(0);
    expect(hex(encoder, ['x', 'y'])).toBe('200001780179');
    expect(hex(encoder, [':method', 'GET'])).toBe('82');
  });

  test('announces the lowest and the last of several sizes', () => {
    const encoder = new HpackEncoder();
    encoder.setMaxTableSize(100);
    encoder.setMaxTableSize(0);
    encoder.setMaxTableSize(1_000);
    expect(hex(encoder, [':method', 'GET'])).toBe('203fc90782');
    encoder.setMaxTableSize(4_096);
    expect(hex(encoder, [':method', 'GET'])).toBe('3fe11f82');
  });

  test('announces nothing when the other side allows more than is used', () => {
    const encoder = new HpackEncoder();
    encoder.setMaxTableSize(65_536);
    expect(hex(encoder, [':method', 'GET'])).toBe('82');
  });

  test('announces a table that is small from the beginning', () => {
    const encoder = new HpackEncoder(0);
    expect(hex(encoder, ['x', 'y'], ['x', 'y'])).toBe(`20${'0001780179'.repeat(2)}`);
    expect(encoder.tableSize).toBe(0);
  });

  test('forgets entries that the smaller table drops', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const fields: Field[] = Array.from({ length: 10 }, (_, i) => ['name', `value ${i}`]);
    decodeBlock(decoder, encodeBlock(encoder, fields));
    encoder.setMaxTableSize(100);
    decoder.setMaxTableSize(100);
    expect(decodeBlock(decoder, encodeBlock(encoder, fields))).toEqual(fields);
    expect(encoder.tableSize).toBe(decoder.tableSize);
    expect(encoder.tableSize).toBeLessThanOrEqual(100);
  });
});

describe('indexingOf', () => {
  test('indexes long cookies, dates and what it does not know', () => {
    expect(indexingOf('cookie', 'a'.repeat(20))).toBe('table');
    expect(indexingOf('cookie', 'a'.repeat(19))).toBe('never');
    expect(indexingOf('date', 'Sat, 21 Nov 2026 08:49:37 GMT')).toBe('table');
    expect(indexingOf('x-anything', '')).toBe('table');
    expect(indexingOf('authorization', '')).toBe('never');
  });
});
