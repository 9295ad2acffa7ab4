/**
 * One HTTP/2 connection, for either role: bytes in, events out, bytes out. No sockets, no timers.
 *
 * What users see; the work is done in inbound.ts, sender.ts and receiver.ts, on the state in connection-core.ts.
 */
import { CirqueError } from '@cirque/error';
import { isHostValue, isToken, type RequestHeader } from '@cirque/http';
import { ConnectionCore } from './connection-core.ts';
import { DEFAULT_WINDOW, MAX_STREAM_ID } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import type { Http2Handler, Http2Sink } from './http2-handler.ts';
import { type Http2Options, mergeSettings, resolveHttp2Options } from './http2-options.ts';
import type { Http2Stream } from './http2-stream.ts';
import { Inbound } from './inbound.ts';
import type { Http2Settings } from './settings.ts';
import { EngineStream } from './stream.ts';

/** Where a request goes: what becomes its pseudo fields. */
export interface Http2Target {
  readonly scheme: 'http' | 'https';
  /** `host[:port]`; for CONNECT `host:port`. */
  readonly authority: string;
  /** Makes it an extended CONNECT (RFC 8441); the method of the head must be CONNECT, its target the path. */
  readonly protocol?: string | undefined;
}

/** See the file header. Nothing is written before {@link flush}, except where it says so or when there is much. */
export class Http2Connection {
  readonly #core: ConnectionCore;
  readonly #inbound: Inbound;
  readonly #reader: FrameReader;
  readonly #settings: Http2Settings;
  readonly #windowSize: number;
  #nextId = 1;

  /** @throws TypeError or RangeError naming the option, the value and what would be right. */
  constructor(sink: Http2Sink, handler: Http2Handler, options: Http2Options) {
    const resolved = resolveHttp2Options(options);
    const needed = resolved.server ? 'onRequest' : 'onResponse';
    if (typeof handler[needed] !== 'function')
      throw new TypeError(`handler has no ${needed}: a ${options.role} needs it`);
    const core = new ConnectionCore(this, sink, handler, resolved);
    const inbound = new Inbound(core, (maxFrameSize) => {
      this.#reader.maxFrameSize = maxFrameSize;
    });
    this.#core = core;
    this.#inbound = inbound;
    this.#settings = resolved.settings;
    this.#windowSize = resolved.connectionWindowSize;
    this.#reader = new FrameReader(inbound, resolved.settings.maxFrameSize, resolved.server);
    core.stopReading = (): void => this.#reader.stop();
  }

