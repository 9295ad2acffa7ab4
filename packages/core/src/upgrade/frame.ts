/**
 * Frames of the upgrade protocol: four bytes of length, big-endian, then that many bytes of JSON.
 */
import { upgradeError } from './upgrade-error.ts';

/** Longest body of a frame, in bytes: the table of 16,384 sockets with its state has room. */
export const MAX_FRAME_BYTES: number = 8 * 1024 * 1024;

const PREFIX_BYTES = 4;

/** @throws CirqueError when the message is too large. */
export function encodeFrame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  if (body.length > MAX_FRAME_BYTES) {
    throw upgradeError(`what is handed over has ${body.length} bytes; ${MAX_FRAME_BYTES} are allowed`);
  }
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, PREFIX_BYTES);
  return frame;
}

/** Puts frames together from the pieces in which they arrive. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  /**
   * Takes bytes and answers the values that are complete with them.
   *
   * @throws CirqueError when the bytes are not of this protocol.
   */
  push(bytes: Buffer): unknown[] {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    const values: unknown[] = [];
    while (this.#length >= PREFIX_BYTES) {
      const size = PREFIX_BYTES + this.#bodyLength();
      if (this.#length < size) break;
      const joined = this.#joined();
      values.push(parse(joined.subarray(PREFIX_BYTES, size)));
      this.#chunks = [joined.subarray(size)];
      this.#length -= size;
    }
    return values;
  }

  #bodyLength(): number {
    const first = this.#chunks[0];
    const length = (first !== undefined && first.length >= PREFIX_BYTES ? first : this.#joined()).readUInt32BE();
    if (length <= MAX_FRAME_BYTES) return length;
    throw upgradeError(`the other side does not speak the upgrade protocol (a frame of ${length} bytes)`);
  }

  #joined(): Buffer {
    const joined = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [joined];
    return joined;
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    // The text may hold secrets: it is not quoted.
    throw upgradeError('the other side does not speak the upgrade protocol (a frame that is not JSON)');
  }
}
