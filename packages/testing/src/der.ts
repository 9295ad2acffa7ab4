/**
 * Writes DER, the byte form of ASN.1 (ITU-T X.690): as much of it as a certificate needs.
 *
 * Each function answers the complete bytes of one value, so that values nest as the calls do.
 */

/** Tags of the values that need no other treatment of their content than a length. */
const TAG = { integer: 2, bits: 3, octets: 4, oid: 6, utf8: 12, utcTime: 23, time: 24, sequence: 0x30, set: 0x31 };

/** A value with any tag and its content. */
export function tagged(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body]);
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return tagged(TAG.sequence, ...content);
}

export function set(...content: readonly Uint8Array[]): Buffer {
  return tagged(TAG.set, ...content);
}

/** A whole number that is not negative, given as bytes in network order. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.alloc(1) : Buffer.from(bytes.subarray(first));
  // The highest bit is the sign.
  return (digits[0] as number) < 0x80
    ? tagged(TAG.integer, digits)
    : tagged(TAG.integer, Buffer.concat([Buffer.alloc(1), digits]));
}

export function boolean(value: boolean): Buffer {
  return tagged(1, Buffer.from([value ? 0xff : 0]));
}

/** A string of bits that fills whole bytes, or leaves the last `unused` bits of them out. */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return tagged(TAG.bits, Buffer.from([unused]), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return tagged(TAG.octets, bytes);
}

/** An object identifier from its dotted text. */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return tagged(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

export function utf8(text: string): Buffer {
  return tagged(TAG.utf8, Buffer.from(text));
}

/** A point in time, in the form that RFC 5280 section 4.1.2.5 asks for: two digits of the year until 2049. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050
    ? tagged(TAG.utcTime, Buffer.from(digits.slice(2)))
    : tagged(TAG.time, Buffer.from(digits));
}

function lengthOf(bytes: number): number[] {
  if (bytes < 0x80) return [bytes];
  const digits: number[] = [];
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return [0x80 + digits.length, ...digits];
}

function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 + (rest % 128));
  return digits;
}
