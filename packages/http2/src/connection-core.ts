/**
 * What the parts of one connection share: its streams, windows and writer, and how streams and the connection end.
 *
 * Internal; http2-connection.ts is what users see.
 */
import { CirqueError, type ErrorType } from '@cirque/error';
import { ErrorCode, errorCodeName } from './error-code.ts';
import { FloodGuard } from './flood-guard.ts';
import { DEFAULT_WINDOW, MAX_STREAM_ID } from './frame.ts';
import { FrameWriter } from './frame-writer.ts';
import type { Http2Connection } from './http2-connection.ts';
import type { Http2Handler, Http2Sink } from './http2-handler.ts';
import type { ResolvedHttp2Options } from './http2-options.ts';
import type { Http2Limits } from './limits.ts';
import { LocalSettings } from './local-settings.ts';
import { ReceiveWindow } from './receive-window.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { type Http2Settings, INITIAL_SETTINGS } from './settings.ts';
import type { EngineStream } from './stream.ts';
import { type Absence, StreamTable } from './stream-table.ts';

/** One per connection. */
export class ConnectionCore {
  readonly connection: Http2Connection;
  readonly server: boolean;
  readonly handler: Http2Handler;
  readonly limits: Http2Limits;
  readonly writer: FrameWriter;
  readonly guard: FloodGuard;
  readonly streams: StreamTable = new StreamTable();
  /** What the peer may send on all streams together. */
  readonly receive: ReceiveWindow;
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly local: LocalSettings;
  remote: Http2Settings = INITIAL_SETTINGS;
  settingsReceived = false;
  goawayReceived = false;
  /** Server: highest request that was reported. */
  lastProcessed = 0;
  /** Server: requests above it came after our GOAWAY and are ignored. */
  lastAllowed: number = MAX_STREAM_ID;
  /** DATA that may still come for streams that we reset: what the peer was allowed to send before it hears of it. */
  #late = 0;
  /** The connection has failed or was closed: nothing is reported or written any more. */
  dead = false;
  /** Set by the connection. */
  stopReading: () => void = (): void => {};

  constructor(connection: Http2Connection, sink: Http2Sink, handler: Http2Handler, options: ResolvedHttp2Options) {
    this.connection = connection;
    this.server = options.server;
    this.handler = handler;
    this.limits = options.limits;
    this.writer = new FrameWriter(sink);
    this.guard = new FloodGuard(options.limits, options.now);
    // A window can only be raised by the first WINDOW_UPDATE: it begins at 65,535.
    this.receive = new ReceiveWindow(DEFAULT_WINDOW);
    this.sender = new Sender(this);
    this.receiver = new Receiver(this);
    this.local = new LocalSettings(this.writer, options.server);
  }

  /** Ends the connection with GOAWAY: whatever comes or is written after this does nothing. */
  fail(code: number, message: string, type: ErrorType = 'H2Error'): void {
    if (this.dead) return;
    const { writer } = this;
    this.die();
    // A peer that does not read gets this and nothing else.
    if (writer.blocked) writer.discard();
    writer.blocked = false;
    writer.goaway(this.lastProcessed, code, message);
    writer.flush();
    const source = this.server ? 'Downstream' : 'Upstream';
    this.handler.onConnectionError(new CirqueError(type, `${errorCodeName(code)}: ${message}`, { source }));
  }

  die(): void {
    this.dead = true;
    this.stopReading();
  }

  /** The peer sent a frame that serves only the protocol. */
  countControl(): void {
    if (this.guard.control()) this.fail(ErrorCode.ENHANCE_YOUR_CALM, 'too many frames that ask for nothing');
    else this.#checkPending();
  }

  /** Server: a request came to nothing by the client's doing. Clients decide themselves what they send. */
  countReset(): void {
    if (this.server && this.guard.reset()) this.fail(ErrorCode.ENHANCE_YOUR_CALM, 'too many streams came to nothing');
    else this.#checkPending();
  }

  #checkPending(): void {
    const { blocked, controlBytes } = this.writer;
    if (!blocked || controlBytes <= this.limits.maxPendingBytes) return;
    this.fail(ErrorCode.ENHANCE_YOUR_CALM, `${controlBytes} bytes of answers were not read`);
  }

  /** Bytes of DATA were dealt with: gives their room in the window of the connection back. */
  consume(bytes: number): void {
    const announced = this.receive.consume(bytes);
    if (announced > 0 && !this.dead) this.writer.windowUpdate(0, announced);
  }

  /** As much DATA as its window has room for may still come for a stream that we reset. */
  expectLate(window: number): void {
    const bytes = window + this.local.windowGrowth;
    if (bytes > 0) this.#late += bytes;
  }

  /** DATA came for a stream that we reset. */
  takeLate(bytes: number): void {
    this.#late -= bytes;
    if (bytes === 0) this.countControl();
    else if (this.#late < 0) this.fail(ErrorCode.FLOW_CONTROL_ERROR, 'more DATA than the window of a stream allowed');
  }

  /** Why there is no stream of that number. Streams with even ones would be pushed: there are none. */
  absence(id: number): Absence {
    if ((id & 1) === 0) return 'idle';
    const absence = this.streams.absence(id);
    return absence === 'closed' && this.server && id > this.lastAllowed ? 'reset by us' : absence;
  }

  /** The peer broke a rule on this stream only. */
  streamError(stream: EngineStream, code: number, reason: string): void {
    stream.resetReason = reason;
    this.writer.reset(stream.id, code);
    this.endStream(stream, code, true);
    this.countReset();
  }

  /** A stream is gone before its end: tells the owner. */
  endStream(stream: EngineStream, code: number, byUs: boolean): void {
    if (!this.#remove(stream, byUs)) return;
    if (!this.dead) this.handler.onReset(stream, code, byUs);
    if (!this.dead) this.handler.onStreamClosed(stream);
  }

  /** A stream is over in order, or by its owner's reset (`byUs`). */
  closeStream(stream: EngineStream, byUs: boolean): void {
    if (this.#remove(stream, byUs) && !this.dead) this.handler.onStreamClosed(stream);
  }

  #remove(stream: EngineStream, byUs: boolean): boolean {
    if (stream.closed) return false;
    stream.closed = true;
    this.streams.remove(stream.id, byUs);
    if (stream.retained) this.streams.retained += 1;
    if (byUs && !stream.remoteClosed) this.expectLate(stream.receive.available);
    const held = stream.held?.body.bytes ?? 0;
    stream.held = undefined;
    stream.output = undefined;
    if (held > 0) this.consume(held);
    return true;
  }
}
