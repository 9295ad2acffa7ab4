/**
 * One request on the downstream side, whatever the HTTP version: what an application reads and writes.
 *
 * A contract only; http1-server-session.ts implements it. Everything is a plain call: no stream, no event emitter.
 */
import type { CirqueError } from '@cirque/error';
import type { ConnectionOptions, HeaderMap, RequestHeader, ResponseHeader, Target } from '@cirque/http';
import type { Digest, Lease } from '@cirque/transport';

/** What the owner of a request is told. Installed as {@link ServerSession.handler}. */
export interface ServerSessionHandler {
  /**
   * A piece of the request body: `buffer[start, end)`, valid during the call only; who keeps it copies it.
   * Never called for a request whose `bodyLength` is 0.
   */
  onRequestBody(buffer: Buffer, start: number, end: number): void;
  /** The request body is complete. Never called for a request whose `bodyLength` is 0. */
  onRequestEnd(trailers: HeaderMap | undefined): void;
  /** All that arrived together was delivered: send on what was held back. */
  onDownstreamFlush?(): void;
  /** The client took what was written, after a write had answered false. */
  onDownstreamDrain(): void;
  /**
   * The client left, broke the protocol or was too slow: at most once, nothing follows.
   * An answer can still be written when {@link ServerSession.writable} says so.
   */
  onDownstreamError(error: CirqueError): void;
}

/** What a request asks its connection to become once it is accepted. */
export interface TunnelRequest {
  /**
   * `upgrade`: to another protocol (RFC 9110 section 7.8; an extended CONNECT of RFC 8441 too), accepted by status 101.
   * `connect`: to a tunnel (RFC 9110 section 9.3.6), accepted by a 2xx.
   */
  readonly kind: 'upgrade' | 'connect';
  /** The protocols that an upgrade offers, as sent, for example `websocket`; undefined for CONNECT. */
  readonly protocol: string | undefined;
}

/**
 * A request to answer.
 *
 * The object belongs to its connection and is used again for the next request: do not keep it after `end` or `abort`.
 */
export interface ServerSession {
  readonly requestHeader: RequestHeader;
  /** Bytes of the request body: 0 when there is none, undefined when it is not known beforehand (chunked). */
  readonly bodyLength: number | undefined;
  /** `Connection` options of the request. */
  readonly connectionOptions: ConnectionOptions;
  /** The request target when it is not in origin form. */
  readonly target: Target | undefined;
  /**
   * Set when the request asks for a tunnel. Nothing that the client sends after the request is reported before the
   * head that accepts it was written. Then `onRequestBody` gives its raw bytes, `onRequestEnd` the end of its side;
   * `writeBody` sends raw bytes, `writeEnd` ends our side.
   */
  readonly tunnel: TunnelRequest | undefined;
  /** Trailers of the response would reach the client. */
  readonly acceptsTrailers: boolean;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectContinue: boolean;
  readonly digest: Digest;
  /** Which request of its connection this is, from 1. */
  readonly requestNumber: number;
  /** Carried from request to request of one connection; the application's own. */
  connectionContext: unknown;
  /** Install it before anything else happens. */
  handler: ServerSessionHandler;

  /** False once the client cannot receive anything more. */
  readonly writable: boolean;
  /** True once the final response head was written. */
  readonly responseStarted: boolean;
  /** True once the response was written to its end. */
  readonly responseEnded: boolean;
  /** Payload bytes of the request body received so far. */
  readonly bodyBytesReceived: number;
  /** Payload bytes of the response body written so far. */
  readonly bodyBytesSent: number;
  /** True once the whole request was received. */
  readonly requestComplete: boolean;
  /** True when the server is about to stop: answers carry `Connection: close`. */
  readonly shuttingDown: boolean;

  /** Stops the request body until {@link resume}; a bounded amount is held meanwhile. */
  pause(): void;
  /**
   * Goes on, at once where something is held. `onDownstreamFlush` follows, now or behind this turn, also when nothing of the
   * body has come: what was held back for it must not wait.
   */
  resume(): void;
  /** Closes the connection after this response. */
  disableKeepAlive(): void;

  /**
   * Writes a response head: any number of informational ones, then one final one. `end` says that no body follows.
   *
   * Content-Length in the header is trusted to be the body's length; without it the session frames the body itself.
   * Transfer-Encoding and Connection are the session's business: what the header says of them is taken as a wish.
   * @throws CirqueError InternalError when a final head was written before, or Content-Length is not a number.
   */
  writeHead(header: ResponseHeader, end: boolean): void;
  /**
   * Writes a piece of the body, `buffer[start, end)`; it may be held until {@link flush}. False: wait for onDownstreamDrain.
   * @throws CirqueError InternalError when it exceeds the Content-Length.
   */
  writeBody(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean;
  /**
   * Ends the response; the request stays current until {@link finish}. Trailers are dropped where the framing of the
   * response cannot carry them, or the client does not want them.
   * @throws CirqueError PrematureBodyEnd when the body is shorter than its Content-Length.
   */
  writeEnd(trailers?: HeaderMap): void;
  /** The request is over: the connection goes on to its next request, or closes. */
  finish(): void;
  /** {@link writeEnd} and {@link finish}. @throws CirqueError as writeEnd. */
  end(trailers?: HeaderMap): void;
  /** Sends what was held back in the hope of more. */
  flush(): void;
  /** The response cannot be completed: the client is shown that, by a cut. */
  abort(error: CirqueError): void;
}
