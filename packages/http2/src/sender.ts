/**
 * Sends what streams write, as far as the windows and the sink allow, and the rest in turns of one frame per stream.
 *
 * A stream with waiting output is in `#ready` when its own window lets it go on; what keeps it then is the window of the
 * connection or a full sink. Heads are encoded when they are sent, so that HPACK and the wire agree on their order.
 */
import type { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import type { ConnectionCore } from './connection-core.ts';
import { ErrorCode } from './error-code.ts';
import { DEFAULT_WINDOW, MAX_WINDOW, MIN_MAX_FRAME_SIZE } from './frame.ts';
import { HeadEncoder, type RequestPseudo } from './head-encoder.ts';
import type { EngineStream } from './stream.ts';
import { StreamOutput } from './stream-output.ts';

/** More waiting bytes than this ask the writer of a stream to stop. */
const HIGH_WATER = 16_384;
const LOW_WATER = 8_192;
/** A frame that the peer's window made smaller than this justifies no frame of the peer. */
const MIN_USEFUL_BYTES = 128;

/** One per connection. */
export class Sender {
  readonly #core: ConnectionCore;
  readonly encoder: HeadEncoder;
  readonly #ready = new Set<EngineStream>();
  /** What the peer takes on all streams together. */
  #window: number = DEFAULT_WINDOW;
  #pumping = false;

  constructor(core: ConnectionCore) {
    this.#core = core;
    this.encoder = new HeadEncoder(core.writer);
  }

  /** Client: goes out at once, because streams must begin in the order of their numbers. */
  request(stream: EngineStream, header: RequestHeader, target: RequestPseudo, endStream: boolean): void {
    this.encoder.request(stream.id, header, target, endStream);
    if (endStream) this.#endSent(stream);
  }

  head(stream: EngineStream, header: ResponseHeader, endStream: boolean): void {
    if (stream.output === undefined && !this.#core.writer.blocked) {
      this.encoder.response(stream.id, header, endStream);
      if (endStream) this.#endSent(stream);
      return;
    }
    stream.output ??= new StreamOutput();
    stream.output.heads ??= [];
    stream.output.heads.push(header.clone());
    stream.output.ended = endStream;
    this.#ready.add(stream);
  }

  /** False: more than enough waits. */
  data(stream: EngineStream, buffer: Buffer, start: number, end: number): boolean {
    let at = start;
    // Whoever waits goes first.
    if (stream.output === undefined && this.#ready.size === 0) at = this.#write(stream, buffer, start, end, false);
    if (at < end) {
      stream.output ??= new StreamOutput();
      stream.output.body.push(buffer, at, end);
      if (stream.sendWindow > 0) this.#ready.add(stream);
    }
    if (stream.bytesQueued <= HIGH_WATER) return true;
    stream.wantsWritable = true;
    return false;
  }

  end(stream: EngineStream, trailers: HeaderMap | undefined): void {
    if (stream.output === undefined && !this.#core.writer.blocked) {
      this.#writeEnd(stream, trailers);
      return;
    }
    stream.output ??= new StreamOutput();
    stream.output.ended = true;
    stream.output.trailers = trailers?.clone();
    if (this.#canGoOn(stream)) this.#ready.add(stream);
  }

  /** The peer takes more on all streams. False: more than a window can be. */
  widen(bytes: number): boolean {
    this.#window += bytes;
    return this.#window <= MAX_WINDOW;
  }

  /** The peer takes more, or less, on a stream. False: more than a window can be. */
  widenStream(stream: EngineStream, bytes: number): boolean {
    stream.sendWindow += bytes;
    if (this.#canGoOn(stream)) this.#ready.add(stream);
    return stream.sendWindow <= MAX_WINDOW;
  }

  /** Sends what waits, a frame of each stream in turn, until nothing more can go. */
  pump(): void {
    if (this.#pumping || this.#ready.size === 0) return;
    this.#pumping = true;
    let idleTurns = 0;
    while (idleTurns < this.#ready.size && !this.#core.writer.blocked && !this.#core.dead) {
      const stream = this.#ready.values().next().value as EngineStream;
      this.#ready.delete(stream);
      idleTurns = this.#turn(stream) ? 0 : idleTurns + 1;
      if (this.#canGoOn(stream)) this.#ready.add(stream);
    }
    this.#pumping = false;
  }

  close(): void {
    this.#ready.clear();
  }

  /** True when the stream's own window does not keep it from sending what waits. */
  #canGoOn(stream: EngineStream): boolean {
    const { output } = stream;
    return output !== undefined && (output.body.bytes === 0 || output.heads !== undefined || stream.sendWindow > 0);
  }

  /** True when something was sent. */
  #turn(stream: EngineStream): boolean {
    const { output } = stream;
    if (output === undefined) return false;
    let sent = this.#sendHeads(stream, output);
    const { front } = output.body;
    if (front !== undefined) {
      const end = Math.min(front.end, front.start + MIN_MAX_FRAME_SIZE);
      const last = output.ended && output.trailers === undefined && output.body.bytes === end - front.start;
      const bytes = this.#write(stream, front.buffer, front.start, end, last) - front.start;
      output.body.drop(bytes);
      if (bytes > 0) sent = true;
    }
    if (output.body.bytes === 0) {
      stream.output = undefined;
      sent = true;
      if (output.ended && !stream.endSent) this.#writeEnd(stream, output.trailers);
    }
    this.#tellWritable(stream);
    return sent;
  }

  #sendHeads(stream: EngineStream, output: StreamOutput): boolean {
    const { heads } = output;
    if (heads === undefined) return false;
    output.heads = undefined;
    for (const header of heads) this.encoder.response(stream.id, header, false);
    return true;
  }

  #tellWritable(stream: EngineStream): void {
    if (!stream.wantsWritable || stream.bytesQueued > LOW_WATER || stream.closed || this.#core.dead) return;
    stream.wantsWritable = false;
    this.#core.handler.onWritable(stream);
  }

  /** Writes DATA as far as it can go; answers how far that was. `last`: the end of the stream comes with the last byte. */
  #write(stream: EngineStream, buffer: Buffer, start: number, end: number, last: boolean): number {
    const { writer, guard } = this.#core;
    let at = start;
    while (at < end && !writer.blocked) {
      const bytes = Math.min(end - at, MIN_MAX_FRAME_SIZE, stream.sendWindow, this.#window);
      if (bytes <= 0) break;
      if (bytes === end - at || bytes >= MIN_USEFUL_BYTES) guard.work(bytes);
      stream.sendWindow -= bytes;
      this.#window -= bytes;
      const isEnd = last && at + bytes === end;
      writer.data(stream.id, buffer, at, at + bytes, isEnd);
      at += bytes;
      if (isEnd) this.#endSent(stream);
    }
    return at;
  }

  #writeEnd(stream: EngineStream, trailers: HeaderMap | undefined): void {
    if (trailers !== undefined && trailers.size > 0) this.encoder.trailers(stream.id, trailers);
    else this.#core.writer.end(stream.id);
    this.#endSent(stream);
  }

  #endSent(stream: EngineStream): void {
    stream.endSent = true;
    if (stream.endDelivered) this.#core.closeStream(stream, false);
    else if (stream.resetWhenSent) {
      this.#core.writer.reset(stream.id, ErrorCode.NO_ERROR);
      this.#core.closeStream(stream, true);
    }
  }
}
