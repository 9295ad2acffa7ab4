/**
 * Huffman-coded strings to text, eight bits per step (RFC 7541 section 5.2).
 *
 * A state is an inner node of the code's tree. Steps of one bit are joined to steps of two, four and eight bits.
 */

import { latin1 } from '@cirque/http';
import { HpackError } from './hpack-error.ts';
import { CODE_LENGTHS, CODES, END_OF_STRING } from './huffman-code.ts';

/** A step is packed: next state (8 bits), first symbol (8), second symbol (8), number of symbols (2), fault (1). */
const SYMBOL = 8;
const COUNT = 24;
const FAULT = 1 << 26;

/** The shortest code has 5 bits, so 8 bits give 1.6 octets at most. */
const MAX_EXPANSION = 1.6;
/** What most strings need; a longer one gets a buffer of its own that is not kept. */
const SCRATCH_BYTES = 4_096;

let steps: Uint32Array | undefined;
/** 1 for states in which a string may end: fewer than 8 bits since the last symbol, all of them ones. */
const mayEnd = new Uint8Array(256);
let scratch: Buffer | undefined;

/**
 * The text of a Huffman-coded string.
 *
 * @throws HpackError when it holds the end-of-string symbol, or ends within a symbol or in padding that is not ones.
 */
export function decodeHuffman(buffer: Buffer, start: number, end: number): string {
  steps ??= buildSteps();
  const out = outputFor(end - start);
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const step = steps[(state << 8) | (buffer[at] as number)] as number;
    const count = step >>> COUNT;
    if (count !== 0) {
      out[length++] = step >>> SYMBOL;
      if (count === 2) out[length++] = step >>> (2 * SYMBOL);
      else if (count !== 1) throw new HpackError('Huffman-coded string holds the end-of-string symbol');
    }
    state = step & 0xff;
  }
  if (mayEnd[state] !== 1) throw new HpackError('Huffman-coded string ends in wrong padding');
  return latin1(out, 0, length);
}

function outputFor(codedBytes: number): Buffer {
  const bytes = Math.ceil(codedBytes * MAX_EXPANSION) + 1;
  if (bytes > SCRATCH_BYTES) return Buffer.allocUnsafe(bytes);
  scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  return scratch;
}

/** 65,536 steps, 256 KiB, once per thread and only when a Huffman-coded string arrives. */
function buildSteps(): Uint32Array {
  let table = bitSteps();
  for (let bits = 1; bits < 8; bits *= 2) table = joined(table, bits);
  return table;
}

/** Steps of one bit: the tree itself, states in the order in which codes reach them. */
function bitSteps(): Uint32Array {
  const table = new Uint32Array(512);
  let states = 1;
  for (let symbol = 0; symbol <= END_OF_STRING; symbol++) {
    const code = CODES[symbol] as number;
    let state = 0;
    for (let bit = (CODE_LENGTHS[symbol] as number) - 1; bit > 0; bit--) {
      const at = (state << 1) | ((code >>> bit) & 1);
      if (table[at] === 0) table[at] = states++;
      state = table[at] as number;
    }
    table[(state << 1) | (code & 1)] = symbol === END_OF_STRING ? FAULT : (1 << COUNT) | (symbol << SYMBOL);
  }
  let state = 0;
  for (let ones = 0; ones < 8; ones++) {
    mayEnd[state] = 1;
    state = table[(state << 1) | 1] as number;
  }
  return table;
}

/** Steps of twice as many bits. */
function joined(table: Uint32Array, bits: number): Uint32Array {
  const values = 1 << bits;
  const result = new Uint32Array(256 * values * values);
  for (let at = 0; at < result.length; at++) {
    const first = table[at >>> bits] as number;
    const second = table[((first & 0xff) << bits) | (at & (values - 1))] as number;
    const shift = (first >>> COUNT) & 3 ? SYMBOL : 0;
    const symbols = (first & 0xffff00) | (((second & 0xffff00) << shift) & 0xffff00);
    result[at] =
      (second & 0xff) | symbols | ((first & (3 << COUNT)) + (second & (3 << COUNT))) | ((first | second) & FAULT);
  }
  return result;
}
