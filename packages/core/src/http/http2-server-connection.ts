/**
 * An HTTP/2 client connection: joins the engine to a stream of the transport, and gives each request to the application.
 *
 * Its own are the times of the connection (settings, idle, pings, a client that does not read) and its end: GOAWAY in two
 * steps (RFC 9113 section 6.8), so that no request on the wire is lost. Requests are http2-server-session.ts.
 */
import { CirqueError } from '@cirque/error';
import type { HeaderMap, RequestHeader } from '@cirque/http';
import { ErrorCode, Http2Connection, type Http2Handler, type Http2Sink, type Http2Stream } from '@cirque/http2';
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { Digest, Stream, StreamHandler } from '@cirque/transport';
import { drainLingerMs } from './drain-linger.ts';
import { errorResponse } from './error-response.ts';
import { flushSoon } from './flush-soon.ts';
import { HeadWatch } from './head-watch.ts';
import { HttpCounters } from './http-counters.ts';
import type { ResolvedHttpServerOptions } from './http-server-options.ts';
import type { RequestReceiver } from './http1-server-session.ts';
import { http2Request } from './http2-request.ts';
import { Http2ServerSession, type Http2SessionOwner } from './http2-server-session.ts';
import { LingeringClose } from './lingering-close.ts';
import { PingWatch, type PingWatchOwner } from './ping-watch.ts';
import { WriteWatch } from './write-watch.ts';

/** "No stream will be refused yet" (RFC 9113 section 6.8). */
const ANY_STREAM = 2 ** 31 - 1;
const DRAIN_PING = 0x6472_6169_6e00n;
const LIFE_PING = 0x616c_6976_6500n;

/** How far the connection is on its way to its end. */
type Phase = 'open' | 'announced' | 'last' | 'over';

