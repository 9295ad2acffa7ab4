/**
 * One HTTP/2 connection, for either role: bytes in, events out, bytes out. No sockets, no timers.
 */
import type { RequestHeader } from '@cirque/http';
import type { Http2Handler, Http2Sink } from './http2-handler.ts';
import type { Http2Options } from './http2-options.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { Http2Settings } from './settings.ts';

/** Where a request goes: what becomes its pseudo fields. */
export interface Http2Target {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  /** Makes it an extended CONNECT (RFC 8441); the method of the head must be CONNECT, its target the path. */
  readonly protocol?: string | undefined;
}

/** See the file header. Nothing is written before {@link flush}, except where it says so. */
export class Http2Connection {
  constructor(sink: Http2Sink, handler: Http2Handler, options: Http2Options) {
    throw new Error(`not built yet: ${String([sink, handler, options])}`);
  }
  /** Sends the preface (client) and our settings, and flushes. */
  declare readonly start: () => void;
  /** Takes bytes from the peer. Never throws because of them. Does not flush. */
  declare readonly feed: (buffer: Buffer, start: number, end: number) => void;
  /** Hands everything that is queued to the sink. */
  declare readonly flush: () => void;
  /** The sink takes more, after `write` had answered false. Flushes. */
  declare readonly sinkDrained: () => void;
  /**
   * Client: sends a request head. `endStream` says that no body follows.
   * @throws CirqueError H2Error with `retry` true when {@link canOpenStream} is false.
   */
  declare readonly openStream: (header: RequestHeader, target: Http2Target, endStream: boolean) => Http2Stream;
  /**
   * Announces that streams of the peer above `lastStreamId` (by default the highest processed) will not be answered.
   * 2**31 - 1 announces only that this is coming.
   */
  declare readonly goaway: (code: number, lastStreamId?: number, debug?: string) => void;
  declare readonly ping: (payload: bigint) => void;
  /** Changes what was announced; in force once the peer acknowledges. */
  declare readonly updateSettings: (settings: Partial<Http2Settings>) => void;
  declare readonly remoteSettings: Http2Settings;
  /** The peer's first SETTINGS has come. */
  declare readonly settingsReceived: boolean;
  /** The peer has acknowledged all settings that we sent. */
  declare readonly localSettingsAcked: boolean;
  /** Streams that are not closed, of either side. */
  declare readonly openStreams: number;
  declare readonly goawayReceived: boolean;
  /** Client: a request can be sent now. */
  declare readonly canOpenStream: boolean;
  /** Highest stream of the peer that was reported. */
  declare readonly lastProcessedStreamId: number;
  declare readonly streams: Iterable<Http2Stream>;
  /** Forgets everything, silently: the transport is gone. Nothing is called or written any more. */
  declare readonly close: () => void;
}
