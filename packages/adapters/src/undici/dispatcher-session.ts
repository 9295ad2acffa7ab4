/**
 * An exchange with an upstream through a dispatcher of undici.
 *
 * Dispatchers and interceptors may report whatever and whenever they like; what the driver sees keeps the order and the
 * strong pause of {@link ClientSession}.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { virtualDigest } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { type HeaderMap, parseConnectionOptions, type RequestHeader, ResponseHeader } from '@cirque/http';
import type { ClientSession, ClientSessionHandler } from '@cirque/pool';
import type { Digest } from '@cirque/transport';
import type { Dispatcher } from 'undici';
import { dispatchError } from './dispatch-error.ts';
import { bodyLengthOf, incomingFields, incomingHead, outgoingFields } from './message-heads.ts';
import { OutgoingBody } from './outgoing-body.ts';
import { UpgradedSocket } from './upgraded-socket.ts';

/** Where requests go. */
export interface DispatchTarget {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** For head and body of the response; 0: for ever. */
  readonly readTimeoutMs: number;
}

type Controller = Dispatcher.DispatchController;

const NOBODY: ClientSessionHandler = {
  onResponseHead() {},
  onResponseBody() {},
  onResponseEnd() {},
  onUpstreamFlush() {},
  onUpstreamDrain() {},
  onUpstreamError() {},
};

/** See the file's head. One per request. */
export class DispatcherSession implements ClientSession, Dispatcher.DispatchHandler {
  readonly httpVersion = '1.1';
  /** Whether a connection had served before is known to the dispatcher only. */
  readonly reused = false;
  readonly digest: Digest = virtualDigest();
  handler: ClientSessionHandler = NOBODY;
  responseStarted = false;
  bodyBytesReceived = 0;
  readonly #target: DispatchTarget;
  #method = 'GET';
  #body: OutgoingBody | undefined = undefined;
  #controller: Controller | undefined = undefined;
  #upgraded: UpgradedSocket | undefined = undefined;
  /** Reports that wait for {@link resume}, in their order. */
  readonly #waiting: (() => void)[] = [];
  #paused = false;
  /** All of the response has come, reported or not. */
  #whole = false;
  #closed = false;

  constructor(target: DispatchTarget) {
    this.#target = target;
  }

  get bodyBytesSent(): number {
    return this.#upgraded?.bytesWritten ?? this.#body?.bytes ?? 0;
  }

  // ---- the driver's side

