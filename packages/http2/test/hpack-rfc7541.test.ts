/** Both directions against the examples of RFC 7541 appendix C. */
import { describe, expect, test } from 'vitest';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { CONNECTIONS, SINGLE_FIELDS } from './corpus/rfc7541-appendix-c.ts';
import { decodeBlock, FieldList, fromHex } from './field-list.ts';
import { encodeBlock } from './growing-output.ts';

describe('HpackDecoder', () => {
  test.each(SINGLE_FIELDS)('decodes $section', ({ block, fields, tableSize }) => {
    const decoder = new HpackDecoder();
    expect(decodeBlock(decoder, block)).toEqual(fields);
    expect(decoder.tableSize).toBe(tableSize);
  });

  test.each(CONNECTIONS)('decodes $title', ({ maxTableSize, blocks }) => {
    const decoder = new HpackDecoder(4_096);
    // The examples leave out how both sides agreed on the size of the table.
    decodeBlock(decoder, sizeUpdate(maxTableSize));
    for (const { section, block, fields, tableSize } of blocks) {
      expect(decodeBlock(decoder, block), section).toEqual(fields);
      expect(decoder.tableSize, section).toBe(tableSize);
    }
  });

  test('says which field is never to be indexed', () => {
    const list = new FieldList();
    const block = fromHex(`${SINGLE_FIELDS[2]?.block} 82`);
    new HpackDecoder().decode(block, 0, block.length, list);
    expect(list.neverIndexed).toEqual(['password']);
  });
});

describe('HpackEncoder', () => {
  test('gives the blocks of C.4', () => {
    const encoder = new HpackEncoder();
    for (const { section, block, fields, tableSize } of CONNECTIONS[1]?.blocks ?? []) {
      expect(encodeBlock(encoder, fields).toString('hex'), section).toBe(fromHex(block).toString('hex'));
      expect(encoder.tableSize, section).toBe(tableSize);
    }
    expect.assertions(6);
  });
});

function sizeUpdate(bytes: number): Buffer {
  return bytes === 4_096 ? fromHex('3fe11f') : fromHex('3fe101');
}
