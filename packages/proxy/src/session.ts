/**
 * What the phases see of a request: the client's side, and how it can be answered.
 *
 * One per request; it refuses to write once the request is over, so a phase that comes late cannot disturb the next
 * request of the connection.
 */
import type { ServerSession, TunnelRequest } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { HeaderMap, type RequestHeader, ResponseHeader } from '@cirque/http';
import type { TimerWheel } from '@cirque/timeout';
import type { Digest } from '@cirque/transport';
import { FilteredWriter } from './filtered-writer.ts';
import type { ModuleChain } from './http-modules.ts';
import { givenRequestId, newRequestId, type RequestIdSource } from './request-id.ts';
import {
  parentRequestId,
  type RunRequest,
  type SubrequestInit,
  type SubrequestOptions,
  type SubrequestOutcome,
  type SubrequestParent,
  type SubrequestResponse,
  sendSubrequest,
  spawnSubrequest,
  subrequestDepth,
} from './subrequest.ts';

/** The options of the proxy that concern sessions. */
export interface SessionOptions {
  readonly maxRequestBodyBytes: number;
  readonly requestIds: RequestIdSource | undefined;
}

/** What the driver lends to its session. */
export interface SessionBackend {
  readonly downstream: ServerSession;
  /** The modules have room again. */
  writerDrained(): void;
  /** A module has failed. */
  writerFailed(error: unknown): void;
  /** Reads the request body for {@link Session.readBody}. */
  collectBody(maxBytes: number): Promise<Buffer>;
  /** Resolves when the client has taken what was written, or has left. */
  drained(): Promise<void>;
  /** The modules of this request on either side; undefined when none is at work. */
  readonly downstreamModules: ModuleChain | undefined;
  readonly upstreamModules: ModuleChain | undefined;
  /** The modules that a response written here has to pass. */
  readonly respondingModules: ModuleChain | undefined;
  /** Writes through them, once there is such a response. */
  writer: FilteredWriter | undefined;
  readonly context: { readonly run: RunRequest; readonly options: SessionOptions };
  readonly hookTimeoutMs: number;
  readonly wheel: TimerWheel | undefined;
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
  #requestId: string | undefined;
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
  /** A longer request body gets 413; 0: none does. Set it before `upstreamPeer`. Default: the option of the proxy. */
  maxRequestBodyBytes: number;
  /** Bytes per second at which the response is delivered at most; 0: as fast as possible. Set it before the response. */
  responseRate = 0;

  /** @internal The driver makes sessions; see `@cirque/proxy/testing` for tests. */
  constructor(backend: SessionBackend) {
    const { downstream, context } = backend;
    const { maxRequestBodyBytes, requestIds } = context.options;
    this.#backend = backend;
    this.requestHeader = downstream.requestHeader;
    this.maxRequestBodyBytes = maxRequestBodyBytes;
    // At once: phases may change the head.
    this.#requestId = requestIds === undefined ? undefined : givenRequestId(downstream, requestIds);
  }

  /**
   * Names this request in every log line about it: `5f2c9e07a1b4-3k`, where the first part is random and of this thread, and
   * the second counts. With the option `requestIdHeader` it is what a trusted neighbour has sent, and it is sent upstream.
   * Subrequests have the name of the request that has made them.
   */
  get requestId(): string {
    this.#requestId ??= parentRequestId(this.#backend.downstream) ?? newRequestId();
    return this.#requestId;
  }

  /** The tunnel that the request asks for; undefined for ordinary requests. */
  get tunnel(): TunnelRequest | undefined {
    return this.#over ? undefined : this.#backend.downstream.tunnel;
  }

  /** The modules at work on this request, by class: `session.downstreamModules?.get(ResponseCompression)`. */
  get downstreamModules(): ModuleChain | undefined {
    return this.#over ? undefined : this.#backend.downstreamModules;
  }

  /** As {@link downstreamModules}, of the upstream's side; there are none before there is an upstream connection. */
  get upstreamModules(): ModuleChain | undefined {
    return this.#over ? undefined : this.#backend.upstreamModules;
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

  /** The request has a body, known length or not. Its fields need not say so: in HTTP/2 nothing has to announce a body. */
  get hasBody(): boolean {
    return !this.#over && this.#backend.downstream.bodyLength !== 0;
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
    const modules = header.informational ? undefined : this.#backend.respondingModules;
    if (modules !== undefined && !downstream.responseStarted) {
      this.#backend.writer = new FilteredWriter(this.#backend, modules, header, end);
      this.#response = header;
      return;
    }
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
    const { writer } = this.#backend;
    if (writer !== undefined) {
      const more = writer.write(bytes);
      if (!more) this.#stalled = true;
      if (end) writer.end();
      return more;
    }
    const room = downstream.writeBody(bytes, 0, bytes.length, undefined);
    if (!room) this.#stalled = true;
    if (end) downstream.writeEnd();
    else downstream.flush();
    return room;
  }

  /** True for a request that was made by {@link subrequest}, not by a client. */
  get isSubrequest(): boolean {
    return subrequestDepth(this.#backend.downstream) > 0;
  }

  /**
   * Sends another request through all phases of this proxy and answers with its response, whose body is still to be read.
   * Unless it is `detached` it is cancelled when this request is over, or its client leaves.
   *
   * @throws CirqueError as {@link sendSubrequest}.
   */
  subrequest(request: SubrequestInit, options?: SubrequestOptions): Promise<SubrequestResponse> {
    return sendSubrequest(this.#backend.context.run, request, options, this.#asParent());
  }

  /** Sends a detached subrequest whose response interests nobody; a rejection may be ignored. */
  spawnBackgroundSubrequest(request: SubrequestInit): Promise<SubrequestOutcome> {
    return spawnSubrequest(this.#backend.context.run, request, this.#asParent());
  }

  #asParent(): SubrequestParent {
    const { requestHeader, digest, signal, requestId } = this;
    return { requestHeader, digest, signal, requestId, depth: subrequestDepth(this.#backend.downstream) };
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
