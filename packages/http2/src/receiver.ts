/**
 * Reports what arrives on streams to their owner, or keeps it while the owner pauses, and gives room back as it is consumed.
 */
import type { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import type { ConnectionCore } from './connection-core.ts';
import { HeldInput } from './held-input.ts';
import type { EngineStream } from './stream.ts';

/** One per connection. */
export class Receiver {
  readonly #core: ConnectionCore;

  constructor(core: ConnectionCore) {
    this.#core = core;
  }

  request(stream: EngineStream, header: RequestHeader, endStream: boolean): void {
    stream.remoteClosed = endStream;
    stream.endDelivered = endStream;
    this.#core.handler.onRequest?.(stream, header, endStream);
  }

  response(stream: EngineStream, header: ResponseHeader, endStream: boolean): void {
    stream.remoteClosed = endStream;
    if (!this.#holds(stream)) {
      this.#reportResponse(stream, header, endStream);
      return;
    }
    // Nobody needs an informational head that comes late.
    if (header.status < 200) return;
    stream.held ??= new HeldInput();
    stream.held.head = header;
    stream.held.headEndsStream = endStream;
  }

  data(stream: EngineStream, buffer: Buffer, start: number, end: number): void {
    if (this.#holds(stream)) {
      stream.held ??= new HeldInput();
      stream.held.body.push(buffer, start, end);
      return;
    }
    this.#core.handler.onData(stream, buffer, start, end);
    this.consume(stream, end - start);
  }

  end(stream: EngineStream, trailers: HeaderMap | undefined): void {
    stream.remoteClosed = true;
    if (stream.resetWhenSent) {
      stream.endDelivered = true;
    } else if (this.#holds(stream)) {
      stream.held ??= new HeldInput();
      stream.held.ended = true;
      stream.held.trailers = trailers;
    } else {
      this.#reportEnd(stream, trailers);
    }
  }

  /** The peer reset the stream. What a server had ended before still counts (RFC 9113 section 8.1). */
  reset(stream: EngineStream, code: number): void {
    if (!this.#core.server && code === 0 && stream.remoteClosed && stream.held !== undefined) {
      stream.held.resetCode = code;
      stream.output = undefined;
      stream.ignoresWrites = true;
    } else {
      this.#core.endStream(stream, code, false);
    }
  }

  /** Reports what was kept. */
  resume(stream: EngineStream): void {
    if (stream.delivering) return;
    stream.delivering = true;
    while (!stream.paused && stream.held !== undefined && !this.#core.dead) this.#next(stream, stream.held);
    stream.delivering = false;
  }

  /** Forgets what was kept: nobody wants it. */
  drop(stream: EngineStream): void {
    const bytes = stream.held?.body.bytes ?? 0;
    if (stream.held?.ended === true) stream.endDelivered = true;
    stream.held = undefined;
    if (bytes > 0) this.consume(stream, bytes);
  }

  /** Bytes of DATA of a stream were dealt with. */
  consume(stream: EngineStream, bytes: number): void {
    this.#core.consume(bytes);
    if (stream.closed || !stream.receivesMore || this.#core.dead) return;
    const announced = stream.receive.consume(bytes);
    if (announced > 0) this.#core.writer.windowUpdate(stream.id, announced);
  }

  #holds(stream: EngineStream): boolean {
    return stream.paused || stream.held !== undefined;
  }

  #next(stream: EngineStream, held: HeldInput): void {
    const { head } = held;
    const { front } = held.body;
    if (head !== undefined) {
      held.head = undefined;
      this.#reportResponse(stream, head, held.headEndsStream);
    } else if (front !== undefined) {
      const { buffer, start, end } = front;
      held.body.drop(end - start);
      this.#core.handler.onData(stream, buffer, start, end);
      this.consume(stream, end - start);
    } else {
      stream.held = undefined;
      if (held.ended) this.#reportEnd(stream, held.trailers);
      if (held.resetCode !== undefined) this.#core.endStream(stream, held.resetCode, false);
    }
  }

  #reportResponse(stream: EngineStream, header: ResponseHeader, endStream: boolean): void {
    stream.endDelivered = endStream;
    this.#core.handler.onResponse?.(stream, header, endStream);
    if (endStream) this.#settle(stream);
  }

  #reportEnd(stream: EngineStream, trailers: HeaderMap | undefined): void {
    stream.endDelivered = true;
    this.#core.handler.onEnd(stream, trailers);
    this.#settle(stream);
  }

  #settle(stream: EngineStream): void {
    if (stream.endSent) this.#core.closeStream(stream, false);
  }
}