  /** Sends the preface (client) and our settings, and flushes. Once, before anything else. */
  start(): void {
    const { local, receive, server, writer } = this.#core;
    if (!server) writer.preface();
    local.announce(this.#settings);
    if (this.#windowSize > DEFAULT_WINDOW) {
      writer.windowUpdate(0, this.#windowSize - DEFAULT_WINDOW);
      receive.resize(this.#windowSize);
    }
    this.flush();
  }

  /** Takes bytes from the peer: `buffer[start, end)`. Never throws because of them. Does not flush. */
  feed(buffer: Buffer, start: number, end: number): void {
    if (!this.#core.dead) this.#reader.feed(buffer, start, end);
  }

  /** Hands everything that may be sent now to the sink. */
  flush(): void {
    if (this.#core.dead) return;
    this.#core.sender.pump();
    this.#core.writer.flush();
  }

  /** The sink takes more, after `write` had answered false. Flushes. */
  sinkDrained(): void {
    this.#core.writer.blocked = false;
    this.flush();
  }

  /**
   * Client: sends a request head. `endStream` says that no body follows.
   *
   * @throws CirqueError H2Error with `retry` true when {@link canOpenStream} is false; InvalidHTTPHeader when the authority
   * cannot be sent; H2Error when the server does not accept `protocol`.
   */
  openStream(header: RequestHeader, target: Http2Target, endStream: boolean): Http2Stream {
    const core = this.#core;
    if (!this.canOpenStream) throw refused('no further stream can be opened on this connection', true);
    if (target.protocol !== undefined) this.#checkProtocol(target.protocol, header.method);
    if (!isHostValue(target.authority) || target.authority === '') {
      const shown = JSON.stringify(target.authority.slice(0, 128));
      throw new CirqueError('InvalidHTTPHeader', `authority ${shown} is not host[:port]`, { source: 'Internal' });
    }
    const stream = new EngineStream(core, this.#nextId, target.scheme, target.protocol);
    this.#nextId += 2;
    core.streams.highest = stream.id;
    core.streams.add(stream);
    stream.method = header.method;
    stream.headWritten = true;
    stream.localClosed = endStream;
    core.guard.work(0);
    core.sender.request(stream, header, target, endStream);
    return stream;
  }

  /**
   * Announces that requests above `lastStreamId`, by default the highest that was reported, will not be answered: they are
   * ignored from now on. 2**31 - 1, the first of two steps, only announces that this is coming.
   */
  goaway(code: number, lastStreamId: number = this.#core.lastProcessed, debug: string = ''): void {
    const core = this.#core;
    if (core.dead) return;
    core.lastAllowed = Math.min(core.lastAllowed, lastStreamId);
    core.writer.goaway(core.lastAllowed, code, debug);
  }

  /** Asks for a sign of life; `onPingAck` gets the payload, 64 bits. */
  ping(payload: bigint): void {
    if (!this.#core.dead) this.#core.writer.ping(payload);
  }

  /**
   * Changes what was announced; in force once the peer acknowledges it.
   * @throws TypeError or RangeError naming the setting, the value and what would be right.
   */
  updateSettings(settings: Partial<Http2Settings>): void {
    const { dead, local } = this.#core;
    const next = mergeSettings(local.announced, settings);
    if (dead) return;
    // Larger frames may come before the acknowledgement is read.
    this.#reader.maxFrameSize = Math.max(this.#reader.maxFrameSize, next.maxFrameSize);
    local.announce(next);
  }

  /** What the peer announced; the defaults of RFC 9113 before. */
  get remoteSettings(): Http2Settings {
    return this.#core.remote;
  }

  /** The peer's first SETTINGS has come. */
  get settingsReceived(): boolean {
    return this.#core.settingsReceived;
  }

  /** The peer has acknowledged all settings that we sent. */
  get localSettingsAcked(): boolean {
    return this.#core.local.allAcknowledged;
  }

  /**
   * Not 0 while a head, trailers, or a frame other than DATA has begun to come and is not whole: nothing else can come before
   * its end. Another number means another one.
   */
  get unfinishedHead(): number {
    const block = this.#inbound.incompleteHead;
    return block > 0 ? -block : this.#reader.unfinished;
  }

  /** Streams that are not closed. */
  get openStreams(): number {
    return this.#core.streams.size;
  }

  get goawayReceived(): boolean {
    return this.#core.goawayReceived;
  }

  /** Client: a request can be sent now. Before {@link settingsReceived} the peer's limit is not known. */
  get canOpenStream(): boolean {
    const { dead, goawayReceived, remote, server, streams } = this.#core;
    if (server || dead || goawayReceived || this.#nextId > MAX_STREAM_ID) return false;
    return streams.size < remote.maxConcurrentStreams;
  }

  /** Server: the highest request that was reported. */
  get lastProcessedStreamId(): number {
    return this.#core.lastProcessed;
  }

  /** Streams that are not closed, oldest first. */
  get streams(): Iterable<Http2Stream> {
    return this.#core.streams.values();
  }

  /** Forgets everything, silently: the transport is gone. Nothing is called or written any more. */
  close(): void {
    this.#core.die();
    this.#core.writer.discard();
    this.#core.sender.close();
    this.#core.streams.clear();
  }

  #checkProtocol(protocol: string, method: string): void {
    if (method !== 'CONNECT' || !isToken(protocol)) {
      throw refused(
        `protocol ${JSON.stringify(protocol)} in a request of method ${method}: expected a token and CONNECT`,
        false,
      );
    }
    if (!this.#core.remote.enableConnectProtocol) throw refused('the server does not accept extended CONNECT', false);
  }
}

function refused(what: string, retry: boolean): CirqueError {
  return new CirqueError('H2Error', what, { source: retry ? 'Upstream' : 'Internal', retry });
}
