/**
 * Text to Huffman-coded strings (RFC 7541 section 5.2), where that is shorter.
 */
import { CODE_LENGTHS, CODES } from './huffman-code.ts';

/** Longer codes belong to octets that no ordinary text has; with them the code does not pay. */
const MAX_CODE_BITS = 24;

/** Each octet's code and, in the low five bits, its length; 0 where the code is too long to pay. One look instead of two. */
const PACKED = Int32Array.from({ length: 256 }, (_, octet) => {
  const length = CODE_LENGTHS[octet] as number;
  return length > MAX_CODE_BITS ? 0 : ((CODES[octet] as number) << 5) | length;
});

/** Octets that {@link encodeHuffman} may touch for a text of this length. */
export function huffmanRoom(characters: number): number {
  return characters + MAX_CODE_BITS / 8 + 1;
}

/**
 * Writes the code of `text` at `at` and answers its length; 0 when it is not shorter than the text.
 *
 * The buffer must have {@link huffmanRoom}; what was touched behind the answer is of no meaning.
 */
export function encodeHuffman(text: string, buffer: Buffer, at: number): number {
  const limit = at + text.length;
  let out = at;
  let bits = 0;
  let pending = 0;
  for (let i = 0; i < text.length; i++) {
    // A character that is no octet has no code either.
    const packed = PACKED[text.charCodeAt(i)];
    if (packed === undefined || packed === 0 || out >= limit) return 0;
    const length = packed & 31;
    bits = (bits << length) | (packed >>> 5);
    pending += length;
    while (pending >= 8) {
      pending -= 8;
      buffer[out++] = bits >>> pending;
    }
  }
  if (pending > 0) buffer[out++] = (bits << (8 - pending)) | (0xff >>> pending);
  return out < limit ? out - at : 0;
}
