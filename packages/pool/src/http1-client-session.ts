/**
 * An HTTP/1 upstream connection: one request at a time, reused as long as nothing about it is in doubt.
 *
 * A connection is kept only when the request was sent whole, the response was read whole, no byte is left over and
 * nobody said close. While idle, any byte, error or end closes it. How requests are written: request-writer.ts.
 */
import { CirqueError, fromNodeError } from '@cirque/error';
import type { HeaderMap, RequestHeader } from '@cirque/http';
import {
  CHUNKED,
  type Framing,
  type MessageSink,
  ResponseDecoder,
  type ResponseRules,
  responseHead,
  UNTIL_CLOSE,
} from '@cirque/http1';
import { Timer, type TimerWheel } from '@cirque/timeout';
import { type Digest, type Lease, type Stream, type StreamHandler, WriteProgress } from '@cirque/transport';
import type { ClientSession, ClientSessionHandler } from './client-session.ts';
import { EARLY_ANSWER_MS, type ReadsOn } from './early-answer.ts';
import { NOBODY } from './no-handler.ts';
import { type PeerCounters, UNCOUNTED } from './peer-counters.ts';
import type { ResolvedPeerOptions } from './peer-options.ts';
import { RequestWriter } from './request-writer.ts';

/** Interim responses accepted for one request (a flood of them is an attack). */
const MAX_INTERIM = 20;
/** Reads go to leased buffers when at least this much body is still to come, or the last response was larger. */
const LARGE_BODY_BYTES = 16_384;

/** Where a connection goes when its exchange is over. */
export interface SessionOwner<S = Http1ClientSession> {
  /** It may serve another request. */
  reusable(session: S): void;
  /** It is closed, in use or idle; at most once. */
  closed(session: S): void;
}

/** What the connection does: nothing, an exchange, waiting for its release, or gone. */
type Phase = 'idle' | 'exchange' | 'finished' | 'closed';

/** See the file's head. */
export class Http1ClientSession implements ClientSession, StreamHandler, ReadsOn, MessageSink {
  readonly httpVersion = '1.1';
  handler: ClientSessionHandler = NOBODY;
  reused = false;
  responseStarted = false;
  bodyBytesSent = 0;
  bodyBytesReceived = 0;
  /** How long the upstream keeps it idle, from its Keep-Alive field. */
  peerIdleMs: number | undefined = undefined;
  /** @internal Where its requests are counted; the connector's own. */
  counters: PeerCounters = UNCOUNTED;

  readonly #stream: Stream;
  readonly #owner: SessionOwner;
  readonly #decoder: ResponseDecoder;
  readonly #writer: RequestWriter;
  readonly #timer: Timer;
  #options: ResolvedPeerOptions;
  #phase: Phase = 'idle';
  #requestSent = false;
  /** Nothing of an exchange was written yet. */
  #untouched = true;
  #peerEnded = false;
  #keepAlive = false;
  /** Interim responses so far; -1 from the final head on. */
  #interim = 0;
  /** Of the final response. */
  #framing: Framing = 0;
  #lease: Lease | undefined = undefined;
  #unread: Buffer | undefined = undefined;
  #paused = false;
  #writeStalled = false;
  readonly #writes = new WriteProgress();
  /** The upstream has accepted a tunnel: what comes is no HTTP any more. */
  #tunnelled = false;
  #tunnelEndTold = false;
  #trailers: HeaderMap | undefined = undefined;
  /** Nothing can be sent any more, but an answer may be there. */
  #writeError: CirqueError | undefined = undefined;
  /** Why the exchange failed while nobody listened yet. */
  #failure: CirqueError | undefined = undefined;

  constructor(
    stream: Stream,
    options: ResolvedPeerOptions,
    rules: ResponseRules,
    owner: SessionOwner,
    wheel?: TimerWheel,
  ) {
    this.#stream = stream;
    this.#writer = new RequestWriter(stream);
    this.#options = options;
    this.#owner = owner;
    this.#decoder = new ResponseDecoder(this, rules);
    this.#timer = new Timer(() => this.#expired(), wheel);
    stream.start(this);
  }

  get digest(): Digest {
    return this.#stream.digest;
  }

  /** True while the connection waits for a request and nothing has happened to it. */
  get usable(): boolean {
    return this.#phase === 'idle' && !this.#stream.destroyed;
  }

