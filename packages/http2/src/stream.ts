/**
 * The state of one stream, and what its owner can do with it. Sending is in sender.ts, receiving in receiver.ts.
 *
 * Two sides, each `open`, then ended: ours is asked to end (`localClosed`), then END_STREAM is written (`endSent`); the peer's
 * END_STREAM comes (`remoteClosed`), then its owner is told (`endDelivered`). Both or a reset make it `closed`.
 */
import { CirqueError } from '@cirque/error';
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import type { ConnectionCore } from './connection-core.ts';
import { ErrorCode } from './error-code.ts';
import type { HeldInput } from './held-input.ts';
import type { Http2Connection } from './http2-connection.ts';
import type { Http2Stream } from './http2-stream.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { StreamOutput } from './stream-output.ts';

/** See {@link Http2Stream}; the members beyond it are for the engine. */
export class EngineStream implements Http2Stream {
  readonly id: number;
  readonly scheme: string | undefined;
  readonly protocol: string | undefined;
  owner: unknown;
  resetReason: string | undefined;
  readonly #core: ConnectionCore;

  closed = false;
  retained = false;

  localClosed = false;
  endSent = false;
  /** The final head was written. */
  headWritten = false;
  /** What the peer takes on this stream. */
  sendWindow: number;
  output: StreamOutput | undefined;
  wantsWritable = false;
  /** Owner's reset that waits for the end of what is queued. */
  resetWhenSent = false;
  /** Nobody will read what is written from now on. */
  ignoresWrites = false;

  remoteClosed = false;
  endDelivered = false;
  /** Client: the final head was received. */
  headReceived = false;
  /** Client: method of the request, which decides whether the response has a body. */
  method = '';
  /** Bytes of Content-Length still to come; -1: not known. */
  bodyBytesLeft = -1;
  receive: ReceiveWindow;
  /** The peer needs to hear of its window: its last frame has not begun. */
  receivesMore = true;
  paused = false;
  delivering = false;
  held: HeldInput | undefined;

  constructor(core: ConnectionCore, id: number, scheme: string | undefined, protocol: string | undefined) {
    this.#core = core;
    this.id = id;
    this.scheme = scheme;
    this.protocol = protocol;
    this.sendWindow = core.remote.initialWindowSize;
    this.receive = new ReceiveWindow(core.local.acknowledged.initialWindowSize);
  }

  get connection(): Http2Connection {
    return this.#core.connection;
  }

  get bytesQueued(): number {
    return this.output?.body.bytes ?? 0;
  }

  writeHead(header: ResponseHeader, endStream: boolean): void {
    if (this.#gone) return;
    if (!this.#core.server) throw misuse('a client writes no response');
    if (this.headWritten) throw misuse('a final head was written before');
    if (header.status === 101) throw misuse('HTTP/2 has no status 101: a tunnel is opened by 200');
    if (header.status < 200 && endStream) throw misuse(`the stream cannot end with status ${header.status}`);
    this.headWritten = header.status >= 200;
    this.localClosed = endStream;
    this.#core.sender.head(this, header, endStream);
  }

  writeData(buffer: Buffer, start: number, end: number): boolean {
    if (this.#gone || this.ignoresWrites) return true;
    this.#checkOpen('a body');
    return this.#core.sender.data(this, buffer, start, end);
  }

  end(trailers?: HeaderMap): void {
    if (this.#gone || this.ignoresWrites) return;
    this.#checkOpen('the end');
    this.localClosed = true;
    this.#core.sender.end(this, trailers);
  }

  reset(code: number): void {
    if (this.#gone) return;
    if (code === ErrorCode.NO_ERROR && this.localClosed && !this.endSent) {
      this.resetWhenSent = true;
      this.ignoresWrites = true;
      this.#core.receiver.drop(this);
      return;
    }
    this.#core.writer.reset(this.id, code);
    this.#core.closeStream(this, true);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    if (this.held !== undefined && !this.#gone) this.#core.receiver.resume(this);
  }

  retain(): void {
    if (!this.closed) this.retained = true;
  }

  release(): void {
    if (!this.retained) return;
    this.retained = false;
    if (this.closed) this.#core.streams.retained -= 1;
  }

  get #gone(): boolean {
    return this.closed || this.#core.dead;
  }

  #checkOpen(what: string): void {
    if (!this.headWritten) throw misuse(`${what} was written before the head`);
    if (this.localClosed) throw misuse(`${what} was written after the end`);
  }
}

function misuse(what: string): CirqueError {
  return CirqueError.internal('InternalError', `HTTP/2 stream: ${what}`);
}
