/**
 * One request on an HTTP/2 connection to an upstream: a stream behind the contract of a client session.
 *
 * It is made with a place on its connection and lives until it is released or aborted. What concerns the connection as a
 * whole is in http2-client-connection.ts; when an error says that the request may be tried again, in stream-error.ts.
 */
import { CirqueError } from '@cirque/error';
import { type HeaderMap, parseConnectionOptions, type RequestHeader, type ResponseHeader } from '@cirque/http';
import { ErrorCode, type Http2Stream } from '@cirque/http2';
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { Digest, Lease } from '@cirque/transport';
import { BodyLength } from './body-length.ts';
import type { ClientSession, ClientSessionHandler } from './client-session.ts';
import { NOBODY } from './no-handler.ts';
import type { PeerCounters } from './peer-counters.ts';
import type { ResolvedPeerOptions } from './peer-options.ts';
import { QueueProgress } from './queue-progress.ts';

/** Interim responses accepted for one request (a flood of them is an attack). */
const MAX_INTERIM = 20;
/** HTTP/2 has no connection options. */
const NO_CONNECTION_OPTIONS = parseConnectionOptions(undefined);

/** What a session needs of its connection. */
export interface SessionConnection {
  readonly digest: Digest;
  readonly counters: PeerCounters;
  /** Writes to the system so far: what was queued since the last one has not been sent. */
  readonly writes: number;
  /** It takes no more requests. */
  readonly draining: boolean;
  /** Queues a request head. @throws CirqueError when no stream can be opened; nothing was sent then. */
  openStream(session: Http2ClientSession, header: RequestHeader, endStream: boolean): Http2Stream;
  /** Sends what is queued behind this turn; the session, if given, hears of it by {@link Http2ClientSession.flushed}. */
  flushSoon(session: Http2ClientSession | undefined): void;
  /** The session was told something: {@link Http2ClientSession.delivered} follows when all has been read. */
  touched(session: Http2ClientSession): void;
  /** The session has timed out. `mark`: bytes that had been read when it began to wait. */
  suspect(mark: number): void;
  readonly bytesRead: number;
  /** The place on the connection is free again. */
  left(session: Http2ClientSession): void;
}

/** Nothing was written yet; under way; answered; gone. */
type Phase = 'fresh' | 'exchange' | 'finished' | 'closed';

/** See the file's head. */
export class Http2ClientSession implements ClientSession {
  readonly httpVersion = '2';
  handler: ClientSessionHandler = NOBODY;
  readonly reused: boolean;
  responseStarted = false;
  bodyBytesSent = 0;
  bodyBytesReceived = 0;
  /** The connection's own: it was told something by the current read. */
  touched = false;

  readonly #connection: SessionConnection;
  readonly #options: ResolvedPeerOptions;
  readonly #timer: Timer;
  #stream: Http2Stream | undefined = undefined;
  #phase: Phase = 'fresh';
  /** The request is a HEAD. */
  #head = false;
  #length = new BodyLength();
  #requestSent = false;
  /** Interim responses so far; -1 from the final head on. */
  #interim = 0;
  #paused = false;
  /** The end has come while the session was paused. */
  #endHeld = false;
  #trailers: HeaderMap | undefined = undefined;
  /** Why the exchange failed while nobody listened yet. */
  #failure: CirqueError | undefined = undefined;
  /** `writes` of the connection when the head was queued. */
  #writeMark = 0;
  #readMark = 0;
  #stalled = false;
  readonly #progress = new QueueProgress();

  constructor(connection: SessionConnection, options: ResolvedPeerOptions, reused: boolean, wheel?: TimerWheel) {
    this.#connection = connection;
    this.#options = options;
    this.reused = reused;
    this.#timer = new Timer(() => this.#expired(), wheel);
  }

  get digest(): Digest {
    return this.#connection.digest;
  }

  /** Nothing was written, nothing has happened to the connection. */
  get usable(): boolean {
    return this.#phase === 'fresh' && !this.#connection.draining;
  }

  /** Nothing of the request has been handed to the system. */
  get unsent(): boolean {
    return this.#stream === undefined || this.#connection.writes === this.#writeMark;
  }

