/**
 * What the phases see of a request: the client's side, and how it can be answered.
 *
 * One per request; it refuses to write once the request is over, so a phase that comes late cannot disturb the next
 * request of the connection.
 */
import type { ServerSession } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { HeaderMap, type RequestHeader, ResponseHeader } from '@cirque/http';
import type { Digest } from '@cirque/transport';

/** What the driver lends to its session. */
export interface SessionBackend {
  readonly downstream: ServerSession;
  /** Reads the request body for {@link Session.readBody}. */
  collectBody(maxBytes: number): Promise<Buffer>;
  /** Resolves when the client has taken what was written, or has left. */
  drained(): Promise<void>;
  /** Payload bytes received from the upstream, over all attempts. */
  readonly upstreamBodyBytesReceived: number;
}

/** Bytes that {@link Session.readBody} accepts when nothing else is said. */
const DEFAULT_MAX_BODY_BYTES = 1_048_576;

/** A proxied request, as its phases see it. */
export class Session {
  /**
   * The client's request head, without the fields that its Connection field nominates. Changes made before
   * `upstreamPeer` go upstream.
   */
  readonly requestHeader: RequestHeader;
  readonly #backend: SessionBackend;
  #digest: Digest | undefined;
  #over = false;
  /** A write has answered false, and the client has not taken it yet. */
  #stalled = false;
  #response: ResponseHeader | undefined;
  #abort: AbortController | undefined;
  #aborted: CirqueError | undefined;
  #collected: Promise<Buffer> | undefined;
  #finalSent = 0;
  #finalReceived = 0;
  #finalUpstream = 0;
  /** Attempts beyond the first. */
  retries = 0;

  /** @internal The driver makes sessions; see `@cirque/proxy/testing` for tests. */
  constructor(backend: SessionBackend) {
    this.#backend = backend;
    this.requestHeader = backend.downstream.requestHeader;
  }

  /** Addresses and time of the client connection. */
  get digest(): Digest {
    this.#digest ??= this.#backend.downstream.digest;
    return this.#digest;
  }

  /** Address of the client; undefined on a unix socket. */
  get clientAddress(): string | undefined {
    return this.digest.socket.remoteAddress;
  }

  /** Aborted when the client leaves, the request fails, or is over. Give it to whatever a phase waits for. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#over || this.#aborted !== undefined) this.#abort.abort(this.#aborted);
    }
    return this.#abort.signal;
  }

  /** The final response head that was written to the client; undefined before. */
  get responseHeader(): ResponseHeader | undefined {
    return this.#response;
  }

  /** True once a final response head was written. */
  get responseStarted(): boolean {
    return this.#response !== undefined;
  }

  /** Which request of its connection this is, from 1. */
  get requestNumber(): number {
    return this.#over ? 0 : this.#backend.downstream.requestNumber;
  }

  /** Payload bytes of the response body given to the client connection so far. */
  get bodyBytesSent(): number {
    return this.#over ? this.#finalSent : this.#backend.downstream.bodyBytesSent;
  }

  /** Payload bytes of the request body received so far. */
  get bodyBytesReceived(): number {
    return this.#over ? this.#finalReceived : this.#backend.downstream.bodyBytesReceived;
  }

  /** Payload bytes received from the upstream so far, over all attempts. */
  get upstreamBodyBytesReceived(): number {
    return this.#over ? this.#finalUpstream : this.#backend.upstreamBodyBytesReceived;
  }

  /** The server is stopping; long work should not begin. */
  get isProcessShuttingDown(): boolean {
    return this.#over || this.#backend.downstream.shuttingDown;
  }

  /** Closes the client connection after this response. */
  disableKeepAlive(): void {
    this.#downstream().disableKeepAlive();
  }

  /** Method, path and host, for logs. */
  requestSummary(): string {
    const { method, path, headers } = this.requestHeader;
    return `${method} ${path}, Host: ${headers.get('host') ?? '-'}`;
  }

