/**
 * A header block that comes in several frames (RFC 9113 section 6.10), within its limits.
 */

/** The block of a HEADERS frame without END_HEADERS, until its last CONTINUATION. */
export class HeaderBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly selfDependent: boolean;
  bytes: Buffer;
  length = 0;
  /** CONTINUATION frames so far. */
  continuations = 0;

  constructor(streamId: number, endStream: boolean, selfDependent: boolean) {
    this.streamId = streamId;
    this.endStream = endStream;
    this.selfDependent = selfDependent;
    this.bytes = Buffer.alloc(0);
  }

  append(buffer: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(needed * 2);
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    this.length += buffer.copy(this.bytes, this.length, start, end);
  }
}
