/**
 * CRC-32 as nginx and zlib compute it: polynomial 0xEDB88320, reflected, inverted at start and end.
 *
 * Written out instead of calling node:zlib because a ring continues one checksum millions of times with four bytes,
 * and because text is hashed here without encoding it first. The tests compare with node:zlib.
 */

/** What eight shifts of each byte do. Signed, so that intermediate values stay small integers for the engine. */
const TABLE: Int32Array = /* @__PURE__ */ makeTable();

/** The state before the first byte. */
export const CRC32_START = -1;

function makeTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
    return value;
  });
}

/** The state after one more byte. */
export function addByte(state: number, byte: number): number {
  return (state >>> 8) ^ (TABLE[(state ^ byte) & 0xff] as number);
}

/** The state after the four bytes of a 32-bit number, lowest first. */
export function addUint32(state: number, value: number): number {
  return addByte(addByte(addByte(addByte(state, value), value >>> 8), value >>> 16), value >>> 24);
}

/** The state after all bytes. */
export function addBytes(state: number, bytes: Uint8Array): number {
  let next = state;
  for (let i = 0; i < bytes.length; i += 1) {
    next = (next >>> 8) ^ (TABLE[(next ^ (bytes[i] as number)) & 0xff] as number);
  }
  return next;
}

/** The state after the UTF-8 form of the text; a lone surrogate counts as U+FFFD, as everywhere in Node. */
export function addText(state: number, text: string): number {
  let next = state;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      next = (next >>> 8) ^ (TABLE[(next ^ unit) & 0xff] as number);
    } else {
      const point = text.codePointAt(i) as number;
      if (point > 0xffff) i += 1;
      next = addCodePoint(next, point);
    }
  }
  return next;
}

function addCodePoint(state: number, point: number): number {
  const scalar = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
  if (scalar < 0x800) return addByte(addByte(state, 0xc0 | (scalar >> 6)), 0x80 | (scalar & 0x3f));
  const head =
    scalar < 0x10000
      ? addByte(state, 0xe0 | (scalar >> 12))
      : addByte(addByte(state, 0xf0 | (scalar >> 18)), 0x80 | ((scalar >> 12) & 0x3f));
  return addByte(addByte(head, 0x80 | ((scalar >> 6) & 0x3f)), 0x80 | (scalar & 0x3f));
}

/** The checksum of a key as a signed number: never allocates, unlike one above 2,147,483,647 might. */
export function crc32Signed(key: string | Uint8Array): number {
  return ~(typeof key === 'string' ? addText(CRC32_START, key) : addBytes(CRC32_START, key));
}

/** The checksum of a key, from 0 to 4,294,967,295; text is hashed in its UTF-8 form. Equals `zlib.crc32`. */
export function crc32(key: string | Uint8Array): number {
  return crc32Signed(key) >>> 0;
}