  /** Begins an exchange under the options of the peer that asks for it. */
  begin(options: ResolvedPeerOptions): void {
    this.#options = options;
    this.#phase = 'exchange';
    this.#timer.clear();
    this.responseStarted = false;
    this.bodyBytesSent = 0;
    this.bodyBytesReceived = 0;
    this.#requestSent = false;
    this.#untouched = true;
    this.#writeStalled = false;
    this.#interim = 0;
    this.#trailers = undefined;
    this.#decoder.next();
  }

  /** Watches an idle connection: after the given time (0: never) it closes itself. */
  idle(timeoutMs: number): void {
    if (timeoutMs > 0) this.#timer.set(timeoutMs);
  }

  writeHead(header: RequestHeader, bodyLength: number | undefined): void {
    if (this.#phase !== 'exchange') {
      if (this.#failure !== undefined) throw this.#failure;
      return;
    }
    const framing = this.#writer.writeHead(header, bodyLength);
    this.#untouched = false;
    this.#decoder.requestMethod = header.method;
    if (framing === 0) this.end();
    else this.#watch();
  }

  writeBody(buffer: Buffer, start: number, end: number): boolean {
    const bytes = end - start;
    if (bytes === 0 || this.#phase !== 'exchange') return true;
    if (this.#writeError !== undefined) return false;
    const more = this.#writer.writeBody(buffer, start, end);
    this.bodyBytesSent += bytes;
    this.#watch();
    return more;
  }

  end(trailers?: HeaderMap): void {
    if (this.#phase !== 'exchange' || this.#writeError !== undefined) return;
    if (this.#tunnelled) {
      this.#writer.end();
      this.#stream.end();
      return;
    }
    if (this.#requestSent) return;
    this.#writer.end(trailers);
    this.#requestSent = true;
    this.#watch();
  }

  flush(): void {
    if (this.#phase !== 'exchange' || this.#writeError !== undefined) return;
    if (!this.#writer.flush()) this.#watch();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#decoder.hold();
    this.#stream.pause();
    // It is not the upstream that is slow now.
    this.#timer.clear();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#decoder.unhold();
    // Before the held bytes are delivered: their end may release the connection, which must not stay paused then.
    this.#stream.resume();
    const unread = this.#unread ?? NOTHING;
    this.#unread = undefined;
    this.#consume(unread, unread.length, undefined);
    if (this.#peerEnded && !this.#paused && this.#phase === 'exchange') this.#endOfInput();
  }

  release(): void {
    const sent = this.#requestSent && !this.#stream.writePending && this.#writeError === undefined;
    const answered = this.#phase === 'finished' && this.#keepAlive && sent;
    const clean = answered || (this.#phase === 'exchange' && this.#untouched);
    this.handler = NOBODY;
    if (!clean || this.#stream.destroyed) {
      if (this.#tunnelled && this.#stream.writePending) this.#closeBehindWrites();
      else this.#close();
      return;
    }
    this.#phase = 'idle';
    this.reused ||= answered;
    // The next response of this upstream is likely of the same size: its first read can do without a copy then.
    this.#stream.largeReads = this.bodyBytesReceived > LARGE_BODY_BYTES;
    if (this.#paused) {
      this.#paused = false;
      this.#decoder.unhold();
      this.#stream.resume();
    }
    this.#owner.reusable(this);
  }

  abort(): void {
    this.handler = NOBODY;
    // A tunnel that ends in order would look complete.
    if (this.#tunnelled && this.#phase === 'exchange') this.#stream.reset();
    this.#close();
  }

  /** The pool gives it up. */
  evicted(): void {
    this.#close();
  }

  onRead(buffer: Buffer, length: number, lease: Lease | undefined): void {
    if (this.#phase !== 'exchange') {
      // Nothing was asked: an unsolicited response must never answer the next request.
      this.#close();
      return;
    }
    if (this.#untouched) {
      // It cannot be meant for a request that was not sent yet.
      this.#fail(
        new CirqueError('InvalidHTTPHeader', 'the upstream sent bytes before the request', { source: 'Upstream' }),
      );
      return;
    }
    this.responseStarted = true;
    if (this.#paused) this.#keep(buffer, 0, length);
    else this.#consume(buffer, length, lease);
  }

  onReadEnd(): void {
    if (this.#phase !== 'exchange') {
      this.#close();
      return;
    }
    this.#keepAlive = false;
    this.#peerEnded = true;
    if (!this.#paused) this.#endOfInput();
  }

  /** The upstream has closed and everything it sent was read: a body ends here, or was cut. */
  #endOfInput(): void {
    try {
      this.#decoder.finish();
      if (this.#decoder.received) {
        this.#finished();
        return;
      }
    } catch (error) {
      this.#fail(CirqueError.from(error, 'ConnectionClosed', 'Upstream'));
      return;
    }
    this.#fail(
      new CirqueError('ConnectionClosed', 'the upstream closed the connection before its response', {
        source: 'Upstream',
      }),
    );
  }

  onDrain(): void {
    this.#writeStalled = false;
    if (this.#phase !== 'exchange') return;
    this.#watch();
    this.handler.onUpstreamDrain();
  }

  onClose(error: CirqueError | undefined): void {
    if (this.#phase !== 'exchange') {
      this.#close();
      return;
    }
    this.#keepAlive = false;
    // Nothing is missing: the rest is reported when the owner resumes.
    if (this.#paused && this.#isWhole()) return;
    this.#fail(error ?? CirqueError.upstream('ConnectionClosed', 'the upstream connection was closed'));
  }

  /** All of the response has arrived, whether it was reported or not. */
  #isWhole(): boolean {
    if (this.#interim >= 0) return false;
    if (this.#decoder.received) return true;
    if (this.#framing === UNTIL_CLOSE) return this.#peerEnded;
    return this.#framing >= 0 && this.#framing - this.bodyBytesReceived <= (this.#unread?.length ?? 0);
  }

  onMessageHead(): void {
    const { header, framing, connection } = responseHead;
    const opensTunnel = this.#opensTunnel(header.status);
    if (header.status === 101 && !opensTunnel)
      throw new CirqueError('InvalidHTTPHeader', 'unasked 101 Switching Protocols', { source: 'Upstream' });
    if (opensTunnel) {
      this.#openTunnel();
    } else if (header.informational) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM) {
        throw new CirqueError('InvalidHTTPHeader', `more than ${MAX_INTERIM} interim responses`, {
          source: 'Upstream',
        });
      }
    } else {
      this.#keepAlive = responseHead.keepAlive && !this.#writer.closeAsked;
      this.#interim = -1;
      this.#framing = framing;
      if (header.status >= 500) this.counters.responses5xx += 1;
      const seconds = responseHead.keepAliveSeconds;
      this.peerIdleMs = seconds === undefined ? undefined : seconds * 1_000;
    }
    const bodyLength = framing === CHUNKED || framing === UNTIL_CLOSE ? undefined : framing;
    this.handler.onResponseHead(header, bodyLength, connection);
  }

  /** True when this status accepts the tunnel that the request has asked for, and the request is complete. */
  #opensTunnel(status: number): boolean {
    const { tunnelAsked } = this.#writer;
    if (tunnelAsked === undefined || !this.#requestSent) return false;
    return tunnelAsked === 'upgrade' ? status === 101 : status >= 200 && status < 300;
  }

  #openTunnel(): void {
    this.#tunnelled = true;
    this.#interim = -1;
    this.#keepAlive = false;
    this.#framing = UNTIL_CLOSE;
    this.#timer.clear();
    this.#writer.tunnel();
    this.#decoder.tunnel();
  }

  onBodyBytes(buffer: Buffer, start: number, end: number): void {
    this.bodyBytesReceived += end - start;
    this.handler.onResponseBody(buffer, start, end, this.#lease);
  }

  onMessageEnd(trailers: HeaderMap | undefined): void {
    // After an interim response the same exchange goes on with the next head.
    if (this.#interim >= 0) this.#decoder.next();
    else this.#trailers = trailers;
  }

  /** Decodes; the end is reported only afterwards, when it is certain that no byte is left over. */
  #consume(buffer: Buffer, length: number, lease: Lease | undefined): void {
    this.#lease = lease;
    let consumed: number;
    try {
      consumed = this.#decoder.feed(buffer, 0, length);
    } catch (error) {
      this.#fail(CirqueError.from(error, 'InternalError', 'Upstream'));
      return;
    }
    this.#lease = undefined;
    if (this.#phase !== 'exchange') return;
    const complete = this.#decoder.state === 'complete';
    if (consumed < length) {
      if (complete) this.#keepAlive = false;
      else this.#keep(buffer, consumed, length);
    }
    if (complete) {
      this.#finished();
      return;
    }
    if (!this.#stream.largeReads) this.#stream.largeReads = this.#decoder.expectsBody(LARGE_BODY_BYTES);
    this.handler.onUpstreamFlush();
    if (!this.#paused) this.#watch();
  }

  #finished(): void {
    if (this.#tunnelled) {
      // Our side may go on: a tunnel is over when both have ended, and the owner knows when.
      if (this.#tunnelEndTold) return;
      this.#tunnelEndTold = true;
      this.handler.onResponseEnd(undefined);
      return;
    }
    this.#phase = 'finished';
    this.#timer.clear();
    this.handler.onResponseEnd(this.#trailers);
  }

  /** True when it is worth while to read on: bytes of the body had gone, so the upstream may have answered the head. */
  onWriteError(error: Error): boolean {
    if (this.#phase !== 'exchange' || this.bodyBytesSent === 0) return false;
    this.#writeError = fromNodeError(error, 'write', 'Upstream');
    this.#watch();
    return true;
  }

  #fail(failure: CirqueError): void {
    if (this.#phase !== 'exchange') return;
    const error = this.#writeError ?? failure;
    const ours = error.type === 'ReadTimedout' || error.type === 'WriteTimedout';
    if (ours) this.counters.timeouts += 1;
    else this.counters.resets += 1;
    // The peer may have closed an idle connection at the moment it was taken: nothing of this request was sent then, or
    // at least nothing answered.
    if (this.#untouched && this.reused) error.setRetry(true);
    else if (!this.responseStarted && !ours) error.setRetry('ReusedOnly');
    const { handler } = this;
    if (handler === NOBODY) this.#failure = error;
    this.handler = NOBODY;
    this.#close();
    handler.onUpstreamError(error);
  }

  #close(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#decoder.stop();
    this.#unread = undefined;
    this.#timer.close();
    this.#stream.destroy();
    this.#owner.closed(this);
  }

  /** Of a tunnel that has ended on both sides: its last bytes may still be on their way. */
  #closeBehindWrites(): void {
    this.#watch();
    this.#stream.duplex.end(() => this.#close());
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    const rest = buffer.subarray(start, end);
    this.#unread = this.#unread === undefined ? Buffer.from(rest) : Buffer.concat([this.#unread, rest]);
  }

  /** Arms the deadline of what is awaited now: room for writing, or something to read. */
  #watch(): void {
    if (this.#phase !== 'exchange' || this.#paused) return;
    if (this.#writeError !== undefined) {
      this.#timer.set(EARLY_ANSWER_MS);
      return;
    }
    // A request that is still being made owes its slowness to the client, not to the upstream.
    const due = (this.#requestSent || this.#interim < 0) && !this.#tunnelled;
    const stalled = this.#stream.duplex.writableNeedDrain;
    if (stalled && this.#writeStalled && this.#timer.armed) return;
    this.#writeStalled = stalled;
    const { writeTimeoutMs, readTimeoutMs, minSendRate } = this.#options;
    const ms = stalled ? this.#writes.begin(this.#stream, writeTimeoutMs, minSendRate) : due ? readTimeoutMs : 0;
    if (ms > 0) this.#timer.set(ms);
    else this.#timer.clear();
  }

  #expired(): void {
    if (this.#phase === 'idle') {
      this.#close();
      return;
    }
    if (this.#phase !== 'exchange') return;
    if (this.#writeError !== undefined) {
      this.#fail(this.#writeError);
      return;
    }
    if (!this.#writeStalled) {
      this.#fail(new CirqueError('ReadTimedout', 'the upstream did not answer in time', { source: 'Upstream' }));
      return;
    }
    if (this.#writes.judge(this.#stream) === 'stalled') {
      this.#fail(
        new CirqueError('WriteTimedout', 'the upstream did not take the request in time', { source: 'Upstream' }),
      );
    } else {
      this.#writeStalled = false;
      this.#watch();
    }
  }
}

const NOTHING = Buffer.alloc(0);
