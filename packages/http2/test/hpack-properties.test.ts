/** Encoder and decoder agree on every list of fields and every change of the table; the decoder survives every input. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { HpackError } from '../src/hpack/hpack-error.ts';
import { CONNECTIONS } from './corpus/rfc7541-appendix-c.ts';
import { decodeBlock, FieldList, fromHex } from './field-list.ts';
import { encodeBlock, type Field } from './growing-output.ts';

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: octet, maxLength: 300 }));
const latin1Text = text.map((value) => value.replace(/[^\x20-\xff]/g, '-'));
const name = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(':method', ':path', ':status', 'cookie', 'date', 'etag', 'x-a', 'x-b', 'x-c'),
  },
  { weight: 1, arbitrary: latin1Text },
);
const value = fc.oneof({ weight: 2, arbitrary: fc.constantFrom('', 'GET', '/', '200', 'a', 'b') }, latin1Text);
const field: fc.Arbitrary<Field> = fc.tuple(
  name,
  value,
  fc.integer({ max: 9, min: 0 }).map((n) => n === 0),
);
const block = fc.record({
  fields: fc.array(field, { maxLength: 30 }),
  tableSize: fc.option(fc.integer({ min: 0, max: 6_000 }), { nil: undefined }),
});

describe('HpackEncoder and HpackDecoder', () => {
  test('agree on all blocks of a connection, and on their tables', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder();
        for (const { fields, tableSize } of blocks) {
          if (tableSize !== undefined) {
            encoder.setMaxTableSize(tableSize);
            decoder.setMaxTableSize(tableSize);
          }
          const list = new FieldList();
          const bytes = encodeBlock(encoder, fields);
          decoder.decode(bytes, 0, bytes.length, list);
          expect(list.fields).toEqual(fields.map(([name, value]) => [name, value]));
          expect(encoder.tableSize).toBe(decoder.tableSize);
          expect(list.neverIndexed).toEqual(expect.arrayContaining(namesOfSensitive(fields)));
        }
      }),
    );
  });
});

describe('HpackDecoder', () => {
  test('either decodes random octets or throws HpackError, within its table', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder();
        for (const bytes of blocks) {
          if (!decodesOrFails(decoder, Buffer.from(bytes))) break;
          expect(decoder.tableSize).toBeLessThanOrEqual(4_096);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('either decodes a damaged block or throws HpackError', () => {
    const examples = CONNECTIONS.flatMap(({ blocks }) => blocks.map(({ block }) => fromHex(block)));
    const damaged = fc.tuple(fc.constantFrom(...examples), fc.nat(200), fc.nat(255), fc.nat(200));
    fc.assert(
      fc.property(damaged, ([example, at, octet, length]) => {
        const bytes = Buffer.from(example.subarray(0, Math.max(1, length % (example.length + 1))));
        bytes[at % bytes.length] = octet;
        decodesOrFails(new HpackDecoder(), bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  test('throws for every block that was cut within a field, and for no other', () => {
    const bytes = fromHex(CONNECTIONS[3]?.blocks[0]?.block ?? '');
    const ends = [0, 4, 11, 35, bytes.length];
    for (let length = 0; length <= bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      if (ends.includes(length)) expect(decodeBlock(new HpackDecoder(), cut)).toHaveLength(ends.indexOf(length));
      else expect(() => decodeBlock(new HpackDecoder(), cut), `${length} octets`).toThrow(HpackError);
    }
  });
});

function decodesOrFails(decoder: HpackDecoder, bytes: Buffer): boolean {
  try {
    decodeBlock(decoder, bytes);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(HpackError);
    return false;
  }
}

function namesOfSensitive(fields: readonly Field[]): string[] {
  return fields.filter(([, , sensitive]) => sensitive === true).map(([name]) => name);
}
