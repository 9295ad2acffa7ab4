/**
 * Pieces of messages, and halves of them.
 */

export function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** The first half, cut in the payload and not at a border of it. */
export function half<T extends string | Buffer>(bytes: T): T {
  return bytes.slice(0, bytes.length - 4) as T;
}

/** Octets that are sent at once where much is sent. */
export const POURED = 65_536;
