/**
 * Remembers the request body that was sent, so that a failed attempt can be repeated (Pingora's retry buffer).
 */

/** Bytes remembered; a longer body cannot be replayed. */
export const REPLAY_BUFFER_BYTES = 65_536;

/** See the file's head. */
export class ReplayBuffer {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** More came than is remembered: no replay any more. */
  overflowed = false;

  /** Notes a piece of the body, from before the filters. */
  record(buffer: Buffer, start: number, end: number): void {
    if (this.overflowed) return;
    this.#bytes += end - start;
    if (this.#bytes > REPLAY_BUFFER_BYTES) {
      this.overflowed = true;
      this.#pieces = [];
      return;
    }
    this.#pieces.push(Buffer.from(buffer.subarray(start, end)));
  }

  /** A body that was read beforehand, of any size: it is kept whole. */
  static holding(body: Buffer): ReplayBuffer {
    const replay = new ReplayBuffer();
    replay.#pieces = body.length > 0 ? [body] : [];
    replay.#bytes = body.length;
    return replay;
  }

  /** Everything so far as one piece. */
  get bytes(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] as Buffer;
  }
}
