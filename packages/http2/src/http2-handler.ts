/**
 * What the owner of a connection implements: where bytes go, and what is reported.
 *
 * Contracts only. Every method is called synchronously from a call into the connection or one of its streams, and may call
 * anything on them but `feed`.
 */
import type { CirqueError } from '@cirque/error';
import type { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import type { Http2Stream } from './http2-stream.ts';
import type { Http2Settings } from './settings.ts';

/** Where the bytes of a connection go. */
export interface Http2Sink {
  /**
   * Takes bytes, in one call per flush (more when there is much). False: it wants no more before `connection.sinkDrained()`.
   *
   * `done`, when given, must be called once the bytes are no longer needed: the buffer is used again then. Not calling
   * it is safe and costs the buffer.
   */
  write(bytes: Buffer, done: (() => void) | undefined): boolean;
}

/** What happens on a connection. One fixed object per connection. */
export interface Http2Handler {
  /** Server: a request. `endStream` says that no body follows; `onEnd` is not called then. */
  onRequest?(stream: Http2Stream, header: RequestHeader, endStream: boolean): void;
  /** Server: a request head that was refused before it became a request; the client has been answered or reset. */
  onRequestRefused?(error: CirqueError): void;
  /** Client: a response head; informational ones (1xx) too. `endStream` says that no body follows. */
  onResponse?(stream: Http2Stream, header: ResponseHeader, endStream: boolean): void;
  /** A piece of a body: `buffer[start, end)`, valid during the call only; who keeps it copies it. Never empty. */
  onData(stream: Http2Stream, buffer: Buffer, start: number, end: number): void;
  /** The other side has sent all. */
  onEnd(stream: Http2Stream, trailers: HeaderMap | undefined): void;
  /** There is room again after `writeData` had answered false. */
  onWritable(stream: Http2Stream): void;
  /**
   * The stream is gone: the peer reset it (`byUs` false), or broke the rules and was reset for it (`byUs` true). Not called
   * for the owner's own `reset`. Only `onStreamClosed` follows.
   */
  onReset(stream: Http2Stream, code: number, byUs: boolean): void;
  /** Forget the stream: last call for it, whatever ended it. May come from within `end` and `reset`. */
  onStreamClosed(stream: Http2Stream): void;
  /** The peer's settings, first or changed; they are in force. */
  onRemoteSettings(settings: Http2Settings): void;
  /** The peer will take no more streams. Those of ours above `lastStreamId` get `onReset(REFUSED_STREAM)` after this. */
  onGoaway(lastStreamId: number, code: number, debug: string): void;
  /** A ping of ours came back. */
  onPingAck(payload: bigint): void;
  /**
   * The connection cannot go on; GOAWAY was written where that makes sense. Close the transport; nothing is called after
   * this, so fail what is left in `connection.streams`.
   */
  onConnectionError(error: CirqueError): void;
}
