/**
 * DATA frames: flow control, Content-Length, and where their bytes go (RFC 9113 sections 5.2, 6.1 and 8.1.1).
 */
import type { ConnectionCore } from './connection-core.ts';
import { ErrorCode } from './error-code.ts';
import { FLAG_END_STREAM } from './frame.ts';
import type { EngineStream } from './stream.ts';

/** One per connection. */
export class InboundData {
  readonly #core: ConnectionCore;
  /** Takes the current frame; undefined when it is discarded. */
  #stream: EngineStream | undefined;
  #endStream = false;
  #empty = true;

  constructor(core: ConnectionCore) {
    this.#core = core;
  }

  start(flags: number, id: number, length: number): void {
    const core = this.#core;
    this.#stream = undefined;
    this.#endStream = (flags & FLAG_END_STREAM) !== 0;
    this.#empty = true;
    const stream = core.streams.get(id);
    if (stream === undefined && !this.#mayCome(id)) return;
    if (!core.receive.take(length)) {
      core.fail(ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the window of the connection allows');
    } else if (stream === undefined) {
      core.takeLate(length);
    } else if (stream.remoteClosed) {
      core.streamError(stream, ErrorCode.STREAM_CLOSED, 'DATA after the end of the stream');
    } else if (!core.server && !stream.headReceived) {
      core.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'DATA before a response head');
    } else if (!stream.receive.take(length)) {
      core.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the window of the stream allows');
    } else {
      this.#stream = stream;
      if (this.#endStream) stream.receivesMore = false;
    }
  }

  piece(buffer: Buffer, start: number, end: number): void {
    this.#empty = false;
    const stream = this.#wanted();
    const bytes = end - start;
    if (stream === undefined) {
      this.#core.consume(bytes);
    } else if (stream.bodyBytesLeft < 0) {
      this.#core.receiver.data(stream, buffer, start, end);
    } else if (bytes <= stream.bodyBytesLeft) {
      stream.bodyBytesLeft -= bytes;
      this.#core.receiver.data(stream, buffer, start, end);
    } else {
      this.#core.consume(bytes);
      this.#core.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'a body longer than its Content-Length');
    }
  }

  padding(bytes: number): void {
    const stream = this.#wanted();
    if (stream === undefined) this.#core.consume(bytes);
    else this.#core.receiver.consume(stream, bytes);
  }

  end(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined || stream.closed) return;
    if (this.#endStream) this.#endOf(stream);
    else if (this.#empty) this.#core.countControl();
    else this.#core.guard.work(0);
  }

  #endOf(stream: EngineStream): void {
    if (stream.bodyBytesLeft > 0) {
      this.#core.streamError(stream, ErrorCode.PROTOCOL_ERROR, 'a body shorter than its Content-Length');
    } else {
      this.#core.receiver.end(stream, undefined);
    }
  }

  #wanted(): EngineStream | undefined {
    const stream = this.#stream;
    return stream === undefined || stream.closed || stream.resetWhenSent ? undefined : stream;
  }

  /** DATA without a stream is discarded when it crossed a reset of ours, and an error otherwise. */
  #mayCome(id: number): boolean {
    const absence = this.#core.absence(id);
    if (absence === 'reset by us') return true;
    const code = absence === 'idle' ? ErrorCode.PROTOCOL_ERROR : ErrorCode.STREAM_CLOSED;
    this.#core.fail(code, `DATA on stream ${id}, which is ${absence}`);
    return false;
  }
}
