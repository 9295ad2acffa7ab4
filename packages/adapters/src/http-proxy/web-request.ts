/**
 * One HTTP request of a proxy server in the manner of http-proxy: its response, shown to listeners on the way.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { VirtualServerSession } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import type { Session } from '@cirque/proxy';
import type { Lease } from '@cirque/transport';
import type { ResponseTaker } from '../node/node-exchange.ts';
import type { NodeResponseSink } from '../node/response-sink.ts';
import type { ProxyRequest } from './proxy-request.ts';
import { ProxyResponse } from './proxy-response.ts';
import { rewriteCookie, rewriteLocation } from './rewrites.ts';
import type { Settings } from './server-options.ts';
import { type ErrorHandler, ShimRequest } from './shim-request.ts';

/** What a request tells its server. */
export interface WebListeners {
  proxyReq(proxied: ProxyRequest): unknown;
  proxyRes(proxied: ProxyResponse): unknown;
  end(proxied: ProxyResponse): unknown;
  /** The client has gone. */
  econnreset(error: Error): unknown;
  /** Undefined when nobody listens to errors. */
  readonly error: ErrorHandler | undefined;
}

/** See the file's head. */
export class WebRequest extends ShimRequest implements ResponseTaker {
  protected override readonly written: Buffer[] | undefined;
  readonly #response: ServerResponse;
  readonly #listeners: WebListeners;
  #sink: NodeResponseSink | undefined = undefined;
  #session: (() => VirtualServerSession) | undefined = undefined;
  #proxied: ProxyResponse | undefined = undefined;
  /** A listener answers: what we would write goes nowhere. */
  #muted = false;
  readonly #bodyWritten: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  /** @param readBefore the request's body was read already, so a listener has to write one. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    settings: Settings,
    listeners: WebListeners,
    readBefore: boolean,
  ) {
    super(request, settings);
    this.#response = response;
    this.#listeners = listeners;
    this.written = readBefore ? [] : undefined;
  }

  /** Takes the place of the usual sink. */
  wrap(sink: NodeResponseSink, session: () => VirtualServerSession): ResponseTaker {
    this.#sink = sink;
    this.#session = session;
    return this;
  }

  /** What listeners have written as body. */
  async *writtenBody(): AsyncGenerator<Uint8Array> {
    await this.#bodyWritten.promise;
    yield* this.written ?? [];
  }

  protected override announce(proxied: ProxyRequest): void {
    this.#listeners.proxyReq(proxied);
    this.#bodyWritten.resolve();
    if (this.written?.length === 0) {
      const what = 'the request body was read before the proxy got it: put the proxy before body parsers';
      throw CirqueError.internal('InternalError', `${what}, give it option buffer, or write it in a proxyReq listener`);
    }
  }

  override failed(session: Session, error: CirqueError): void {
    // Nobody waits for the body any more.
    this.#bodyWritten.resolve();
    this.answered = false;
    const shown = this.errorFor(error);
    if (shown === undefined) {
      this.#listeners.econnreset(Object.assign(new Error(error.toString(), { cause: error }), { code: 'ECONNRESET' }));
      return;
    }
    const handler = this.#listeners.error;
    if (handler === undefined || session.responseStarted) return;
    this.#muted = true;
    try {
      handler(shown, this.target.given);
    } catch (thrown) {
      // Somebody has to answer.
      this.#muted = this.#response.headersSent;
      throw thrown;
    }
  }

  override over(): void {}

  onHead(header: ResponseHeader, end: boolean): void {
    if (this.#muted) return;
    if (header.informational || !this.answered) this.#sink?.onHead(header);
    else this.#show(header, end);
  }

  onBody(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean {
    if (this.#muted) return true;
    const proxied = this.#proxied;
    const room = proxied?.wanted !== true || proxied.accept(buffer, start, end);
    if (this.options.selfHandleResponse === true && proxied !== undefined) return room;
    if (this.#response.writableEnded) return room;
    return this.#sink?.onBody(buffer, start, end, lease) === true && room;
  }

  onEnd(trailers: HeaderMap | undefined): void {
    if (this.#muted) return;
    const proxied = this.#proxied;
    proxied?.finish(trailers);
    if (proxied === undefined || this.options.selfHandleResponse !== true) {
      // Who listens to the end only has read nothing.
      proxied?.resume();
      if (!this.#response.writableEnded) this.#sink?.onEnd(trailers);
    }
    if (proxied !== undefined) this.#listeners.end(proxied);
  }

  onAbort(error: CirqueError): void {
    if (this.#muted) return;
    this.#proxied?.cut(error);
    if (!this.#response.writableEnded) this.#sink?.onAbort(error);
  }

  /** Lets the listeners see and change the head, then writes it. */
  #show(header: ResponseHeader, end: boolean): void {
    const { selfHandleResponse = false } = this.options;
    const proxied = new ProxyResponse(header, selfHandleResponse, () => this.#session?.().drained());
    this.#proxied = proxied;
    this.#listeners.proxyRes(proxied);
    if (selfHandleResponse || this.#response.headersSent) return;
    const changed = proxied.toHeader();
    this.#rewrite(changed);
    this.#sink?.onHead(changed);
    if (end) proxied.resume();
  }

  #rewrite(header: ResponseHeader): void {
    const { headers, status } = header;
    const { options, target, request } = this;
    const location = headers.get('location');
    if (location !== undefined) {
      headers.set('Location', rewriteLocation(location, status, target, request.headers.host, options));
    }
    const { cookieDomainRewrite: domain, cookiePathRewrite: path } = options;
    if ((domain ?? path) === undefined) return;
    const cookies = headers.getAll('set-cookie');
    headers.delete('set-cookie');
    for (const cookie of cookies) {
      headers.append('Set-Cookie', rewriteCookie(rewriteCookie(cookie, 'domain', domain), 'path', path));
    }
  }
}
