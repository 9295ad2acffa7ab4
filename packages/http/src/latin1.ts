/**
 * Bytes to text, one character per byte: how heads and small bodies become strings.
 */

// Node's own binding behind toString('latin1', start, end); it skips the encoding lookup (measured: 20 ns of 100).
interface Latin1Buffer {
  latin1Slice(start: number, end: number): string;
}

/** `buffer[start, end)` as text whose character codes are the bytes. */
export function latin1(buffer: Buffer, start: number, end: number): string {
  return (buffer as unknown as Latin1Buffer).latin1Slice(start, end);
}
