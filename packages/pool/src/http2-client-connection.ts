/**
 * An HTTP/2 connection to an upstream: bytes between the transport and the engine, its sessions, its deadlines, its end.
 *
 * The engine (http2) knows the protocol, a session one request. Who gets a session and when: http2-connector.ts.
 */
import { Socket } from 'node:net';
import { CirqueError } from '@cirque/error';
import type { RequestHeader } from '@cirque/http';
import { ErrorCode, Http2Connection, type Http2Sink, type Http2Stream } from '@cirque/http2';
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { Digest, Lease, Stream, StreamHandler } from '@cirque/transport';
import { type Poolable, PoolEntry } from './connection-pool.ts';
import { Http2Batches } from './http2-batches.ts';
import { Http2ClientSession, type SessionConnection } from './http2-client-session.ts';
import { Http2Keepalive, type Pinged } from './http2-keepalive.ts';
import { connectionWindow } from './http2-peer-options.ts';
import { Http2StreamRouter, type RouterOwner } from './http2-stream-router.ts';
import { type PeerCounters, UNCOUNTED } from './peer-counters.ts';
import type { ResolvedPeerOptions } from './peer-options.ts';
import { protocolOf } from './peer-protocol.ts';
import { type ConnectionFacts, lostError, resetError, rulesError } from './stream-error.ts';

/** How long the farewell may take to leave this process. */
const FAREWELL_MS = 1_000;
/** Reads of at least this size go to leased buffers, so that bodies can be written on without a copy. */
const LARGE_READ_BYTES = 16_384;

/** Who shares the connection out. */
export interface Http2ConnectionOwner {
  /** The number of free places may have changed. */
  changed(connection: Http2ClientConnection): void;
  /** It is closed; at most once. `error` is undefined after an orderly end. */
  closed(connection: Http2ClientConnection, error: CirqueError | undefined): void;
  /** The upstream wants to be asked over HTTP/1.1, which is possible and to be remembered for the given time. */
  downgraded(connection: Http2ClientConnection, forMs: number): void;
}

