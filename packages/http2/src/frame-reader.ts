/**
 * Cuts the byte stream into frames. What the frames mean is the business of inbound.ts.
 *
 * Sizes are checked before anything is kept. DATA passes through in the pieces that it comes in; other payloads are reported
 * whole, kept only when they come in pieces; unknown frames are skipped.
 */
import { ErrorCode } from './error-code.ts';
import { CONTINUATION, DATA, FLAG_PADDED, FRAME_HEADER_BYTES, lengthProblem, PREFACE } from './frame.ts';

/** Takes what the reader finds. */
export interface FrameSink {
  /** Any known frame but DATA: its payload is `buffer[start, end)`, valid during the call. */
  onFrame(type: number, flags: number, streamId: number, buffer: Buffer, start: number, end: number): void;
  /** The header of a DATA frame; `length` counts padding too. */
  onDataStart(flags: number, streamId: number, length: number): void;
  onDataPiece(buffer: Buffer, start: number, end: number): void;
  /** Bytes of a DATA frame that are no data: padding and its length. */
  onDataPadding(bytes: number): void;
  onDataEnd(): void;
  /** A frame of a type that RFC 9113 does not know begins. */
  onUnknownFrame(): void;
  /** The bytes are no frames; the reader has stopped. */
  onFrameError(code: number, message: string): void;
}

const NOTHING: Buffer = Buffer.alloc(0);

type State = 'preface' | 'header' | 'payload' | 'data' | 'skip';

