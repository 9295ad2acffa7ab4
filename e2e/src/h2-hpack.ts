/**
 * HPACK for tests: a writer that says exactly which representation it uses, and a strict reader (RFC 7541).
 *
 * Shares no code with the proxy, and cares for neither speed nor size.
 */
import { HUFFMAN, STATIC_TABLE } from './h2-hpack-tables.ts';

export type H2Field = readonly [name: string, value: string];

const HUFFMAN_CODES = new Map(Array.from(HUFFMAN, ([code, symbol]) => [symbol, code]));

/** An integer behind a pattern that leaves `prefix` bits (section 5.1). */
export function integer(pattern: number, prefix: number, value: number): Buffer {
  const mask = 2 ** prefix - 1;
  if (value < mask) return Buffer.from([pattern | value]);
  const octets = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 128);
  return Buffer.from([...octets, rest]);
}

export function plainString(text: string): Buffer {
  return Buffer.concat([integer(0, 7, text.length), Buffer.from(text, 'latin1')]);
}

export function huffmanString(text: string): Buffer {
  const bits = Array.from(Buffer.from(text, 'latin1'), (octet) => HUFFMAN_CODES.get(octet)).join('');
  return huffmanBits(bits.padEnd(Math.ceil(bits.length / 8) * 8, '1'));
}

/** A string of these bits, whatever they mean; their number is a multiple of 8. */
export function huffmanBits(bits: string): Buffer {
  const octets = Array.from({ length: bits.length / 8 }, (_, at) => Number.parseInt(bits.slice(8 * at, 8 * at + 8), 2));
  return Buffer.concat([integer(0x80, 7, octets.length), Buffer.from(octets)]);
}

export function indexed(index: number): Buffer {
  return integer(0x80, 7, index);
}

export function sizeUpdate(bytes: number): Buffer {
  return integer(0x20, 5, bytes);
}

export type Representation = 'indexed' | 'not-indexed' | 'never-indexed';

/** A literal field; `name` may be an index. */
export function literal(
  name: string | number,
  value: string,
  representation: Representation = 'not-indexed',
  string: (text: string) => Buffer = plainString,
): Buffer {
  const [pattern, prefix] = { indexed: [0x40, 6], 'not-indexed': [0, 4], 'never-indexed': [0x10, 4] }[
    representation
  ] as [number, number];
  const nameBytes =
    typeof name === 'number' ? [integer(pattern, prefix, name)] : [Buffer.from([pattern]), string(name)];
  return Buffer.concat([...nameBytes, string(value)]);
}

/** A block of literals that touch no table. */
export function block(fields: readonly H2Field[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => literal(name, value)));
}

/** One direction of a connection. Throws an Error for whatever is not well-formed. */
export class HpackReader {
  #table: H2Field[] = [];
  #maxSize = 4_096;
  /** What our side allows: more from the time it says so, less from the acknowledgement on. */
  limit: number = 4_096;

  decode(bytes: Buffer): H2Field[] {
    const fields: H2Field[] = [];
    const cursor = new Cursor(bytes);
    while (!cursor.atEnd && cursor.peek() >> 5 === 1) this.#resize(cursor.integer(5), 0);
    if (this.#maxSize > this.limit) throw new Error(`no table size update to ${this.limit}`);
    while (!cursor.atEnd) {
      const octet = cursor.peek();
      if (octet >= 0x80) fields.push(this.#entry(cursor.integer(7)));
      else if (octet >= 0x40) this.#add(this.#literal(cursor, 6, fields));
      else if (octet < 0x20) this.#literal(cursor, 4, fields);
      else this.#resize(cursor.integer(5), fields.length);
    }
    return fields;
  }

  #literal(cursor: Cursor, prefix: number, fields: H2Field[]): H2Field {
    const index = cursor.integer(prefix);
    const name = index === 0 ? cursor.string() : this.#entry(index)[0];
    const field: H2Field = [name, cursor.string()];
    fields.push(field);
    return field;
  }

  #entry(index: number): H2Field {
    const field = index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table[index - STATIC_TABLE.length - 1];
    if (field === undefined) throw new Error(`index ${index} is in no table`);
    return field;
  }

  #add(field: H2Field): void {
    this.#table.unshift(field);
    this.#trim();
  }

  #resize(size: number, fieldsBefore: number): void {
    if (fieldsBefore > 0) throw new Error('table size update after a field');
    if (size > this.limit) throw new Error(`table size update to ${size}, allowed were ${this.limit}`);
    this.#maxSize = size;
    this.#trim();
  }

  #trim(): void {
    const size = (): number => this.#table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    while (size() > this.#maxSize) this.#table.pop();
  }
}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  peek(): number {
    return this.#bytes.readUInt8(this.#at);
  }

  integer(prefix: number): number {
    const mask = 2 ** prefix - 1;
    let value = this.#bytes.readUInt8(this.#at++) & mask;
    if (value < mask) return value;
    for (let unit = 1; ; unit *= 128) {
      const octet = this.#bytes.readUInt8(this.#at++);
      value += (octet & 127) * unit;
      if (octet < 128) return value;
    }
  }

  string(): string {
    const isHuffman = this.peek() >= 0x80;
    const length = this.integer(7);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error('string beyond the end of the block');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return isHuffman ? huffmanText(bytes) : bytes.toString('latin1');
  }
}

function huffmanText(bytes: Buffer): string {
  const symbols: number[] = [];
  let code = '';
  for (const bit of Array.from(bytes, (octet) => octet.toString(2).padStart(8, '0')).join('')) {
    code += bit;
    const symbol = HUFFMAN.get(code);
    if (symbol === undefined) continue;
    if (symbol === 256) throw new Error('end-of-string symbol in a string');
    symbols.push(symbol);
    code = '';
  }
  if (code.length > 7 || code.includes('0')) throw new Error(`string ends in padding ${code}`);
  return Buffer.from(symbols).toString('latin1');
}
