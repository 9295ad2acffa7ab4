/**
 * An HTTP/1 client connection: reads requests one after another and answers them in order.
 *
 * One object per connection for its whole life; it is the ServerSession of whatever request is current. Bytes that
 * come too early (pipelined requests, a body nobody wants yet) are held up to a cap, then reading pauses.
 */
import { CirqueError, statusFor } from '@cirque/error';
import { type ConnectionOptions, type HeaderMap, RequestHeader, type ResponseHeader, type Target } from '@cirque/http';
import { CHUNKED, type MessageSink, RequestDecoder, type RequestRules, requestHead } from '@cirque/http1';
import type { TimerWheel } from '@cirque/timeout';
import type { Digest, Lease, Stream, StreamHandler } from '@cirque/transport';
import { errorResponse } from './error-response.ts';
import { HttpCounters } from './http-counters.ts';
import type { ResolvedHttpServerOptions } from './http-server-options.ts';
import { type Http1DeadlineOwner, Http1Deadlines } from './http1-deadlines.ts';
import { LingeringClose } from './lingering-close.ts';
import { NOBODY } from './no-handler.ts';
import { PausedWatch } from './paused-watch.ts';
import { ResponseWriter } from './response-writer.ts';
import type { ServerSession, ServerSessionHandler, TunnelRequest } from './server-session.ts';
import { TunnelEnd } from './tunnel-end.ts';
import { opensTunnel, tunnelRequest, tunnelTimeOver, wantsTrailers } from './tunnel-request.ts';

/** What a connection needs to know of its application. */
export interface RequestReceiver {
  /** A request head was parsed; `session` stands for it until `end` or `abort`. */
  processNewHttp(session: ServerSession): void;
  /** A head that could not be parsed was answered with `status` (0: nothing was sent). */
  refusedRequest?(error: CirqueError, status: number, digest: Digest): void;
}

/** Bytes held before reading pauses. */
const MAX_HELD_BYTES = 65_536;

const NOTHING = Buffer.alloc(0);
const NO_REQUEST = new RequestHeader('GET', '/');

/** See the file's head. */
export class Http1ServerSession implements ServerSession, StreamHandler, MessageSink, Http1DeadlineOwner {
  requestHeader: RequestHeader = NO_REQUEST;
  bodyLength: number | undefined = 0;
  connectionOptions!: ConnectionOptions;
  target: Target | undefined = undefined;
  tunnel: TunnelRequest | undefined = undefined;
  expectContinue = false;
  requestNumber = 0;
  connectionContext: unknown = undefined;
  handler: ServerSessionHandler = NOBODY;
  bodyBytesReceived = 0;
  minorVersion = 1;

  readonly #stream: Stream;
  readonly #app: RequestReceiver;
  readonly #options: ResolvedHttpServerOptions;
  readonly #decoder: RequestDecoder;
  readonly #writer: ResponseWriter;
  readonly #deadlines: Http1Deadlines;
  readonly #counters: HttpCounters;
  #pausedWatch: PausedWatch | undefined = undefined;
  #tunnelEnd: TunnelEnd | undefined = undefined;
  readonly #wheel: TimerWheel | undefined;
  /** A request is being answered. */
  #active = false;
  #pumping = false;
  #held: Buffer | undefined = undefined;
  #readPaused = false;
  /** The owner of the request wants nothing of its body for now. */
  #paused = false;
  #clientGone = false;
  #clientHalfClosed = false;
  #closing = false;
  /** The current request says that it is the last one. */
  #clientCloses = false;
  /** The connection is a tunnel: what comes is no HTTP any more. */
  #tunnelled = false;
  shuttingDown = false;

  constructor(
    stream: Stream,
    app: RequestReceiver,
    options: ResolvedHttpServerOptions,
    rules: RequestRules,
    wheel?: TimerWheel,
    counters: HttpCounters = new HttpCounters(),
  ) {
    this.#stream = stream;
    this.#app = app;
    this.#options = options;
    this.#decoder = new RequestDecoder(this, rules);
    this.#writer = new ResponseWriter(stream);
    this.#wheel = wheel;
    this.#counters = counters;
    this.#deadlines = new Http1Deadlines(stream, options, this, wheel);
  }

  /** Begins to read requests. */
  start(): void {
    this.#deadlines.armHead('first-byte');
    this.#stream.start(this);
  }