/** One per connection. */
export class FrameReader {
  /** Longer frames end the connection. */
  maxFrameSize: number;
  readonly #sink: FrameSink;
  #state: State;
  #stopped = false;
  /** Frames whose header has come. */
  #begun = 0;
  /** The frame being read. */
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Payload bytes still to come, without those of {@link #padding}. */
  #left = 0;
  #padding = 0;
  #padded = false;
  /** A preface, header or payload that came in pieces. */
  #kept: Buffer = NOTHING;
  #keptBytes = 0;

  constructor(sink: FrameSink, maxFrameSize: number, expectPreface: boolean) {
    this.#sink = sink;
    this.maxFrameSize = maxFrameSize;
    this.#state = expectPreface ? 'preface' : 'header';
  }

  /** The number of the frame of which some, not all, has come; 0 when there is none, or when it is DATA. */
  get unfinished(): number {
    if (this.#state === 'payload' || this.#state === 'skip') return this.#begun;
    return this.#state === 'header' && this.#keptBytes > 0 ? this.#begun + 1 : 0;
  }

  /** Reads nothing more, from within a callback too. */
  stop(): void {
    this.#stopped = true;
    this.#kept = NOTHING;
  }

  feed(buffer: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#stopped) {
      switch (this.#state) {
        case 'header':
          at = this.#readHeader(buffer, at, end);
          break;
        case 'payload':
          at = this.#readPayload(buffer, at, end);
          break;
        case 'data':
          at = this.#readData(buffer, at, end);
          break;
        case 'skip':
          at = this.#skip(at, end);
          break;
        case 'preface':
          at = this.#readPreface(buffer, at, end);
          break;
      }
    }
  }

  #readPreface(buffer: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#keptBytes < PREFACE.length) {
      if (buffer[at++] === PREFACE[this.#keptBytes++]) continue;
      this.#fail(ErrorCode.PROTOCOL_ERROR, 'the client does not begin with the connection preface');
      return end;
    }
    if (this.#keptBytes === PREFACE.length) this.#expectHeader();
    return at;
  }

  #readHeader(buffer: Buffer, start: number, end: number): number {
    if (this.#keptBytes === 0 && end - start >= FRAME_HEADER_BYTES) {
      this.#begin(buffer, start);
      return start + FRAME_HEADER_BYTES;
    }
    const at = this.#keep(buffer, start, end, FRAME_HEADER_BYTES);
    if (this.#keptBytes < FRAME_HEADER_BYTES) return at;
    const header = this.#kept;
    this.#expectHeader();
    this.#begin(header, 0);
    return at;
  }

  #begin(header: Buffer, at: number): void {
    this.#begun += 1;
    const length = header.readUIntBE(at, 3);
    this.#type = header[at + 3] as number;
    this.#flags = header[at + 4] as number;
    this.#streamId = header.readUInt32BE(at + 5) & 0x7fff_ffff;
    this.#left = length;
    if (length > this.maxFrameSize) {
      this.#fail(ErrorCode.FRAME_SIZE_ERROR, `a frame of ${length} bytes, at most ${this.maxFrameSize} are accepted`);
      return;
    }
    const problem = lengthProblem(this.#type, this.#flags, length);
    if (problem !== undefined) this.#fail(ErrorCode.FRAME_SIZE_ERROR, problem);
    else if (this.#type === DATA) this.#beginData(length);
    else if (this.#type > CONTINUATION) this.#beginUnknown(length);
    else if (length > 0) this.#state = 'payload';
    else this.#sink.onFrame(this.#type, this.#flags, this.#streamId, NOTHING, 0, 0);
  }

  #beginUnknown(length: number): void {
    if (length > 0) this.#state = 'skip';
    this.#sink.onUnknownFrame();
  }

  #beginData(length: number): void {
    this.#padded = (this.#flags & FLAG_PADDED) !== 0;
    this.#padding = 0;
    if (length > 0) this.#state = 'data';
    this.#sink.onDataStart(this.#flags, this.#streamId, length);
    if (length === 0 && !this.#stopped) this.#sink.onDataEnd();
  }

  #readData(buffer: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#padded) {
      this.#padded = false;
      this.#padding = buffer[at++] as number;
      this.#left -= 1 + this.#padding;
      if (this.#left < 0) {
        this.#fail(ErrorCode.PROTOCOL_ERROR, 'the padding of a DATA frame is longer than the frame');
        return end;
      }
      this.#sink.onDataPadding(1);
    }
    const bytes = Math.min(this.#left, end - at);
    if (bytes > 0) {
      this.#left -= bytes;
      at += bytes;
      this.#sink.onDataPiece(buffer, at - bytes, at);
    }
    if (this.#left > 0) return at;
    const padding = Math.min(this.#padding, end - at);
    if (padding > 0) {
      this.#padding -= padding;
      at += padding;
      this.#sink.onDataPadding(padding);
    }
    if (this.#padding > 0 || this.#stopped) return at;
    this.#state = 'header';
    this.#sink.onDataEnd();
    return at;
  }

  #readPayload(buffer: Buffer, start: number, end: number): number {
    if (this.#keptBytes === 0 && end - start >= this.#left) {
      this.#state = 'header';
      this.#sink.onFrame(this.#type, this.#flags, this.#streamId, buffer, start, start + this.#left);
      return start + this.#left;
    }
    const at = this.#keep(buffer, start, end, this.#left);
    if (this.#keptBytes < this.#left) return at;
    const payload = this.#kept;
    this.#expectHeader();
    this.#sink.onFrame(this.#type, this.#flags, this.#streamId, payload, 0, this.#left);
    return at;
  }

  #skip(start: number, end: number): number {
    const bytes = Math.min(this.#left, end - start);
    this.#left -= bytes;
    if (this.#left === 0) this.#state = 'header';
    return start + bytes;
  }

  /** Keeps bytes until there are `wanted`. The room grows with what came, not with what was announced. */
  #keep(buffer: Buffer, start: number, end: number, wanted: number): number {
    const bytes = Math.min(wanted - this.#keptBytes, end - start);
    const needed = this.#keptBytes + bytes;
    if (needed > this.#kept.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(wanted, Math.max(64, needed * 2)));
      this.#kept.copy(grown, 0, 0, this.#keptBytes);
      this.#kept = grown;
    }
    buffer.copy(this.#kept, this.#keptBytes, start, start + bytes);
    this.#keptBytes = needed;
    return start + bytes;
  }

  #expectHeader(): void {
    this.#state = 'header';
    this.#kept = NOTHING;
    this.#keptBytes = 0;
  }

  #fail(code: number, message: string): void {
    this.stop();
    this.#sink.onFrameError(code, message);
  }
}
