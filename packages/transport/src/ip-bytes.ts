/**
 * IP addresses as the bytes that protocols carry, in network order.
 */
import { isIPv4, isIPv6 } from 'node:net';

/**
 * 4 bytes of an IPv4 address, 16 of an IPv6 address (a zone such as `%eth0` is left out), undefined for other text.
 */
export function ipToBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (!isIPv6(text)) return undefined;
  const [plain = ''] = text.split('%');
  // The last four bytes may be written as IPv4: ::ffff:192.0.2.1.
  const colon = plain.lastIndexOf(':') + 1;
  const tail = isIPv4(plain.slice(colon)) ? Buffer.from(plain.slice(colon).split('.').map(Number)) : undefined;
  const words = tail === undefined ? plain : `${plain.slice(0, colon)}${hex(tail, 0)}:${hex(tail, 2)}`;
  const [before = '', after = ''] = words.split('::');
  const [head, rest] = [wordsOf(before), wordsOf(after)];
  const all = [...head, ...new Array<number>(8 - head.length - rest.length).fill(0), ...rest];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

/** The text of 4 or 16 bytes. IPv6 in its short form (RFC 5952), an IPv4-mapped address as plain IPv4. */
export function ipFromBytes(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.subarray(0, 12).equals(MAPPED_PREFIX)) return bytes.subarray(12).join('.');
  const words = Array.from({ length: 8 }, (_, index) => hex(bytes, index * 2));
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1);
}

/** 16 bytes for both families: IPv4 becomes the mapped address ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). */
export function toSixteen(bytes: Buffer): Buffer {
  return bytes.length === 16 ? bytes : Buffer.concat([MAPPED_PREFIX, bytes]);
}

const MAPPED_PREFIX = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

function hex(bytes: Buffer, offset: number): string {
  return bytes.readUInt16BE(offset).toString(16);
}

function wordsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
}
