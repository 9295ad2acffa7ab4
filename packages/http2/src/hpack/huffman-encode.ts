/**
 * Text to Huffman-coded strings (RFC 7541 section 5.2), where that is shorter.
 */
import { CODE_LENGTHS, CODES } from './huffman-code.ts';

/** Longer codes belong to octets that no ordinary text has; with them the code does not pay. */
const MAX_CODE_BITS = 24;

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
    const octet = text.charCodeAt(i);
    const length = CODE_LENGTHS[octet] as number;
    // Written so that a character that is no octet, and so has no code, is declined too.
    if (!(length <= MAX_CODE_BITS) || out >= limit) return 0;
    bits = (bits << length) | (CODES[octet] as number);
    pending += length;
    while (pending >= 8) {
      pending -= 8;
      buffer[out++] = bits >>> pending;
    }
  }
  if (pending > 0) buffer[out++] = (bits << (8 - pending)) | (0xff >>> pending);
  return out < limit ? out - at : 0;
}
