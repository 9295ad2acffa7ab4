/**
 * One request and its response, as the owner of a connection sees it. A contract only: stream.ts implements it.
 */
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import type { Http2Connection } from './http2-connection.ts';

/** A stream of a connection. Calls on a closed one do nothing. Everything written waits for `connection.flush()`. */
export interface Http2Stream {
  readonly id: number;
  /** Server: `:scheme` of the request; undefined for a plain CONNECT. Client: as given to `openStream`. */
  readonly scheme: string | undefined;
  /** `:protocol` of an extended CONNECT (RFC 8441). Its head has the method CONNECT and the path as target. */
  readonly protocol: string | undefined;
  readonly connection: Http2Connection;
  /** The owner's own. */
  owner: unknown;

  /**
   * Server: writes a head; any number of informational ones, then one final one. Fields of the connection (`Connection`,
   * `Transfer-Encoding` and the like) are left out, names put in lower case.
   * @throws CirqueError InternalError after the final head, or for status 101, which HTTP/2 does not have.
   */
  writeHead(header: ResponseHeader, endStream: boolean): void;
  /**
   * Writes a piece of the body. What cannot be sent now is copied. False: wait for `onWritable`.
   * @throws CirqueError InternalError before the head or after the end.
   */
  writeData(buffer: Buffer, start: number, end: number): boolean;
  /** Ends our side, behind all that was written. @throws CirqueError InternalError before the head or a second time. */
  end(trailers?: HeaderMap): void;
  /**
   * Ends both sides at once; nothing that is queued is sent. With NO_ERROR after `end`, as a server that does not want
   * the rest of a request does, it follows what is queued. `onStreamClosed` comes at once or then.
   */
  reset(code: number): void;

  /**
   * Reports nothing more of head, body and end until {@link resume}. What arrives meanwhile is kept and counts against the
   * windows of stream and connection. A reset is reported nevertheless, and what was kept is dropped.
   */
  pause(): void;
  /** Reports what was kept, from within this call, and goes on. */
  resume(): void;

  /**
   * Server: the stream counts against `maxConcurrentStreams` until {@link release}, even after it was closed, because the
   * work that it caused still goes on (CVE-2023-44487).
   */
  retain(): void;
  release(): void;

  /** Body bytes that wait to be sent. */
  readonly bytesQueued: number;
  /** Our side was ended; what is queued may still have to be sent. */
  readonly localClosed: boolean;
  /** Why the peer's messages on this stream were refused, for logs: set before `onReset` with `byUs`. */
  readonly resetReason: string | undefined;
  /** The other side has ended; what is kept by {@link pause} may still have to be reported. */
  readonly remoteClosed: boolean;
  /** `onStreamClosed` was called. */
  readonly closed: boolean;
}