  writeHead(header: RequestHeader, bodyLength: number | undefined): void {
    const { headers, method, target: path } = header;
    const announced = headers.contentLength;
    if (Number.isNaN(announced) || (bodyLength === 0 && announced > 0)) {
      throw CirqueError.internal('InternalError', 'Content-Length of the request contradicts its body');
    }
    this.#method = method;
    const options: Dispatcher.DispatchOptions = { method, path, headers: outgoingFields(header), body: null };
    const upgrade = parseConnectionOptions(headers.get('connection')).upgrade ? headers.get('upgrade') : undefined;
    if (upgrade !== undefined) options.upgrade = upgrade;
    if (bodyLength !== 0) {
      this.#body = new OutgoingBody(announced, () => this.handler.onUpstreamDrain());
      options.body = this.#body;
    }
    // A dispatcher may answer at once, and then the driver would be in the middle of its own call.
    queueMicrotask(() => this.#dispatch(options, headers.has('expect')));
  }

  writeBody(buffer: Buffer, start: number, end: number): boolean {
    if (this.#closed) return true;
    return (this.#upgraded ?? this.#body)?.write(buffer, start, end) ?? true;
  }

  end(_trailers?: HeaderMap): void {
    if (this.#closed) return;
    if (this.#upgraded !== undefined) this.#upgraded.end();
    else if (this.#body?.complete === false) this.#body.finish();
  }

  flush(): void {}

  pause(): void {
    this.#paused = true;
    if (this.#upgraded === undefined) this.#controller?.pause();
    else this.#upgraded.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    while (!this.#paused && !this.#closed && this.#waiting.length > 0) this.#waiting.shift()?.();
    if (this.#paused || this.#closed) return;
    if (this.#upgraded === undefined) this.#controller?.resume();
    else this.#upgraded.resume();
  }

  release(): void {
    const sent = this.#body === undefined || this.#body.complete;
    // The dispatcher has its connection back already, unless it still waits for the rest of the request.
    if (this.#upgraded !== undefined) {
      this.#close();
      this.#upgraded.close();
    } else if (this.#whole && sent) this.#close();
    else this.abort();
  }

  abort(): void {
    if (this.#closed) return;
    this.#close();
    this.#body?.destroy();
    this.#upgraded?.destroy();
    this.#controller?.abort(new Error('the exchange was given up'));
  }

  // ---- the dispatcher's side

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#closed) controller.abort(new Error('the exchange was given up'));
    else if (this.#paused) controller.pause();
  }

  onResponseStart(_controller: Controller, status: number, fields: IncomingHttpHeaders, reason?: string): void {
    if (this.#closed) return;
    this.responseStarted = true;
    try {
      this.#head(incomingHead(status, fields, reason));
    } catch (error) {
      this.#fail(CirqueError.from(error, 'InvalidHTTPHeader', 'Upstream'));
    }
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.#data(chunk);
  }

  onResponseEnd(_controller: Controller, trailers: IncomingHttpHeaders): void {
    this.#whole = true;
    this.#report(() => this.handler.onResponseEnd(trailersOf(trailers)));
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (!this.#whole) this.#fail(dispatchError(error, this.#controller !== undefined));
  }

  onRequestUpgrade(_controller: Controller, status: number, fields: IncomingHttpHeaders, socket: Duplex): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    this.responseStarted = true;
    this.#upgraded = new UpgradedSocket(socket, {
      onData: (chunk) => this.#data(chunk),
      onEnd: () => this.#report(() => this.handler.onResponseEnd(undefined)),
      onDrain: () => this.handler.onUpstreamDrain(),
      onError: (error) => this.#fail(error),
    });
    try {
      this.#head(incomingHead(status, fields, undefined));
    } catch (error) {
      this.#fail(CirqueError.from(error, 'InvalidHTTPHeader', 'Upstream'));
      return;
    }
    if (!this.#paused && !this.#closed) this.#upgraded.resume();
  }

  // ---- in between

  #dispatch(options: Dispatcher.DispatchOptions, waits: boolean): void {
    if (this.#closed) return;
    const { dispatcher, origin, readTimeoutMs: timeout } = this.#target;
    try {
      dispatcher.dispatch({ ...options, origin, headersTimeout: timeout, bodyTimeout: timeout }, this);
    } catch (error) {
      this.#fail(dispatchError(error, false));
      return;
    }
    // Dispatchers send bodies without waiting, so the client need not wait either.
    if (waits && !this.responseStarted && !this.#closed) this.#head(new ResponseHeader(100));
  }

  /** @param chunk is nobody else's. */
  #data(chunk: Buffer): void {
    this.#report(() => {
      this.bodyBytesReceived += chunk.length;
      this.handler.onResponseBody(chunk, 0, chunk.length, undefined);
      this.handler.onUpstreamFlush();
    });
  }

  #head(header: ResponseHeader): void {
    const connection = parseConnectionOptions(header.headers.getAll('connection').join(',') || undefined);
    const bodyLength = this.#upgraded === undefined ? bodyLengthOf(header, this.#method) : undefined;
    this.#report(() => this.handler.onResponseHead(header, bodyLength, connection));
  }

  #report(call: () => void): void {
    if (this.#closed) return;
    if (this.#paused || this.#waiting.length > 0) this.#waiting.push(call);
    else call();
  }

  #fail(error: CirqueError): void {
    if (this.#closed) return;
    const { handler } = this;
    this.abort();
    handler.onUpstreamError(error);
  }

  #close(): void {
    this.#closed = true;
    this.handler = NOBODY;
    this.#waiting.length = 0;
  }
}

function trailersOf(fields: IncomingHttpHeaders): HeaderMap | undefined {
  return Object.keys(fields ?? {}).length === 0 ? undefined : incomingFields(fields);
}