  /**
   * Reads the whole request body, for a phase before `upstreamPeer`. It is kept and still goes upstream.
   * Sends `100 Continue` when the client waits for it.
   *
   * Calling it again answers the same bytes.
   *
   * @throws CirqueError HTTPStatus 413 above `maxBytes` (default 1 MiB), InternalError when the request was sent
   * upstream already, or what happened to the client.
   */
  readBody(maxBytes: number = DEFAULT_MAX_BODY_BYTES): Promise<Buffer> {
    if (this.#collected === undefined) {
      this.#collected = this.#over ? Promise.reject(overError()) : this.#backend.collectBody(maxBytes);
      // Whoever looks at it later, or never, must not cause an unhandled rejection.
      this.#collected.catch(() => undefined);
    }
    return this.#collected;
  }

  /**
   * Answers the request with a complete response. Then let `requestFilter` answer true.
   *
   * @throws CirqueError InternalError when a response was started before, InvalidHTTPHeader for what cannot be sent.
   */
  respond(
    status: number,
    body: string | Uint8Array = '',
    headers: HeaderMap | Readonly<Record<string, string>> = {},
  ): void {
    const fields = headers instanceof HeaderMap ? headers.clone() : HeaderMap.from(headers);
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const header = new ResponseHeader(status, fields);
    if (typeof body === 'string' && body !== '' && !fields.has('Content-Type'))
      fields.set('Content-Type', 'text/plain; charset=utf-8');
    if (status !== 204 && status !== 304) fields.set('Content-Length', String(bytes.byteLength));
    this.writeResponseHeader(header, bytes.byteLength === 0);
    if (bytes.byteLength > 0) this.writeResponseBody(bytes, true);
  }

  /** Answers with a bare error status; the connection closes (Pingora's respond_error). */
  respondError(status: number): void {
    this.disableKeepAlive();
    this.respond(status, '', { 'Cache-Control': 'private, no-store' });
  }

  /**
   * Writes a response head: informational ones, then one final one. `end`: no body follows.
   *
   * @throws CirqueError InternalError when a final head was written before or the request is over.
   */
  writeResponseHeader(header: ResponseHeader, end: boolean): void {
    const downstream = this.#downstream();
    downstream.writeHead(header, end);
    if (header.informational) return;
    this.#response = header;
    if (end) downstream.writeEnd();
  }

  /**
   * Writes a piece of the response body, `end` with the last one. False: the client is slow, see {@link drained}.
   *
   * @throws CirqueError InternalError before the head, after the end or beyond Content-Length, PrematureBodyEnd for an
   * end before it.
   */
  writeResponseBody(body: Uint8Array, end: boolean): boolean {
    const downstream = this.#downstream();
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const room = downstream.writeBody(bytes, 0, bytes.length, undefined);
    if (!room) this.#stalled = true;
    if (end) downstream.writeEnd();
    else downstream.flush();
    return room;
  }

  /** Resolves when the client has taken what was written, or has left; at once unless a write had answered false. */
  drained(): Promise<void> {
    return this.#stalled && !this.#over ? this.#backend.drained() : Promise.resolve();
  }

  /** @internal The client has taken what was written. */
  noteDrained(): void {
    this.#stalled = false;
  }

  /** @internal The driver wrote a head. */
  noteResponse(header: ResponseHeader): void {
    this.#response = header;
  }

  /** @internal The client left, or the request failed. */
  noteAborted(error: CirqueError): void {
    this.#aborted = error;
    this.#stalled = false;
    this.#abort?.abort(error);
  }

  /** @internal Nothing may be written any more. */
  close(): void {
    if (this.#over) return;
    // Belongs to this client, whoever asks later.
    this.#digest ??= this.#backend.downstream.digest;
    this.#finalSent = this.bodyBytesSent;
    this.#finalReceived = this.bodyBytesReceived;
    this.#finalUpstream = this.upstreamBodyBytesReceived;
    this.#over = true;
    this.#abort?.abort();
  }

  #downstream(): ServerSession {
    if (this.#over) throw overError();
    return this.#backend.downstream;
  }
}

function overError(): CirqueError {
  return CirqueError.internal('InternalError', 'the request is over: nothing can be read or written any more');
}
