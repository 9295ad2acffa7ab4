/**
 * One request of node:http served by an application of ours.
 */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { BodyFeed, type ByteSource, type HttpServerApp, VirtualServerSession, type VirtualSink } from '@cirque/core';
import { CirqueError, statusFor } from '@cirque/error';
import type { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import type { Lease } from '@cirque/transport';
import { NodeRequestBody } from './request-body.ts';
import { acceptsTrailers, bodyLengthOf, digestOf, isHttp2, type NodeRequest, requestHeadOf } from './request-head.ts';
import { type NodeResponse, NodeResponseSink } from './response-sink.ts';

/** The response side of an exchange; {@link NodeResponseSink} is the usual one. */
export type ResponseTaker = Pick<VirtualSink, 'onHead' | 'onBody' | 'onEnd' | 'onAbort'>;

/** What can be different from request to request. */
export interface NodeExchangeOptions {
  /** Sent in the place of the request's own body, which was read before. */
  readonly body?: string | Uint8Array | ByteSource | undefined;
  /** That body is as long as the fields of the request say. Default false: they are forgotten. */
  readonly sameLength?: boolean | undefined;
  /** Takes the response instead of the usual sink, which is given to it. */
  readonly wrap?: ((sink: NodeResponseSink, session: () => VirtualServerSession) => ResponseTaker) | undefined;
  /** Told the head that the application will see. */
  readonly onRequest?: ((header: RequestHeader) => void) | undefined;
}

interface Body {
  start(): void;
  pause(): void;
  resume(): void;
  stop(): void;
}

/** See the file's head. */
export class NodeExchange implements VirtualSink {
  readonly session: VirtualServerSession;
  readonly #response: NodeResponse;
  readonly #taker: ResponseTaker;
  readonly #body: Body | undefined;

  /** @throws CirqueError, source Downstream, when the head is not acceptable. */
  constructor(request: NodeRequest, response: NodeResponse, options: NodeExchangeOptions = {}) {
    const header = requestHeadOf(request);
    const whole = wholeBody(options.body);
    const replaced = options.body !== undefined && options.sameLength !== true;
    if (replaced) forgetFraming(header);
    const waits = expectsContinue(request, response);
    if (!waits) header.removeHeader('Expect');
    this.session = new VirtualServerSession({
      header,
      bodyLength: replaced ? whole?.length : bodyLengthOf(request, header),
      digest: digestOf(request),
      expectContinue: waits,
      acceptsTrailers: acceptsTrailers(header),
      sink: this,
    });
    this.#response = response;
    const sink = new NodeResponseSink(response, this.session);
    this.#taker = options.wrap?.(sink, () => this.session) ?? sink;
    if (this.session.bodyLength !== 0) this.#body = this.#bodyFrom(request, options.body, whole);
    options.onRequest?.(header);
  }

  /** Lets the application answer. A client that has left while others looked at its request is answered by nobody. */
  serve(app: HttpServerApp): void {
    if (isGone(this.#response)) return;
    this.#response.on('close', this.#onClose);
    this.#response.on('drain', this.#onDrain);
    app.processNewHttp(this.session);
    this.#body?.start();
  }

  onHead(header: ResponseHeader, end: boolean): void {
    this.#taker.onHead(header, end);
  }

  onBody(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean {
    return this.#taker.onBody(buffer, start, end, lease);
  }

  onEnd(trailers: HeaderMap | undefined): void {
    this.#taker.onEnd(trailers);
  }

  onAbort(error: CirqueError): void {
    this.#taker.onAbort(error);
  }

  onPause(): void {
    this.#body?.pause();
  }

  onResume(): void {
    this.#body?.resume();
  }

  onFinish(): void {
    this.#response.off('close', this.#onClose);
    this.#response.off('drain', this.#onDrain);
    this.#body?.stop();
  }

  readonly #onClose = (): void => {
    this.session.clientGone(CirqueError.downstream('ConnectionClosed', 'the client closed the connection'));
  };

  readonly #onDrain = (): void => this.session.drained();

  #bodyFrom(request: NodeRequest, body: NodeExchangeOptions['body'], whole: Buffer | undefined): Body {
    if (body === undefined) return new NodeRequestBody(request, this.session);
    return new BodyFeed(this.session, whole === undefined ? (body as ByteSource) : [whole]);
  }
}

/** Answers a request that could not be accepted, and tells the application. */
export function refuse(app: HttpServerApp, request: NodeRequest, response: NodeResponse, thrown: unknown): void {
  const error = CirqueError.from(thrown, 'InternalError', 'Internal');
  const status = statusFor(error);
  if (!isHttp2(request)) response.setHeader('Connection', 'close');
  response.statusCode = status;
  response.setHeader('Content-Length', '0');
  response.end();
  app.refusedRequest?.(error, status, digestOf(request));
}

function isGone(response: NodeResponse): boolean {
  return response.req.httpVersionMajor >= 2
    ? (response as Http2ServerResponse).stream.destroyed
    : (response as ServerResponse).destroyed;
}

function wholeBody(body: NodeExchangeOptions['body']): Buffer | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength) : undefined;
}

function forgetFraming({ headers }: RequestHeader): void {
  headers.delete('Content-Length');
  headers.delete('Transfer-Encoding');
}

/** A server without a `checkContinue` listener has told the client to go on before anybody was asked. */
function expectsContinue({ headers }: NodeRequest, response: NodeResponse): boolean {
  if (headers.expect?.toLowerCase() !== '100-continue') return false;
  return (response as { _sent100?: boolean })._sent100 !== true;
}
