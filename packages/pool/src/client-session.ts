/**
 * One request on the upstream side, whatever the HTTP version. A contract only; http1-client-session.ts implements it.
 */
import type { CirqueError } from '@cirque/error';
import type { ConnectionOptions, HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import type { Digest, Lease } from '@cirque/transport';

export { NOBODY } from './no-handler.ts';

/** What the owner of an upstream request is told. */
export interface ClientSessionHandler {
  /**
   * A response head: informational ones first, then the final one.
   * `bodyLength` is 0 when no body follows, undefined when its length is not known beforehand.
   */
  onResponseHead(header: ResponseHeader, bodyLength: number | undefined, connection: ConnectionOptions): void;
  /**
   * A piece of the body: `buffer[start, end)`, valid during the call only, unless `lease` is given and retained. With the
   * lease of the first piece come the bytes of the buffer before it: a head may be written there.
   */
  onResponseBody(buffer: Buffer, start: number, end: number, lease: Lease | undefined): void;
  /** The response is complete. The session must be released. */
  onResponseEnd(trailers: HeaderMap | undefined): void;
  /** All that arrived together was delivered: send on what was held back. */
  onUpstreamFlush(): void;
  /** The upstream took what was written, after a write had answered false. */
  onUpstreamDrain(): void;
  /**
   * The exchange failed: at most once, nothing follows. The session is closed.
   *
   * `error.retry` is true when a reused connection broke before anything was written, `'ReusedOnly'` when it broke
   * before anything was answered.
   */
  onUpstreamError(error: CirqueError): void;
}

/**
 * An exchange with an upstream.
 *
 * The object belongs to its connection and serves the next request too: do not keep it after `release` or `abort`.
 */
export interface ClientSession {
  /** Install it before anything is written. */
  handler: ClientSessionHandler;
  readonly digest: Digest;
  /** How the upstream is spoken to. */
  readonly httpVersion: '1.1' | '2';
  /** The connection had served a request before. */
  readonly reused: boolean;
  /** At least one byte of the response has arrived. */
  readonly responseStarted: boolean;
  readonly bodyBytesSent: number;
  readonly bodyBytesReceived: number;

  /**
   * Writes the request head. `bodyLength` is 0 for no body (`end` is not needed then), undefined when its length is not
   * known beforehand.
   *
   * Transfer-Encoding in the header is replaced by the session's own. Content-Length in the header, if there, is what the
   * body must have, whatever `bodyLength` says. `Connection: close` is sent, and the connection not used again.
   * @throws CirqueError InternalError when Content-Length is not a number or contradicts that there is no body; what broke
   * the connection if that was before there was a handler.
   *
   * A head with Upgrade asks for a tunnel (CONNECT likewise): when status 101 (2xx) is reported, `onResponseBody` gives raw
   * bytes, `onResponseEnd` the end of the upstream's side, and `writeBody` and `end` are ours, whatever `bodyLength` was.
   */
  writeHead(header: RequestHeader, bodyLength: number | undefined): void;
  /** Writes a piece of the body. False: wait for onUpstreamDrain. @throws CirqueError when it exceeds its length. */
  writeBody(buffer: Buffer, start: number, end: number): boolean;
  /**
   * The request is complete; in a tunnel, our side ends. Trailers are dropped where the framing of the request cannot
   * carry them.
   * @throws CirqueError PrematureBodyEnd when it is shorter than its length.
   */
  end(trailers?: HeaderMap): void;
  /** Sends what was held back in the hope of more. */
  flush(): void;
  /**
   * Stops heads, body and end until {@link resume}, and the deadlines with them. A flush may still come for what was
   * reported in the same turn. Drain goes on, it belongs to the request. So does a failure, as nothing can come after it,
   * unless all of the response has arrived before.
   */
  pause(): void;
  resume(): void;
  /** Hands the connection back: kept for the next request when that is safe, else closed. */
  release(): void;
  /** Gives the exchange up and closes the connection; the handler hears nothing more. */
  abort(): void;
}