/** See the file's head. */
export class Http2ServerConnection
  implements StreamHandler, Http2Handler, Http2Sink, Http2SessionOwner, PingWatchOwner
{
  readonly options: ResolvedHttpServerOptions;
  readonly wheel: TimerWheel | undefined;
  shuttingDown = false;
  readonly #stream: Stream;
  readonly #app: RequestReceiver;
  readonly #counters: HttpCounters;
  readonly #engine: Http2Connection;
  /** For the client's settings, and its word that it has ours. */
  readonly #settingsTimer: Timer;
  /** For an idle connection, and between the two steps of GOAWAY. */
  readonly #lifeTimer: Timer;
  readonly #heads: HeadWatch;
  readonly #writes: WriteWatch;
  readonly #pings: PingWatch | undefined;
  #phase: Phase = 'open';
  #clientHalfClosed = false;
  #requests = 0;
  /** A flush follows in any case. */
  #flushDue = false;
  /** Sessions that got a piece of their body since the last time they were told that this was all. */
  #delivered: Http2ServerSession[] = [];

  constructor(
    stream: Stream,
    app: RequestReceiver,
    options: ResolvedHttpServerOptions,
    wheel?: TimerWheel,
    counters: HttpCounters = new HttpCounters(),
  ) {
    this.#counters = counters;
    const { settings, limits, connectionWindowSize } = options.h2;
    this.#stream = stream;
    this.#app = app;
    this.options = options;
    this.wheel = wheel;
    this.#engine = new Http2Connection(this, this, { role: 'server', settings, limits, connectionWindowSize });
    this.#settingsTimer = new Timer(() => this.#settingsDue(), wheel);
    this.#lifeTimer = new Timer(() => this.#lifeExpired(), wheel);
    this.#heads = new HeadWatch(this.#engine, options.headTimeoutMs, () => this.#headDue(), wheel);
    this.#writes = new WriteWatch(stream, options, () => this.#stalled(), wheel);
    this.#pings = options.h2.pingIntervalMs > 0 ? new PingWatch(this, options.h2, wheel) : undefined;
  }

  /** Takes the stream over and begins. What was read of it already is given to {@link onRead}. */
  start(): void {
    const { headTimeoutMs } = this.options;
    if (headTimeoutMs > 0) this.#settingsTimer.set(headTimeoutMs);
    this.#stream.start(this);
    this.#engine.start();
    this.#settle();
  }

  /** The server stops: requests under way, and those on the wire, are answered, then the connection closes. */
  shutdown(): void {
    this.shuttingDown = true;
    this.#drain();
  }

  /** Ends the tunnels that run over this connection. */
  shutdownTunnels(): void {
    for (const session of this.#sessions()) session.shutdownTunnel();
    this.flushSoon();
  }

  get digest(): Digest {
    return this.#stream.digest;
  }

  get blocked(): boolean {
    return this.#stream.duplex.writableNeedDrain;
  }

  // ---- the transport's side

  onRead(buffer: Buffer, length: number): void {
    this.#pings?.heard();
    this.#flushDue = true;
    try {
      this.#engine.feed(buffer, 0, length);
    } catch (error) {
      this.#applicationThrew(error);
    }
    this.flushNow();
  }

  onReadEnd(): void {
    this.#clientHalfClosed = true;
    const left = connectionClosed();
    // Without the other direction no window opens any more; what fits into the present ones can still be sent.
    for (const stream of [...this.#engine.streams]) {
      const session = sessionOf(stream);
      if (!this.options.abortOnClose && session?.requestComplete === true && session.tunnel === undefined) continue;
      session?.lost(left);
      stream.reset(ErrorCode.CANCEL);
    }
    this.#phase = 'last';
    this.flushNow();
  }

  onDrain(): void {
    this.#writes.drained();
    if (this.#phase === 'over') return;
    try {
      this.#engine.sinkDrained();
    } catch (error) {
      this.#applicationThrew(error);
    }
    this.flushNow();
  }

  onClose(error: CirqueError | undefined): void {
    this.#end(error ?? connectionClosed());
  }

  write(bytes: Buffer, done: (() => void) | undefined): boolean {
    return done === undefined ? this.#stream.write(bytes) : this.#stream.writeLent(bytes, done);
  }

  // ---- the engine's side

  onRequest(stream: Http2Stream, header: RequestHeader, ended: boolean): void {
    this.#requests += 1;
    this.#counters.requests += 1;
    if (this.#phase === 'open') this.#lifeTimer.clear();
    const request = http2Request(header, stream.protocol, ended);
    if (request === undefined) {
      this.#refuse(stream);
      return;
    }
    const session = new Http2ServerSession(this, stream, request, ended, this.#requests);
    stream.owner = session;
    if (this.#requests === this.options.keepaliveRequestLimit) this.#drain();
    this.#app.processNewHttp(session);
  }

  onRequestRefused(error: CirqueError): void {
    this.#app.refusedRequest?.(error, error.status ?? 0, this.digest);
  }

  onData(stream: Http2Stream, buffer: Buffer, start: number, end: number): void {
    sessionOf(stream)?.receive(buffer, start, end);
  }

  onEnd(stream: Http2Stream, trailers: HeaderMap | undefined): void {
    sessionOf(stream)?.receiveEnd(trailers);
  }

  onWritable(stream: Http2Stream): void {
    sessionOf(stream)?.drained();
  }

  onReset(stream: Http2Stream, code: number, byUs: boolean): void {
    sessionOf(stream)?.wasReset(code, byUs);
  }

  onStreamClosed(stream: Http2Stream): void {
    sessionOf(stream)?.closed();
    this.flushSoon();
  }

  onRemoteSettings(): void {}

  onGoaway(): void {
    // It concerns streams that we would open; the client closes once it has its answers.
  }

  onPingAck(payload: bigint): void {
    if (payload === DRAIN_PING) this.#announceLast();
  }

  onConnectionError(error: CirqueError): void {
    this.#app.refusedRequest?.(error, 0, this.digest);
    this.#fail(error);
  }

  // ---- the sessions' side

  flushSoon(): void {
    if (this.#flushDue || this.#phase === 'over') return;
    this.#flushDue = true;
    flushSoon(this);
  }

  delivered(session: Http2ServerSession): void {
    if (this.#delivered.at(-1) !== session) this.#delivered.push(session);
    this.flushSoon();
  }

  /** @internal Tells sessions that all has come that there is, sends what is queued, and looks what is left to do. */
  flushNow(): void {
    if (this.#phase === 'over') return;
    this.#flushDue = true;
    try {
      this.#tellDelivered();
      this.#flushDue = false;
      this.#engine.flush();
    } catch (error) {
      this.#applicationThrew(error);
    }
    this.#settle();
  }

  #tellDelivered(): void {
    if (this.#delivered.length === 0) return;
    const sessions = this.#delivered;
    this.#delivered = [];
    for (const session of sessions) session.receivedAll();
  }

  /** It must not; nothing is known of its requests any more. */
  #applicationThrew(thrown: unknown): void {
    const error = CirqueError.from(thrown, 'InternalError', 'Internal');
    this.#engine.goaway(ErrorCode.INTERNAL_ERROR);
    this.#app.refusedRequest?.(error, 0, this.digest);
    this.#fail(error);
  }

  /** An extended CONNECT to a protocol that is not for tunnels. */
  #refuse(stream: Http2Stream): void {
    stream.writeHead(errorResponse(501), true);
    stream.reset(ErrorCode.NO_ERROR);
    const context = `a tunnel for ${JSON.stringify(stream.protocol)} is not opened`;
    this.#app.refusedRequest?.(CirqueError.downstream('InvalidHTTPHeader', context), 501, this.digest);
  }

  // ---- times

  #settingsDue(): void {
    if (this.#engine.settingsReceived && this.#engine.localSettingsAcked) return;
    this.#engine.goaway(ErrorCode.SETTINGS_TIMEOUT);
    const error = CirqueError.downstream('ReadTimedout', 'the client did not send or acknowledge SETTINGS in time');
    this.#app.refusedRequest?.(error, 0, this.digest);
    this.#fail(error);
  }

  /** Nothing can come any more but the rest of what does not come: what was asked before it is answered. */
  #headDue(): void {
    if (this.#phase === 'last' || this.#phase === 'over') return;
    const error = CirqueError.downstream('ReadTimedout', 'a head, or another frame, did not come to its end in time');
    this.#app.refusedRequest?.(error, 0, this.digest);
    this.#sayLast();
  }

  /** After everything that happens: writes, heads and idle connections are watched, one at its end is closed. */
  #settle(): void {
    // What ran may have ended the connection.
    if (this.#phase === 'over') return;
    this.#writes.wrote();
    this.#heads.look();
    if (this.#engine.openStreams > 0) return;
    if (this.#phase === 'last') {
      // GOAWAY and the last response go first.
      if (!this.blocked) this.#close();
    } else if (this.#phase === 'open' && !this.#lifeTimer.armed && this.options.idleTimeoutMs > 0) {
      this.#lifeTimer.set(this.options.idleTimeoutMs);
    }
  }

  #lifeExpired(): void {
    if (this.#phase === 'announced') this.#announceLast();
    else this.#drain();
  }

  #stalled(): void {
    this.#end(CirqueError.downstream('WriteTimedout', 'the client did not read in time'));
    this.#stream.destroy();
  }

  sendPing(): void {
    this.#engine.ping(LIFE_PING);
    this.flushNow();
  }

  pingTimedOut(): void {
    this.#end(CirqueError.downstream('PingTimedout', 'the client did not answer a PING in time'));
    this.#stream.destroy();
  }

  // ---- the end

  /** First step: says that the end is coming, and asks for a sign that the client has heard it. */
  #drain(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'announced';
    this.#engine.goaway(ErrorCode.NO_ERROR, ANY_STREAM);
    this.#engine.ping(DRAIN_PING);
    // In case that the client does not answer the ping.
    this.#lifeTimer.set(drainLingerMs(this.options.idleTimeoutMs));
    this.flushSoon();
  }

  /** Second step: what the client sent before it heard has arrived. It may send the rest elsewhere. */
  #announceLast(): void {
    if (this.#phase === 'announced') this.#sayLast();
  }

  #sayLast(): void {
    this.#phase = 'last';
    this.#lifeTimer.clear();
    this.#engine.goaway(ErrorCode.NO_ERROR);
    this.flushSoon();
  }

  /** The connection cannot go on: requests fail, and the client gets the reason that was queued. */
  #fail(error: CirqueError): void {
    if (this.#phase === 'over') return;
    this.#engine.flush();
    this.#end(error);
    this.#linger();
  }

  /** All is said. */
  #close(): void {
    if (this.#phase === 'over') return;
    this.#engine.flush();
    this.#end(connectionClosed());
    this.#linger();
  }

  #linger(): void {
    const facts = {
      clientHalfClosed: this.#clientHalfClosed,
      writeTimeoutMs: this.options.writeTimeoutMs,
      wheel: this.wheel,
    };
    new LingeringClose(this.#stream, facts).start();
  }

  /** Nothing is read or written any more. */
  #end(error: CirqueError): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#settingsTimer.close();
    this.#lifeTimer.close();
    this.#writes.close();
    this.#heads.close();
    this.#pings?.close();
    const sessions = this.#sessions();
    this.#engine.close();
    for (const session of sessions) session.lost(error);
  }

  #sessions(): Http2ServerSession[] {
    const sessions: Http2ServerSession[] = [];
    for (const stream of this.#engine.streams) {
      const session = sessionOf(stream);
      if (session !== undefined) sessions.push(session);
    }
    return sessions;
  }
}

function sessionOf(stream: Http2Stream): Http2ServerSession | undefined {
  return stream.owner as Http2ServerSession | undefined;
}

function connectionClosed(): CirqueError {
  return CirqueError.downstream('ConnectionClosed', 'the client closed the connection');
}
