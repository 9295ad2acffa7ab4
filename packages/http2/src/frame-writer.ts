/**
 * Collects frames and hands them to the sink, one write per flush.
 *
 * While the sink is full (`blocked`) only small frames may be added: what streams want to send waits in sender.ts.
 */
import {
  CONTINUATION,
  DATA,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FRAME_HEADER_BYTES,
  GOAWAY,
  HEADERS,
  MIN_MAX_FRAME_SIZE,
  PING,
  PREFACE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame.ts';
import type { HpackOutput } from './hpack/hpack-output.ts';
import type { Http2Sink } from './http2-handler.ts';
import { CHUNK_BYTES, OutputChunk } from './output-chunk.ts';

/** What is smaller is copied for the sink, so that the chunk can be used again at once. */
const COPY_BYTES = 8_192;
const USUAL_HEAD_BYTES = 2_048;
const BLOCKED_BYTES = 512;
const NOTHING: Buffer = Buffer.alloc(0);

/** One per connection. */
export class FrameWriter implements HpackOutput {
  buffer: Buffer = NOTHING;
  length = 0;
  /** The sink wants no more before `unblock`. */
  blocked = false;
  /** Bytes of frames that answer the peer, queued while blocked. */
  controlBytes = 0;
  readonly #sink: Http2Sink;
  #chunk: OutputChunk | undefined;
  /** The last frame in the buffer, when it is one of a stream that may still be added to; else 0. */
  #lastStream = 0;
  #lastAt = 0;

  constructor(sink: Http2Sink) {
    this.#sink = sink;
  }

  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    if (this.length === 0 && !this.blocked && bytes <= CHUNK_BYTES) {
      this.#chunk = OutputChunk.take();
      this.buffer = this.#chunk.buffer;
      return;
    }
    const grown = Buffer.allocUnsafeSlow(Math.max(BLOCKED_BYTES, needed * 2));
    this.buffer.copy(grown, 0, 0, this.length);
    this.#release();
    this.buffer = grown;
  }

  /** Hands over what was collected. */
  flush(): void {
    if (this.length === 0 || this.blocked) return;
    const { length } = this;
    const chunk = length > COPY_BYTES ? this.#chunk : undefined;
    // A buffer that had to grow is not used again, so it needs no copy either.
    const own = chunk !== undefined || this.#chunk === undefined;
    const bytes = own ? this.buffer.subarray(0, length) : Buffer.from(this.buffer.subarray(0, length));
    if (chunk !== undefined) this.#chunk = undefined;
    this.discard();
    this.blocked = !this.#sink.write(bytes, chunk?.release);
  }

  /** Forgets what was collected and gives the buffer back. */
  discard(): void {
    this.#release();
    this.buffer = NOTHING;
    this.length = 0;
    this.controlBytes = 0;
    this.#lastStream = 0;
  }

  preface(): void {
    this.#make(PREFACE.length);
    PREFACE.copy(this.buffer, this.length);
    this.length += PREFACE.length;
  }

  /** SETTINGS with pairs of identifier and value. */
  settings(pairs: readonly number[]): void {
    this.#frame(SETTINGS, 0, 0, pairs.length * 3);
    for (let at = 0; at < pairs.length; at += 2) {
      this.length = this.buffer.writeUInt16BE(pairs[at] as number, this.length);
      this.#uint32(pairs[at + 1] as number);
    }
  }

  settingsAck(): void {
    this.#control(SETTINGS, FLAG_ACK, 0, 0);
  }

  ping(payload: bigint): void {
    this.#frame(PING, 0, 0, 8);
    this.length = this.buffer.writeBigUInt64BE(BigInt.asUintN(64, payload), this.length);
  }

  /** Answers a PING with its payload, `buffer[start, start + 8)`. */
  pingAck(buffer: Buffer, start: number): void {
    this.#control(PING, FLAG_ACK, 0, 8);
    this.length += buffer.copy(this.buffer, this.length, start, start + 8);
  }

  windowUpdate(streamId: number, bytes: number): void {
    this.#control(WINDOW_UPDATE, 0, streamId, 4);
    this.#uint32(bytes);
  }

  reset(streamId: number, code: number): void {
    this.#control(RST_STREAM, 0, streamId, 4);
    this.#uint32(code);
  }

  goaway(lastStreamId: number, code: number, debug: string): void {
    const text = Buffer.from(debug.slice(0, 256), 'latin1');
    this.#frame(GOAWAY, 0, 0, 8 + text.length);
    this.#uint32(lastStreamId);
    this.#uint32(code);
    this.length += text.copy(this.buffer, this.length);
  }

  /** Begins a HEADERS frame, whose block the caller appends; {@link endHeaders} gets the answer. */
  beginHeaders(streamId: number, endStream: boolean): number {
    this.#make(USUAL_HEAD_BYTES);
    this.#frame(HEADERS, FLAG_END_HEADERS | (endStream ? FLAG_END_STREAM : 0), streamId, 0);
    return this.length - FRAME_HEADER_BYTES;
  }

  /** Completes the frame that begins at `at`; a long block goes on in CONTINUATION frames. */
  endHeaders(at: number): void {
    const bytes = this.length - at - FRAME_HEADER_BYTES;
    if (bytes > MIN_MAX_FRAME_SIZE) this.#split(at, bytes);
    else {
      this.buffer.writeUIntBE(bytes, at, 3);
      this.#lastStream = this.buffer.readUInt32BE(at + 5);
      this.#lastAt = at;
    }
  }

  /** DATA of at most 16,384 bytes. Pieces of a stream that follow each other share a frame. */
  data(streamId: number, buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const bytes = end - start;
    if (!this.#extend(streamId, buffer, start, end)) {
      this.#frame(DATA, 0, streamId, bytes);
      this.#lastStream = streamId;
      this.#lastAt = this.length - FRAME_HEADER_BYTES;
      this.length += buffer.copy(this.buffer, this.length, start, end);
    }
    if (endStream) this.#endLast();
  }

  /** Ends a stream: by a flag on its last frame when that is still here, else by an empty DATA frame. */
  end(streamId: number): void {
    if (this.#lastStream !== streamId) {
      this.#frame(DATA, 0, streamId, 0);
      this.#lastAt = this.length - FRAME_HEADER_BYTES;
    }
    this.#endLast();
  }

  #endLast(): void {
    const at = this.#lastAt + 4;
    this.buffer[at] = (this.buffer[at] as number) | FLAG_END_STREAM;
    this.#lastStream = 0;
  }

  #extend(streamId: number, buffer: Buffer, start: number, end: number): boolean {
    const at = this.#lastAt;
    if (this.#lastStream !== streamId || this.buffer[at + 3] !== DATA) return false;
    const bytes = this.buffer.readUIntBE(at, 3) + end - start;
    if (bytes > MIN_MAX_FRAME_SIZE || this.length + end - start > this.buffer.length) return false;
    this.buffer.writeUIntBE(bytes, at, 3);
    this.length += buffer.copy(this.buffer, this.length, start, end);
    return true;
  }

  /** Puts CONTINUATION headers into a block that is too long for one frame. */
  #split(at: number, bytes: number): void {
    const more = Math.ceil(bytes / MIN_MAX_FRAME_SIZE) - 1;
    this.reserve(more * FRAME_HEADER_BYTES);
    const { buffer } = this;
    const block = at + FRAME_HEADER_BYTES;
    const id = buffer.readUInt32BE(at + 5);
    for (let frame = more; frame > 0; frame--) {
      const from = block + frame * MIN_MAX_FRAME_SIZE;
      const size = Math.min(MIN_MAX_FRAME_SIZE, block + bytes - from);
      const to = from + frame * FRAME_HEADER_BYTES;
      buffer.copyWithin(to, from, from + size);
      writeFrameHeader(buffer, to - FRAME_HEADER_BYTES, size, CONTINUATION, frame === more ? FLAG_END_HEADERS : 0, id);
    }
    buffer.writeUIntBE(MIN_MAX_FRAME_SIZE, at, 3);
    buffer[at + 4] = (buffer[at + 4] as number) & ~FLAG_END_HEADERS;
    this.length += more * FRAME_HEADER_BYTES;
  }

  #control(type: number, flags: number, streamId: number, bytes: number): void {
    this.#frame(type, flags, streamId, bytes);
    this.controlBytes += FRAME_HEADER_BYTES + bytes;
  }

  #frame(type: number, flags: number, streamId: number, bytes: number): void {
    this.#make(FRAME_HEADER_BYTES + bytes);
    writeFrameHeader(this.buffer, this.length, bytes, type, flags, streamId);
    this.length += FRAME_HEADER_BYTES;
    this.#lastStream = 0;
  }

  /** Room for a frame: a full chunk goes out first. */
  #make(bytes: number): void {
    if (this.length + bytes > CHUNK_BYTES) this.flush();
    this.reserve(bytes);
  }

  #uint32(value: number): void {
    this.length = this.buffer.writeUInt32BE(value, this.length);
  }

  #release(): void {
    this.#chunk?.release();
    this.#chunk = undefined;
  }
}

function writeFrameHeader(
  buffer: Buffer,
  at: number,
  bytes: number,
  type: number,
  flags: number,
  streamId: number,
): void {
  buffer.writeUIntBE(bytes, at, 3);
  buffer[at + 3] = type;
  buffer[at + 4] = flags;
  buffer.writeUInt32BE(streamId, at + 5);
}