  /** The server stops: the current request is finished, then the connection closes; an idle one closes soon. */
  shutdown(): void {
    this.shuttingDown = true;
    if (this.#active) {
      if (!this.#writer.started) this.#writer.keepAlive = false;
    } else if (this.#writer.ended) {
      // The client still takes the last response.
      this.#lingeringClose();
    } else if (!this.#closing && !this.#decoder.insideHead) {
      this.#deadlines.armIdle(true);
    }
  }

  /** The time of tunnels is over: for the owner the client ends now, then the tunnel does; see tunnel-end.ts. */
  shutdownTunnels(): void {
    if (!this.#tunnelled || !this.#active || this.#tunnelEnd !== undefined) return;
    this.#tunnelEnd = new TunnelEnd(() => this.#cutTunnel(), this.#wheel);
    this.#endOfTunnel();
  }

  /** What has been written goes out, then FIN. */
  #cutTunnel(): void {
    if (!this.#active) return;
    const { handler } = this;
    this.#release();
    this.#writer.flush();
    // Whatever the owner does with its request now concerns nobody any more.
    this.#clientGone = true;
    this.#lingeringClose();
    handler.onDownstreamError(tunnelTimeOver());
  }

  get digest(): Digest {
    return this.#stream.digest;
  }
  get writable(): boolean {
    return !this.#clientGone && !this.#writer.ended;
  }
  get responseStarted(): boolean {
    return this.#writer.started;
  }
  get responseEnded(): boolean {
    return this.#writer.ended;
  }
  get bodyBytesSent(): number {
    return this.#writer.bodyBytes;
  }
  get requestComplete(): boolean {
    return this.#decoder.received || this.#tunnelled;
  }
  get acceptsTrailers(): boolean {
    return this.minorVersion > 0 && this.connectionOptions.te && wantsTrailers(this.requestHeader);
  }

  pause(): void {
    this.#paused = true;
    this.#decoder.hold();
  }

  resume(): void {
    this.#paused = false;
    this.#decoder.unhold();
    this.#held ??= NOTHING;
    this.#pump();
  }

  disableKeepAlive(): void {
    this.#writer.keepAlive = false;
  }

  writeHead(header: ResponseHeader, end: boolean): void {
    if (this.#clientGone) return;
    if (opensTunnel(this.tunnel, header.status)) {
      this.#openTunnel(header);
      return;
    }
    // A response before the end of the request leaves bytes behind that nobody will read, and what comes after a refused
    // CONNECT may have been meant for its target: close after it.
    if (!header.informational && (!this.#decoder.received || this.tunnel?.kind === 'connect')) this.disableKeepAlive();
    this.#writer.head(header, end, this.requestHeader.method, this.minorVersion);
    this.#deadlines.watchWrites();
  }

  writeBody(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean {
    if (this.#clientGone) return true;
    const more = this.#writer.body(buffer, start, end, lease);
    if (!more) this.#deadlines.watchWrites();
    return more;
  }

  flush(): void {
    if (!this.#clientGone && !this.#writer.flush()) this.#deadlines.watchWrites();
  }

  writeEnd(trailers?: HeaderMap): void {
    if (this.#clientGone || !this.#writer.started || this.#writer.ended) return;
    this.#writer.end(trailers !== undefined && this.acceptsTrailers ? trailers : undefined);
    if (this.#tunnelled) this.#stream.end();
  }

  finish(): void {
    this.#release();
    this.#pump();
  }

  end(trailers?: HeaderMap): void {
    this.writeEnd(trailers);
    this.finish();
  }

  /** From now on both directions are bytes. What the client has sent already waits in `#held`. */
  #openTunnel(header: ResponseHeader): void {
    if (!this.#decoder.received) {
      throw CirqueError.internal('InternalError', 'a tunnel cannot be opened before the end of its request');
    }
    this.#writer.tunnel(header);
    this.#tunnelled = true;
    this.#deadlines.stop();
    this.#decoder.tunnel();
    // The owner resumes when it is ready for them.
    this.pause();
  }

  abort(error: CirqueError): void {
    this.#release();
    this.#decoder.stop();
    if (this.#clientGone) return;
    // A body that ends with the connection would look complete after a FIN.
    if (this.#writer.untilClose) {
      this.#stream.reset(error);
      return;
    }
    this.#writer.flush();
    this.#lingeringClose();
  }

  onRead(buffer: Buffer, length: number): void {
    if (this.#held !== undefined) this.#hold(buffer, 0, length);
    else this.#feed(buffer, length, false);
    this.#pump();
  }

  onReadEnd(): void {
    this.#clientHalfClosed = true;
    if (this.#clientGone || !this.#active) {
      // Between requests, or inside a head: nothing is owed to anybody but what is on its way.
      if (this.#clientGone || !this.#stream.writePending) this.#stream.destroy();
      else this.#lingeringClose();
    } else if (this.#tunnelled) {
      this.#endOfTunnel();
    } else if (this.#options.abortOnClose || this.#bodyCut) {
      this.#leave(connectionClosed());
    } else {
      this.#writer.keepAlive = false;
    }
  }

  onDrain(): void {
    this.#deadlines.drained();
    this.handler.onDownstreamDrain();
    if (this.#writer.ended && !this.#active) this.#pump();
  }

  onClose(error: CirqueError | undefined): void {
    this.#deadlines.close();
    this.#pausedWatch?.end();
    this.#tunnelEnd?.close();
    if (this.#active) this.#leave(error ?? connectionClosed());
    this.#clientGone = true;
  }

  onMessageHead(): void {
    this.requestHeader = requestHead.header;
    this.connectionOptions = requestHead.connection;
    this.target = requestHead.target;
    this.expectContinue = requestHead.expectContinue;
    this.tunnel = tunnelRequest(requestHead);
    this.minorVersion = requestHead.minorVersion;
    this.bodyLength = requestHead.framing === CHUNKED ? undefined : requestHead.framing;
    this.bodyBytesReceived = 0;
    this.requestNumber += 1;
    const limit = this.#options.keepaliveRequestLimit;
    const more = !this.shuttingDown && (limit === 0 || this.requestNumber < limit);
    this.#clientCloses = !requestHead.keepAlive && (requestHead.framing !== 0 || isBodiless(this.requestHeader.method));
    this.#writer.reset(requestHead.keepAlive && more);
    this.#active = true;
    this.#counters.requests += 1;
    if (this.bodyLength === 0) this.#deadlines.stop();
    else this.#deadlines.armBody();
    this.#app.processNewHttp(this);
  }

  onBodyBytes(buffer: Buffer, start: number, end: number): void {
    this.bodyBytesReceived += end - start;
    this.handler.onRequestBody(buffer, start, end);
  }

  onMessageEnd(trailers: HeaderMap | undefined): void {
    if (this.#deadlines.current === 'body') this.#deadlines.stop();
    if (this.bodyLength !== 0 || this.#tunnelled) this.handler.onRequestEnd(trailers);
  }

  /** The client ends its side: told behind everything that it has sent. */
  #endOfTunnel(): void {
    if (this.#held === undefined && this.#decoder.state === 'until-close') this.#decoder.finish();
  }

  /** `owned`: the bytes are ours, so what is left of them needs no copy, however many requests it holds. */
  #feed(buffer: Buffer, length: number, owned: boolean): void {
    this.#pumping = true;
    try {
      const consumed = this.#decoder.feed(buffer, 0, length);
      if (consumed < length) {
        if (owned) this.#held = buffer.subarray(consumed, length);
        else this.#hold(buffer, consumed, length);
      }
      if (this.bodyLength !== 0 || this.#tunnelled) this.handler.onDownstreamFlush?.();
    } catch (error) {
      this.#refuse(CirqueError.from(error, 'InternalError', 'Downstream'));
    } finally {
      this.#pumping = false;
    }
  }

  /** Goes on with what is held, request after request; a loop, so that pipelining never deepens the stack. */
  #pump(): void {
    if (this.#pumping) return;
    for (;;) {
      if (this.#writer.ended && !this.#active && !this.#nextRequest()) return;
      const held = this.#held;
      if (held === undefined || this.#closing) break;
      this.#held = undefined;
      this.#feed(held, held.length, true);
      // Nothing was consumed: the rest has to wait for its turn.
      if ((this.#held as Buffer | undefined)?.length === held.length) break;
    }
    this.#afterRead();
  }

  /** The client sends nothing more, and what it has sent is not a whole request. */
  get #bodyCut(): boolean {
    return this.#clientHalfClosed && !this.#decoder.received && (this.#held === undefined || this.#held.length === 0);
  }

  /** Resumes the socket once the held bytes are gone, and watches the head or body that is under way. */
  #afterRead(): void {
    if (this.#readPaused && this.#held === undefined) {
      this.#readPaused = false;
      this.#pausedWatch?.end();
      this.#stream.resume();
    }
    const { current } = this.#deadlines;
    if (this.#decoder.insideHead && current !== 'head' && !this.#active) this.#deadlines.armHead('head');
    else if (current === 'body') this.#deadlines.armBody();
    if (this.#tunnelled) {
      if ((this.#clientHalfClosed || this.#tunnelEnd !== undefined) && this.#active) this.#endOfTunnel();
    } else if (this.#active && this.#bodyCut) this.#leave(connectionClosed());
  }

  #hold(buffer: Buffer, start: number, end: number): void {
    if (this.#decoder.state === 'stopped') return;
    const rest = buffer.subarray(start, end);
    this.#held = this.#held === undefined ? Buffer.from(rest) : Buffer.concat([this.#held, rest]);
    if (this.#held.length > MAX_HELD_BYTES && !this.#readPaused) {
      this.#readPaused = true;
      this.#stream.pause();
      this.#pausedWatch ??= new PausedWatch(this.#stream, () => this.#stream.destroy(connectionClosed()), this.#wheel);
      this.#pausedWatch.begin();
    }
  }

  /** After a finished response: the next request of the connection, or its end. */
  #nextRequest(): boolean {
    if (this.#closing || this.#clientGone) return false;
    if (!this.#writer.keepAlive || !this.#decoder.received || this.#clientHalfClosed) {
      this.#lingeringClose();
      return false;
    }
    // Else a client that sends requests and reads no response would fill our memory.
    if (this.#stream.duplex.writableNeedDrain) {
      this.#deadlines.watchWrites();
      return false;
    }
    this.#writer.reset(false);
    // An idle connection keeps nothing of its last request: there may be very many.
    this.requestHeader = NO_REQUEST;
    this.target = undefined;
    this.tunnel = undefined;
    this.#paused = false;
    this.#decoder.unhold();
    this.#decoder.next();
    this.#deadlines.forgetWrites();
    this.#deadlines.armIdle(this.shuttingDown);
    return true;
  }

  /** The request is over for its owner; nothing more is reported to it. */
  #release(): void {
    this.#active = false;
    this.handler = NOBODY;
  }

  /** Bytes that are not acceptable: answered if nothing was sent yet, then the connection ends. */
  #refuse(error: CirqueError): void {
    this.#held = undefined;
    if (this.#active) {
      this.handler.onDownstreamError(error);
      return;
    }
    const status = statusFor(error);
    this.minorVersion = 1;
    if (status > 0) {
      this.#writer.reset(false);
      this.#writer.head(errorResponse(status), true, 'GET', 1);
    }
    this.#app.refusedRequest?.(error, status, this.digest);
    this.#lingeringClose();
  }

  /** The client is gone in the middle of a request. */
  #leave(error: CirqueError): void {
    this.#clientGone = true;
    this.#writer.discard();
    this.#decoder.stop();
    const handler = this.handler;
    this.#release();
    this.#stream.destroy();
    handler.onDownstreamError(error);
  }

  /** Hands the connection over to its end; see lingering-close.ts. */
  #lingeringClose(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#deadlines.stop();
    // The client sends nothing after a request that says close, so there is nothing to wait for once all is written.
    if (this.#clientCloses && this.#decoder.received && this.#held === undefined && !this.#stream.writePending) {
      this.#stream.destroy();
      return;
    }
    this.#held = undefined;
    this.#decoder.stop();
    this.#deadlines.close();
    this.#pausedWatch?.end();
    const facts = {
      clientHalfClosed: this.#clientHalfClosed,
      writeTimeoutMs: this.#options.writeTimeoutMs,
      wheel: this.#wheel,
    };
    new LingeringClose(this.#stream, facts).start();
  }

  // ---- what the deadlines ask, and tell

  /** @internal of Http1DeadlineOwner */
  get bodyDue(): boolean {
    return this.#active && !this.requestComplete && this.#decoder.state !== 'stopped';
  }

  /** @internal of Http1DeadlineOwner */
  headTimedOut(): void {
    this.#refuse(timedOut('ReadTimedout', 'the request head did not arrive in time'));
  }

  /** @internal of Http1DeadlineOwner */
  bodyTimedOut(): void {
    // Somebody told the client to wait: it is not the client that is slow.
    if (this.#paused || this.#held !== undefined || this.#readPaused) this.#deadlines.armBody();
    else if (this.#active && this.#decoder.state !== 'stopped') {
      this.#decoder.stop();
      this.handler.onDownstreamError(timedOut('ReadTimedout', 'the request body did not arrive in time'));
    }
  }

  /** @internal of Http1DeadlineOwner */
  writeTimedOut(): void {
    if (this.#active) this.#leave(timedOut('WriteTimedout', 'the client did not read the response in time'));
    else this.#stream.destroy();
  }

  /** @internal of Http1DeadlineOwner */
  idleTimedOut(): void {
    this.#stream.destroy();
  }
}

/** Without a length there is no body, but some old clients send one all the same with other methods. */
function isBodiless(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function connectionClosed(): CirqueError {
  return CirqueError.downstream('ConnectionClosed', 'the client closed the connection');
}

function timedOut(type: 'ReadTimedout' | 'WriteTimedout', what: string): CirqueError {
  return new CirqueError(type, what, { source: 'Downstream' });
}
