/**
 * Trailers as the last frame of a gRPC-Web body: flag 0x80, length, and lines as in HTTP/1 with names in lower case.
 */
import type { HeaderMap } from '@cirque/http';

const TRAILER_FLAG = 0x80;
const PREFIX_BYTES = 5;

/** The frame for these trailers. */
export function trailerFrame(trailers: HeaderMap): Buffer {
  let lines = '';
  trailers.forEach((name, value) => {
    lines += `${name.toLowerCase()}: ${value}\r\n`;
  });
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + lines.length);
  frame[0] = TRAILER_FLAG;
  frame.writeUInt32BE(lines.length, 1);
  frame.write(lines, PREFIX_BYTES, 'latin1');
  return frame;
}