/** See the file's head. */
export class Http2ClientConnection
  implements SessionConnection, StreamHandler, RouterOwner, Http2Sink, Poolable, Pinged, ConnectionFacts
{
  readonly entry: PoolEntry<Http2ClientConnection>;
  /** The cap that it counts against while in use; the connector's own. */
  slotKey: string | undefined = undefined;
  /** The connector's own: counted as in use. */
  inUse = false;
  /** Of the peer that used it last. */
  idleTimeoutMs = 0;
  /** Where its requests are counted; the connector's own. */
  counters: PeerCounters = UNCOUNTED;
  answered = false;
  writes = 0;
  bytesRead = 0;

  readonly #transport: Stream;
  /** Its buffers are made for us. Those of a user's own duplex may be somebody's constants. */
  readonly #ownsReads: boolean;
  readonly #router: Http2StreamRouter = new Http2StreamRouter(this);
  readonly #engine: Http2Connection;
  readonly #batches: Http2Batches;
  readonly #owner: Http2ConnectionOwner;
  readonly #options: ResolvedPeerOptions;
  readonly #wheel: TimerWheel | undefined;
  readonly #sessions = new Set<Http2ClientSession>();
  readonly #keepalive: Http2Keepalive;
  /** Until both sides know the settings of the other. */
  readonly #settingsTimer: Timer;
  /** While idle, and during the farewell. */
  readonly #timer: Timer;
  #draining = false;
  /** Nothing comes or goes any more. */
  #dead = false;
  /** The engine has given up, and keeps nothing. */
  #broken = false;

  constructor(
    transport: Stream,
    key: string,
    options: ResolvedPeerOptions,
    owner: Http2ConnectionOwner,
    wheel?: TimerWheel,
  ) {
    this.entry = new PoolEntry(key, this);
    this.#transport = transport;
    this.#ownsReads = transport.duplex instanceof Socket;
    this.#options = options;
    this.#owner = owner;
    this.#wheel = wheel;
    this.#engine = new Http2Connection(this, this.#router, engineOptions(options));
    this.#batches = new Http2Batches(this.#engine);
    this.#keepalive = new Http2Keepalive(this, options.h2PingIntervalMs, options.h2PingTimeoutMs, wheel);
    this.#settingsTimer = new Timer(() => this.#settingsTimedOut(), wheel);
    this.#timer = new Timer(() => this.#expired(), wheel);
    if (options.connectionTimeoutMs > 0) this.#settingsTimer.set(options.connectionTimeoutMs);
    transport.start(this);
    this.#engine.start();
  }

  get digest(): Digest {
    return this.#transport.digest;
  }

  /** Requests on it, and places taken for requests that are yet to be sent. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** True once the upstream has told its settings; before, it gets one request only. */
  get ready(): boolean {
    return this.#engine.settingsReceived;
  }

  /** It takes no more requests, and closes when the last one ends. */
  get draining(): boolean {
    return this.#draining || this.#dead;
  }

  get mayDowngrade(): boolean {
    return protocolOf(this.#options) === 'either' && this.#options.h2DowngradeMs > 0;
  }

  /** How many more requests it takes now. */
  get freePlaces(): number {
    if (this.draining || !this.#engine.canOpenStream) return 0;
    return Math.max(0, this.#limit - this.#sessions.size);
  }

  get #limit(): number {
    // Until the limit is known one request goes ahead: its upstream refuses it at worst, which is safe to retry.
    if (!this.ready) return 1;
    return Math.min(this.#options.maxH2Streams, this.#engine.remoteSettings.maxConcurrentStreams);
  }

  /** Takes a place; only when one is free. */
  take(options: ResolvedPeerOptions): Http2ClientSession {
    this.#timer.clear();
    this.idleTimeoutMs = options.idleTimeoutMs;
    const session = new Http2ClientSession(this, options, this.answered, this.#wheel);
    this.#sessions.add(session);
    this.counters.requests += 1;
    this.counters.active += 1;
    return session;
  }

  /** Watches an idle connection: after the given time it closes itself. */
  idle(timeoutMs: number): void {
    this.#timer.set(timeoutMs);
  }

  /** The pool gives it up. */
  evicted(): void {
    this.#farewell();
  }

  // ---- what sessions ask for

  openStream(session: Http2ClientSession, header: RequestHeader, endStream: boolean): Http2Stream {
    if (header.method === 'CONNECT') {
      throw CirqueError.internal('InternalError', 'CONNECT needs an HTTP/1 connection: ask for it with http1Only');
    }
    const authority = header.headers.get('host');
    if (authority === undefined) {
      throw CirqueError.internal('InvalidHTTPHeader', 'a request without Host cannot be sent over HTTP/2');
    }
    const scheme = this.#options.tls ? 'https' : 'http';
    const stream = this.#engine.openStream(header, { scheme, authority }, endStream);
    stream.owner = session;
    return stream;
  }

  flushSoon(session: Http2ClientSession | undefined): void {
    this.#batches.flushSoon(session);
  }

  touched(session: Http2ClientSession): void {
    this.#batches.touched(session);
  }

  /**
   * A session has timed out. If nothing at all has come since `mark` bytes had been read, or less than a whole head, the
   * connection may be dead: it gets no more requests.
   */
  suspect(mark: number): void {
    if (this.draining || (this.bytesRead !== mark && this.#engine.unfinishedHead === 0)) return;
    this.#drain();
  }

  left(session: Http2ClientSession): void {
    if (this.#sessions.delete(session)) this.counters.active -= 1;
    if (this.#dead) {
      if (this.#sessions.size === 0) this.#engine.close();
      return;
    }
    if (this.#draining && this.#sessions.size === 0) this.#farewell();
    else this.#owner.changed(this);
  }

  sendPing(payload: bigint): void {
    this.#engine.ping(payload);
    this.flushSoon(undefined);
  }

  pingTimedOut(): void {
    const what = `no answer to a PING within ${this.#options.h2PingTimeoutMs} ms`;
    this.#close(CirqueError.upstream('PingTimedout', what));
  }

  // ---- the transport

  onRead(buffer: Buffer, length: number, lease: Lease | undefined): void {
    if (this.#dead) return;
    this.bytesRead += length;
    this.#keepalive.heard();
    this.#transport.largeReads = length >= LARGE_READ_BYTES;
    this.#batches.beginRead();
    if (this.#ownsReads) this.#router.beginRead(buffer, lease);
    this.#engine.feed(buffer, 0, length);
    this.#router.endRead();
    if (this.#settingsTimer.armed && this.#engine.settingsReceived && this.#engine.localSettingsAcked) {
      this.#settingsTimer.close();
    }
    this.#batches.endRead();
  }

  onReadEnd(): void {
    this.#close(CirqueError.upstream('ConnectionClosed', 'the upstream closed the connection'));
  }

  onDrain(): void {
    if (!this.#dead) this.#engine.sinkDrained();
  }

  onClose(error: CirqueError | undefined): void {
    this.#close(error ?? CirqueError.upstream('ConnectionClosed', 'the upstream connection was closed'));
  }

  write(bytes: Buffer, done: (() => void) | undefined): boolean {
    const { duplex } = this.#transport;
    if (duplex.destroyed || duplex.writableEnded) {
      done?.();
      return true;
    }
    this.writes += 1;
    return done === undefined ? duplex.write(bytes) : this.#transport.writeLent(bytes, done);
  }

  // ---- the engine

  streamReset(session: Http2ClientSession, code: number, byUs: boolean, reason: string | undefined): void {
    if (byUs) {
      session.fail(rulesError(reason));
      return;
    }
    if (code === ErrorCode.HTTP_1_1_REQUIRED) this.#downgrade();
    session.fail(resetError(code, session, this));
  }

  onRemoteSettings(): void {
    if (this.#limit === 0 && !this.answered) {
      this.#close(
        CirqueError.upstream('H2Error', 'the upstream allows no streams (SETTINGS_MAX_CONCURRENT_STREAMS is 0)'),
      );
    } else {
      this.#owner.changed(this);
    }
  }

  onGoaway(_lastStreamId: number, code: number): void {
    if (code === ErrorCode.HTTP_1_1_REQUIRED) this.#downgrade();
    if (!this.draining) this.#drain();
  }

  onPingAck(payload: bigint): void {
    this.#keepalive.answered(payload);
  }

  onConnectionError(error: CirqueError): void {
    this.#broken = true;
    this.#close(error);
  }

  // ---- deadlines

  #settingsTimedOut(): void {
    const what = this.ready ? 'did not acknowledge our SETTINGS' : 'sent no SETTINGS: is it an HTTP/2 server?';
    this.#engine.goaway(ErrorCode.SETTINGS_TIMEOUT);
    this.#batches.flush();
    this.#close(CirqueError.upstream('H2Error', `the upstream ${what} within ${this.#options.connectionTimeoutMs} ms`));
  }

  #expired(): void {
    if (this.#draining) this.#transport.destroy();
    else this.#farewell();
  }

  // ---- the end

  #downgrade(): void {
    if (this.mayDowngrade) this.#owner.downgraded(this, this.#options.h2DowngradeMs);
  }

  #drain(): void {
    this.#draining = true;
    this.#owner.changed(this);
    if (this.#sessions.size === 0) this.#farewell();
  }

  /** Ends an unused connection in order: GOAWAY, FIN, close. */
  #farewell(): void {
    if (this.#dead) return;
    this.#draining = true;
    this.#engine.goaway(ErrorCode.NO_ERROR);
    this.#batches.flush();
    const transport = this.#transport;
    this.#end(undefined);
    this.#timer.set(FAREWELL_MS);
    transport.duplex.end(() => transport.destroy());
  }

  /** The connection is broken. */
  #close(error: CirqueError): void {
    if (this.#dead) {
      this.#timer.close();
      this.#transport.destroy();
      return;
    }
    this.#end(error);
    this.#transport.destroy();
  }

  /** Nothing comes or goes any more. Responses that are here, and wait for their reader, are kept. */
  #end(error: CirqueError | undefined): void {
    this.#dead = true;
    this.#timer.close();
    this.#settingsTimer.close();
    this.#keepalive.close();
    this.#batches.close();
    this.#owner.closed(this, error);
    if (error !== undefined) {
      for (const session of [...this.#sessions]) {
        if (!session.isWhole(!this.#broken)) session.fail(lostError(error, session, this));
      }
    }
    if (this.#sessions.size === 0) this.#engine.close();
  }
}

function engineOptions(options: ResolvedPeerOptions): ConstructorParameters<typeof Http2Connection>[2] {
  const { h2StreamWindowBytes: initialWindowSize, limits } = options;
  const { maxHeadBytes: maxHeaderListBytes, maxFields: maxHeaderFields } = limits;
  return {
    role: 'client',
    settings: { enablePush: false, initialWindowSize, maxHeaderListSize: maxHeaderListBytes },
    connectionWindowSize: connectionWindow(options),
    limits: { maxHeaderListBytes, maxHeaderFields },
  };
}
