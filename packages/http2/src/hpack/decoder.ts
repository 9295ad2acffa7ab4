/**
 * Header blocks to fields (RFC 7541 sections 3, 5 and 6), strict: whatever is not well-formed is an error.
 *
 * One decoder per connection: every block must pass through it, in order. It does not judge names and values, and it
 * does not limit lists: its sink does, without throwing, as long as the connection is to go on.
 */
import { latin1 } from '@cirque/http';
import { DecoderTable } from './decoder-table.ts';
import { HpackError } from './hpack-error.ts';
import { decodeHuffman } from './huffman-decode.ts';
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** Gets the fields of a block in their order; texts are latin1. */
export interface FieldSink {
  /** `neverIndexed`: an intermediary must pass the field on in the same way (RFC 7541 section 7.1.3). */
  field(name: string, value: string, neverIndexed: boolean): void;
}

/** The table size of both sides before any setting (RFC 9113 section 6.5.2). */
const INITIAL_TABLE_SIZE = 4_096;
const MAX_CONTINUATION_OCTETS = 5;
const MAX_INTEGER = 0x7fffffff;

/** Decodes the blocks of one direction of a connection. Unusable after it threw. */
export class HpackDecoder {
  readonly #table: DecoderTable;
  /** What the other side may set by a size update. */
  #limit: number;
  /** The next block must begin with an update to this size or less. */
  #shrinkTo: number | undefined;
  #at = 0;

  /**
   * `maxTableSize`: the SETTINGS_HEADER_TABLE_SIZE that the other side has acknowledged, in octets. One below the
   * 4,096 that every connection begins with must be announced by the other side before its first field.
   */
  constructor(maxTableSize: number = INITIAL_TABLE_SIZE) {
    this.#limit = maxTableSize;
    this.#table = new DecoderTable(INITIAL_TABLE_SIZE);
    if (maxTableSize < INITIAL_TABLE_SIZE) this.#shrinkTo = maxTableSize;
  }

  /** Octets that the dynamic table holds. */
  get tableSize(): number {
    return this.#table.size;
  }

  /**
   * Sets the bound of the dynamic table; to be called when the other side acknowledges SETTINGS_HEADER_TABLE_SIZE.
   *
   * Below the size in use, the next block must begin with a size update (RFC 9113 section 4.3.1).
   */
  setMaxTableSize(bytes: number): void {
    this.#limit = bytes;
    if (bytes < this.#table.maxSize) this.#shrinkTo = Math.min(bytes, this.#shrinkTo ?? bytes);
  }

  /**
   * Decodes one whole block.
   *
   * @throws HpackError when it is not well-formed; fields before the fault were reported.
   */
  decode(buffer: Buffer, start: number, end: number, sink: FieldSink): void {
    this.#at = start;
    this.#readSizeUpdates(buffer, end);
    while (this.#at < end) {
      const octet = buffer[this.#at] as number;
      if (octet >= 0x80) this.#readIndexed(buffer, end, sink);
      else if (octet >= 0x40) this.#readLiteral(buffer, end, sink, 0x3f);
      else if (octet < 0x20) this.#readLiteral(buffer, end, sink, 0x0f);
      else throw new HpackError('table size update after the first field of a block (RFC 7541 section 4.2)');
    }
  }

  #readSizeUpdates(buffer: Buffer, end: number): void {
    while (this.#at < end && ((buffer[this.#at] as number) & 0xe0) === 0x20) {
      const size = this.#readInteger(buffer, end, 0x1f);
      if (size > this.#limit) throw new HpackError(`table size update to ${size}: at most ${this.#limit} was allowed`);
      if (this.#shrinkTo !== undefined && size > this.#shrinkTo) this.#throwShrinkExpected(this.#shrinkTo);
      this.#shrinkTo = undefined;
      this.#table.maxSize = size;
    }
    if (this.#shrinkTo !== undefined) this.#throwShrinkExpected(this.#shrinkTo);
  }

  #throwShrinkExpected(size: number): never {
    throw new HpackError(`block does not begin with the table size update to ${size} that the settings ask for`);
  }

  #readIndexed(buffer: Buffer, end: number, sink: FieldSink): void {
    const index = this.#readInteger(buffer, end, 0x7f);
    if (index === 0) throw new HpackError('indexed field with index 0');
    if (index <= STATIC_ENTRIES) {
      sink.field(STATIC_NAMES[index] as string, STATIC_VALUES[index] as string, false);
      return;
    }
    const age = this.#age(index);
    sink.field(this.#table.name(age), this.#table.value(age), false);
  }

  #readLiteral(buffer: Buffer, end: number, sink: FieldSink, mask: number): void {
    const neverIndexed = ((buffer[this.#at] as number) & 0xf0) === 0x10;
    const index = this.#readInteger(buffer, end, mask);
    const name = index === 0 ? this.#readString(buffer, end) : this.#nameAt(index);
    const value = this.#readString(buffer, end);
    if (mask === 0x3f) this.#table.add(name, value);
    sink.field(name, value, neverIndexed);
  }

  #nameAt(index: number): string {
    return index <= STATIC_ENTRIES ? (STATIC_NAMES[index] as string) : this.#table.name(this.#age(index));
  }

  #age(index: number): number {
    const age = index - STATIC_ENTRIES - 1;
    if (age >= this.#table.count) throw new HpackError(`index ${index} is beyond the table`);
    return age;
  }

  /** RFC 7541 section 5.1, in 31 bits. `mask`: the bits of the prefix. */
  #readInteger(buffer: Buffer, end: number, mask: number): number {
    const prefix = (buffer[this.#at++] as number) & mask;
    if (prefix < mask) return prefix;
    let value = prefix;
    let unit = 1;
    for (let octets = 0; octets < MAX_CONTINUATION_OCTETS; octets++) {
      if (this.#at >= end) throw new HpackError('block ends within an integer');
      const octet = buffer[this.#at++] as number;
      value += (octet & 0x7f) * unit;
      if (octet < 0x80) {
        if (value <= MAX_INTEGER) return value;
        break;
      }
      unit *= 128;
    }
    throw new HpackError('integer of more than 31 bits');
  }

  #readString(buffer: Buffer, end: number): string {
    if (this.#at >= end) throw new HpackError('block ends before a string');
    const isHuffman = (buffer[this.#at] as number) >= 0x80;
    const length = this.#readInteger(buffer, end, 0x7f);
    const start = this.#at;
    if (length > end - start) throw new HpackError(`block ends within a string of ${length} octets`);
    this.#at = start + length;
    return isHuffman ? decodeHuffman(buffer, start, this.#at) : latin1(buffer, start, this.#at);
  }
}
