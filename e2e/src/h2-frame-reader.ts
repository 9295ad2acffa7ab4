/**
 * Cuts what arrives into frames.
 */
import { FRAME_HEAD_BYTES, type H2Frame } from './h2-frames.ts';

export class H2FrameReader {
  onFrame: (frame: H2Frame) => void = () => {};
  #held: Buffer[] = [];
  #size = 0;

  /** Octets of a frame that is not complete. */
  get unfinished(): number {
    return this.#size;
  }

  push(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#size += bytes.length;
    let wanted = this.#wanted();
    while (this.#size >= wanted) {
      const all = this.#joined();
      this.#held = [all.subarray(wanted)];
      this.#size -= wanted;
      this.onFrame({
        type: all.readUInt8(3),
        flags: all.readUInt8(4),
        stream: all.readUInt32BE(5) & 0x7fffffff,
        payload: all.subarray(FRAME_HEAD_BYTES, wanted),
      });
      wanted = this.#wanted();
    }
  }

  /** Size of the frame that begins with what is held. */
  #wanted(): number {
    if (this.#size < FRAME_HEAD_BYTES) return FRAME_HEAD_BYTES;
    if ((this.#held[0]?.length ?? 0) < FRAME_HEAD_BYTES) this.#joined();
    return FRAME_HEAD_BYTES + (this.#held[0] as Buffer).readUIntBE(0, 3);
  }

  #joined(): Buffer {
    const all = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = [all];
    return all;
  }
}
