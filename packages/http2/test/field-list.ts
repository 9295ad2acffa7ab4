/** A sink that keeps what it gets. */
import type { FieldSink, HpackDecoder } from '../src/hpack/decoder.ts';

export class FieldList implements FieldSink {
  readonly fields: [name: string, value: string][] = [];
  readonly neverIndexed: string[] = [];

  field(name: string, value: string, neverIndexed: boolean): void {
    this.fields.push([name, value]);
    if (neverIndexed) this.neverIndexed.push(name);
  }
}

/** One block, given as bytes or as hexadecimal digits with blanks. */
export function decodeBlock(decoder: HpackDecoder, block: Buffer | string): [name: string, value: string][] {
  const list = new FieldList();
  const bytes = typeof block === 'string' ? fromHex(block) : block;
  decoder.decode(bytes, 0, bytes.length, list);
  return list.fields;
}

export function fromHex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex');
}
