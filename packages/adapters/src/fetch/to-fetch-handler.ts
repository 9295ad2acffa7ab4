/**
 * Cirque where requests are web-standard: a proxy, or another application, as a function from Request to Response.
 */
import type { UnderlyingDefaultSource } from 'node:stream/web';
import { BodyFeed, type HttpServerApp, VirtualServerSession, type VirtualSink, virtualDigest } from '@cirque/core';
import { CirqueError, statusFor } from '@cirque/error';
import type { RequestHeader, ResponseHeader } from '@cirque/http';
import { type AppOptions, appOf, type Servable } from '../app-of.ts';
import { headOfRequest, isBodiless, webResponse } from './web-message.ts';

/** Options of {@link toFetchHandler}. */
export interface FetchHandlerOptions extends AppOptions {
  /** The address of the client, which a Request does not know. Default: unknown. */
  readonly clientAddress?: (request: Request) => string | undefined;
}

/** A fetch handler, with what it serves. */
export interface FetchHandler {
  /** Rejects when the response cannot be begun: the request was aborted. */
  (request: Request): Promise<Response>;
  readonly app: HttpServerApp;
  /** Closes idle upstream connections, now and whenever one becomes idle. */
  close(): void;
}

/** Bytes of a response body that wait for their reader. */
const HIGH_WATER_MARK = 65_536;

/**
 * A fetch handler that lets a proxy, or another application, answer: for hono, h3, srvx and whatever else speaks
 * Request and Response.
 *
 * Bodies stream both ways with back-pressure. Giving the response body up, or aborting the request, cancels the upstream's
 * work. A Response has no place for interim responses and trailers: they are dropped.
 *
 * @throws TypeError or RangeError for what cannot be served, and for wrong options.
 * @example app.all('/api/*', (c) => handler(c.req.raw))
 */
export function toFetchHandler<Ctx>(servable: Servable<Ctx>, options: FetchHandlerOptions = {}): FetchHandler {
  const { clientAddress, ...appOptions } = options;
  const app = appOf(servable, appOptions);
  const handler = async (request: Request): Promise<Response> => {
    request.signal.throwIfAborted();
    let exchange: FetchExchange;
    try {
      exchange = new FetchExchange(request, clientAddress?.(request));
    } catch (error) {
      return refusal(app, error);
    }
    return exchange.serve(app);
  };
  return Object.assign(handler, { app, close: () => void app.httpCleanup?.() });
}

/** One request on its way through. */
class FetchExchange implements VirtualSink {
  readonly #session: VirtualServerSession;
  readonly #signal: AbortSignal;
  readonly #feed: BodyFeed | undefined;
  readonly #answer: PromiseWithResolvers<Response> = Promise.withResolvers<Response>();
  #body: ReadableStreamDefaultController<Uint8Array> | undefined = undefined;
  #full = false;

  /** @throws CirqueError, source Downstream, when the head is not acceptable. */
  constructor(request: Request, clientAddress: string | undefined) {
    const header = headOfRequest(request);
    const { body } = request;
    this.#session = new VirtualServerSession({
      header,
      bodyLength: body === null ? 0 : lengthOf(header),
      digest: digestOf(clientAddress),
      acceptsTrailers: false,
      sink: this,
    });
    this.#signal = request.signal;
    if (body !== null) this.#feed = new BodyFeed(this.#session, body as AsyncIterable<Uint8Array>, this.#answer.reject);
  }

  serve(app: HttpServerApp): Promise<Response> {
    this.#signal.addEventListener('abort', this.#onAborted);
    app.processNewHttp(this.#session);
    this.#feed?.start();
    return this.#answer.promise;
  }

  onHead(header: ResponseHeader, end: boolean): void {
    if (header.informational) return;
    this.#answer.resolve(webResponse(header, end || isBodiless(header) ? undefined : this.#makeBody()));
  }

  onBody(buffer: Buffer, start: number, end: number): boolean {
    const body = this.#body;
    if (body === undefined) return true;
    body.enqueue(new Uint8Array(buffer.subarray(start, end)));
    this.#full = (body.desiredSize ?? 0) <= 0;
    return !this.#full;
  }

  onEnd(): void {
    this.#body?.close();
  }

  onAbort(error: CirqueError): void {
    this.#answer.reject(error);
    this.#body?.error(error);
  }

  onPause(): void {
    this.#feed?.pause();
  }

  onResume(): void {
    this.#feed?.resume();
  }

  onFinish(): void {
    this.#signal.removeEventListener('abort', this.#onAborted);
    this.#feed?.stop();
  }

  #makeBody(): ReadableStream<Uint8Array> {
    const source: UnderlyingDefaultSource<Uint8Array> = {
      start: (controller) => {
        this.#body = controller;
      },
      pull: () => {
        if (!this.#full) return;
        this.#full = false;
        this.#session.drained();
      },
      cancel: (reason) => {
        this.#body = undefined;
        this.#session.clientGone(CirqueError.downstream('ConnectionClosed', 'the response was given up', reason));
      },
    };
    return new ReadableStream(source, new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_MARK }));
  }

  readonly #onAborted = (): void => {
    const { reason } = this.#signal;
    this.#answer.reject(reason);
    this.#body?.error(reason);
    this.#body = undefined;
    this.#session.clientGone(CirqueError.downstream('ConnectionClosed', 'the request was aborted', reason));
  };
}

function lengthOf({ headers }: RequestHeader): number | undefined {
  return headers.contentLength >= 0 ? headers.contentLength : undefined;
}

function digestOf(clientAddress: string | undefined): ReturnType<typeof virtualDigest> {
  const digest = virtualDigest();
  if (clientAddress === undefined) return digest;
  const { remotePort, localAddress, localPort } = digest.socket;
  return { ...digest, socket: { remoteAddress: clientAddress, remotePort, localAddress, localPort } };
}

function refusal(app: HttpServerApp, thrown: unknown): Response {
  const error = CirqueError.from(thrown, 'InternalError', 'Internal');
  const status = statusFor(error);
  app.refusedRequest?.(error, status, virtualDigest());
  return new Response(null, { status });
}
