/**
 * Fields to header blocks (RFC 7541 section 6): indexed where a table has the field, else Huffman-coded where shorter.
 *
 * One encoder per connection; blocks must be sent in the order in which they were encoded, each of them whole.
 * Names come in lower case and are, like values, latin1; what may stand in them is the caller's affair.
 */
import { EncoderTable, entrySize } from './encoder-table.ts';
import type { HpackOutput } from './hpack-output.ts';
import { encodeHuffman, huffmanRoom } from './huffman-encode.ts';
import { type Indexing, indexingOf } from './indexing-policy.ts';
import { STATIC_ENTRIES, STATIC_INDEX, staticMatch } from './static-table.ts';

/** The table size of both sides before any setting (RFC 9113 section 6.5.2), and our own bound. */
const INITIAL_TABLE_SIZE = 4_096;
/** An integer of 31 bits with its prefix. */
const MAX_INTEGER_OCTETS = 6;

const INDEXED = 0x80;
const SIZE_UPDATE = 0x20;
const HUFFMAN = 0x80;
/** First octet and prefix mask of a literal field. */
const LITERALS: Readonly<Record<Indexing, readonly [pattern: number, mask: number]>> = {
  table: [0x40, 0x3f],
  literal: [0x00, 0x0f],
  never: [0x10, 0x0f],
};

/** Encodes the blocks of one direction of a connection. */
export class HpackEncoder {
  readonly #table: EncoderTable;
  #out: HpackOutput | undefined;
  /** The smallest table size since the last block, when a size update is due. */
  #smallest: number | undefined;

  /** `maxTableSize`: octets, at most and by default 4,096. 0 does without a dynamic table. */
  constructor(maxTableSize: number = INITIAL_TABLE_SIZE) {
    this.#table = new EncoderTable(INITIAL_TABLE_SIZE);
    this.setMaxTableSize(maxTableSize);
  }

  /** Octets that the dynamic table holds. */
  get tableSize(): number {
    return this.#table.size;
  }

  /** Follows the other side's SETTINGS_HEADER_TABLE_SIZE, up to 4,096 octets; the next block announces a change. */
  setMaxTableSize(bytes: number): void {
    const size = Math.min(bytes, INITIAL_TABLE_SIZE);
    if (size === this.#table.maxSize) return;
    this.#smallest = Math.min(size, this.#smallest ?? size);
    this.#table.maxSize = size;
  }

  /** Starts a block, which goes to `out` behind what it holds. */
  begin(out: HpackOutput): void {
    this.#out = out;
    if (this.#smallest === undefined) return;
    out.reserve(2 * MAX_INTEGER_OCTETS);
    if (this.#smallest < this.#table.maxSize) writeInteger(out, SIZE_UPDATE, 0x1f, this.#smallest);
    writeInteger(out, SIZE_UPDATE, 0x1f, this.#table.maxSize);
    this.#smallest = undefined;
  }

  /**
   * Appends one field to the block begun.
   *
   * `sensitive`: no intermediary may ever put it into a table. Authorization and short cookies are that anyway.
   *
   * @throws TypeError when a text is not latin1; the block is then lost, and with it the connection.
   */
  field(name: string, value: string, sensitive: boolean = false): void {
    const out = this.#out as HpackOutput;
    const index = sensitive ? 0 : this.#find(name, value);
    if (index > 0) writeIndexed(out, index);
    else this.#writeLiteral(out, name, value, sensitive ? 'never' : this.#indexing(name, value));
  }

  /** The index of the field in one of the tables; 0: none. */
  #find(name: string, value: string): number {
    const newness = this.#table.find(name, value);
    if (newness > 0) return STATIC_ENTRIES + newness;
    const first = STATIC_INDEX.get(name);
    return first === undefined ? 0 : staticMatch(name, value, first);
  }

  /** One entry must not push out all the others. */
  #indexing(name: string, value: string): Indexing {
    const indexing = indexingOf(name, value);
    const isTooLarge = entrySize(name, value) * 4 > this.#table.maxSize * 3;
    return indexing === 'table' && isTooLarge ? 'literal' : indexing;
  }

  #writeLiteral(out: HpackOutput, name: string, value: string, indexing: Indexing): void {
    const [pattern, mask] = LITERALS[indexing];
    const index = this.#nameIndex(name);
    out.reserve(MAX_INTEGER_OCTETS);
    writeInteger(out, pattern, mask, index);
    if (index === 0) writeString(out, name);
    writeString(out, value);
    if (indexing === 'table') this.#table.add(name, value);
  }

  #nameIndex(name: string): number {
    const index = STATIC_INDEX.get(name);
    if (index !== undefined) return index;
    const newness = this.#table.findName(name);
    return newness > 0 ? STATIC_ENTRIES + newness : 0;
  }
}

function writeIndexed(out: HpackOutput, index: number): void {
  out.reserve(MAX_INTEGER_OCTETS);
  if (index < 0x7f) out.buffer[out.length++] = INDEXED | index;
  else writeInteger(out, INDEXED, 0x7f, index);
}

/** RFC 7541 section 5.1. The caller made room. */
function writeInteger(out: HpackOutput, pattern: number, mask: number, value: number): void {
  const { buffer } = out;
  if (value < mask) {
    buffer[out.length++] = pattern | value;
    return;
  }
  buffer[out.length++] = pattern | mask;
  let rest = value - mask;
  while (rest >= 0x80) {
    buffer[out.length++] = 0x80 | (rest & 0x7f);
    rest >>>= 7;
  }
  buffer[out.length++] = rest;
}

/** RFC 7541 section 5.2. */
function writeString(out: HpackOutput, text: string): void {
  out.reserve(MAX_INTEGER_OCTETS + huffmanRoom(text.length));
  const start = out.length;
  // The code goes where it stands when its length takes one octet, as it nearly always does.
  const coded = encodeHuffman(text, out.buffer, start + 1);
  if (coded === 0) {
    writePlain(out, text);
  } else if (coded < 0x7f) {
    out.buffer[start] = HUFFMAN | coded;
    out.length = start + 1 + coded;
  } else {
    out.buffer.copyWithin(start + integerOctets(coded), start + 1, start + 1 + coded);
    writeInteger(out, HUFFMAN, 0x7f, coded);
    out.length += coded;
  }
}

function writePlain(out: HpackOutput, text: string): void {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) throw new TypeError('field holds a character above U+00FF: encode it first');
  }
  writeInteger(out, 0, 0x7f, text.length);
  out.length += out.buffer.write(text, out.length, 'latin1');
}

/** Octets of an integer that is at least the 127 of its prefix. */
function integerOctets(value: number): number {
  let octets = 2;
  for (let rest = value - 0x7f; rest >= 0x80; rest >>>= 7) octets++;
  return octets;
}