  /**
   * Nothing of the response is missing: what is still to be reported comes when the owner resumes. With `engine` what the
   * stream keeps counts, too.
   */
  isWhole(engine: boolean): boolean {
    if (this.#phase !== 'exchange' || !this.#paused) return false;
    return this.#endHeld || (engine && this.#stream?.remoteClosed === true);
  }

  writeHead(header: RequestHeader, bodyLength: number | undefined): void {
    if (this.#phase !== 'fresh') {
      if (this.#failure !== undefined) throw this.#failure;
      return;
    }
    this.#length.begin(header.headers, bodyLength);
    const endStream = bodyLength === 0;
    const stream = this.#connection.openStream(this, header, endStream);
    this.#stream = stream;
    this.#phase = 'exchange';
    this.#head = header.method === 'HEAD';
    this.#writeMark = this.#connection.writes;
    if (this.#paused) stream.pause();
    this.#requestSent = endStream;
    this.#connection.flushSoon(this);
  }

  writeBody(buffer: Buffer, start: number, end: number): boolean {
    const bytes = end - start;
    if (bytes === 0 || this.#phase !== 'exchange' || this.#requestSent) return true;
    this.#length.take(bytes);
    this.bodyBytesSent += bytes;
    const more = this.#open.writeData(buffer, start, end);
    this.#connection.flushSoon(this);
    return more;
  }

  end(trailers?: HeaderMap): void {
    if (this.#phase !== 'exchange' || this.#requestSent) return;
    this.#length.end();
    this.#requestSent = true;
    this.#open.end(trailers);
    this.#connection.flushSoon(this);
  }

  /** Nothing to do: what is written in one turn is sent together behind it. */
  flush(): void {}

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#stream?.pause();
    // It is not the upstream that is slow now.
    this.#timer.clear();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#phase !== 'exchange') return;
    this.#open.resume();
    if (this.#endHeld && !this.#paused) this.#finish();
    else this.delivered();
    // The windows may have to be opened.
    this.#connection.flushSoon(undefined);
  }

  release(): void {
    this.#leave();
  }

  abort(): void {
    this.#leave();
  }

  // ---- what the connection reports

  /** A head has come. What RFC 9113 demands of it, and of the body, has been checked. */
  onResponse(header: ResponseHeader, endStream: boolean): void {
    if (this.#phase !== 'exchange') return;
    this.responseStarted = true;
    this.#connection.touched(this);
    if (header.informational) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM) this.#tooManyInterim();
      else this.handler.onResponseHead(header, 0, NO_CONNECTION_OPTIONS);
      return;
    }
    this.#interim = -1;
    if (header.status >= 500) this.#connection.counters.responses5xx += 1;
    const announced = header.headers.contentLength;
    const bodiless = endStream || this.#head || header.status === 204 || header.status === 304;
    const bodyLength = bodiless ? 0 : announced < 0 ? undefined : announced;
    this.handler.onResponseHead(header, bodyLength, NO_CONNECTION_OPTIONS);
    if (endStream) this.onEnd(undefined);
  }

  /** Body bytes; never while paused, the stream keeps them. */
  onData(buffer: Buffer, start: number, end: number, lease: Lease | undefined): void {
    if (this.#phase !== 'exchange') return;
    this.#connection.touched(this);
    this.bodyBytesReceived += end - start;
    this.handler.onResponseBody(buffer, start, end, lease);
  }

  onEnd(trailers: HeaderMap | undefined): void {
    if (this.#phase !== 'exchange') return;
    this.#trailers = trailers;
    if (this.#paused) this.#endHeld = true;
    else this.#finish();
  }

  onWritable(): void {
    if (this.#phase !== 'exchange') return;
    this.#watch();
    this.handler.onUpstreamDrain();
  }

  /** All that arrived together was reported. */
  delivered(): void {
    this.touched = false;
    if (this.#phase !== 'exchange') return;
    this.handler.onUpstreamFlush();
    this.#watch();
  }

  /** What was written was handed to the system, as far as the windows allow. */
  flushed(): void {
    this.#watch();
  }

  /** The exchange cannot go on. The stream is gone already, or goes now. */
  fail(error: CirqueError): void {
    if (this.#phase !== 'exchange' && this.#phase !== 'fresh') return;
    const { counters } = this.#connection;
    if (error.type === 'ReadTimedout' || error.type === 'WriteTimedout') counters.timeouts += 1;
    else counters.resets += 1;
    const { handler } = this;
    if (handler === NOBODY) this.#failure = error;
    this.#leave();
    handler.onUpstreamError(error);
  }

  // ---- inside

  get #open(): Http2Stream {
    return this.#stream as Http2Stream;
  }

  #finish(): void {
    if (this.#phase !== 'exchange') return;
    this.#phase = 'finished';
    this.#timer.clear();
    this.handler.onResponseEnd(this.#trailers);
  }

  /** Gives the place on the connection back. A stream that is not over on both sides is cancelled. */
  #leave(): void {
    this.handler = NOBODY;
    if (this.#phase === 'closed') return;
    const answered = this.#phase === 'finished';
    this.#phase = 'closed';
    this.#timer.close();
    const stream = this.#stream;
    if (stream !== undefined) {
      stream.owner = undefined;
      if (!answered || !stream.localClosed || stream.bytesQueued > 0) {
        stream.reset(ErrorCode.CANCEL);
        this.#connection.flushSoon(undefined);
      }
    }
    this.#connection.left(this);
  }

  #tooManyInterim(): void {
    this.#open.reset(ErrorCode.PROTOCOL_ERROR);
    this.fail(CirqueError.upstream('InvalidHTTPHeader', `more than ${MAX_INTERIM} interim responses`));
  }

  /** Arms the deadline of what is awaited now: room for writing, or something to read. */
  #watch(): void {
    if (this.#phase !== 'exchange' || this.#paused) return;
    const queued = this.#open.bytesQueued;
    if (queued > 0 && this.#stalled && this.#timer.armed) return;
    this.#stalled = queued > 0;
    const { readTimeoutMs, writeTimeoutMs, minSendRate } = this.#options;
    // A request that is still being made owes its slowness to the client, not to the upstream.
    const due = this.#requestSent || this.#interim < 0;
    let ms = due ? readTimeoutMs : 0;
    if (this.#stalled) ms = this.#progress.begin(queued, this.bodyBytesSent, writeTimeoutMs, minSendRate);
    this.#readMark = this.#connection.bytesRead;
    if (ms > 0) this.#timer.set(ms);
    else this.#timer.clear();
  }

  #expired(): void {
    if (this.#phase !== 'exchange') return;
    if (!this.#stalled) {
      this.#connection.suspect(this.#readMark);
      this.fail(CirqueError.upstream('ReadTimedout', 'the upstream did not answer in time'));
    } else if (this.#progress.stalled(this.#open.bytesQueued, this.bodyBytesSent)) {
      this.#connection.suspect(this.#readMark);
      this.fail(CirqueError.upstream('WriteTimedout', 'the upstream did not take the request in time'));
    } else {
      this.#stalled = false;
      this.#watch();
    }
  }
}
