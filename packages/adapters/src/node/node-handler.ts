/**
 * Cirque inside of other servers: a request listener for node:http, node:https, node:http2, Express, Connect and Fastify's
 * raw requests.
 */
import type { ByteSource, HttpServerApp } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { type AppOptions, appOf, type Servable } from '../app-of.ts';
import { NodeExchange, refuse } from './node-exchange.ts';
import { isHttp2, type NodeRequest } from './request-head.ts';
import type { NodeResponse } from './response-sink.ts';

/** Options of {@link toNodeHandler}. */
export interface NodeHandlerOptions extends AppOptions {
  /**
   * The body of a request whose own was read already, by a body parser: what is to be sent upstream instead. Undefined
   * leaves the body as it is. Default: always undefined.
   */
  readonly body?: (request: NodeRequest) => string | Uint8Array | ByteSource | undefined;
}

/** A request listener, with what it serves. */
export interface NodeHandler {
  /** `next`, where the framework has one, gets errors of the way in which the handler is used. */
  (request: NodeRequest, response: NodeResponse, next?: (error: unknown) => void): void;
  readonly app: HttpServerApp;
  /** Closes idle upstream connections, now and whenever one becomes idle. */
  close(): void;
}

/**
 * A request listener that lets a proxy, or any other application, answer.
 *
 * Bodies stream both ways with back-pressure; a client that leaves cancels the upstream's work; trailers and interim
 * responses pass. Limits and deadlines of the client's side are those of the server around it.
 *
 * @throws TypeError or RangeError for what cannot be served, and for wrong options.
 * @example createServer(toNodeHandler(defineProxy({ upstreamPeer: () => new HttpPeer('127.0.0.1:9000') })))
 */
export function toNodeHandler<Ctx>(servable: Servable<Ctx>, options: NodeHandlerOptions = {}): NodeHandler {
  const { body, ...appOptions } = options;
  const app = appOf(servable, appOptions);
  const handler = (request: NodeRequest, response: NodeResponse, next?: (error: unknown) => void): void => {
    let exchange: NodeExchange;
    try {
      const given = body?.(request);
      if (given === undefined) checkUnread(request);
      exchange = new NodeExchange(request, response, { body: given });
    } catch (error) {
      if (next !== undefined && !isClientsFault(error)) next(error);
      else refuse(app, request, response, error);
      return;
    }
    exchange.serve(app);
  };
  return Object.assign(handler, { app, close: () => void app.httpCleanup?.() });
}

function isClientsFault(error: unknown): boolean {
  return CirqueError.is(error) && error.source === 'Downstream';
}

/** @throws CirqueError InternalError when somebody has read of the body: the rest alone would pass for the whole. */
export function checkUnread(request: NodeRequest): void {
  const { headers } = request;
  const announced = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  const hasBody = isHttp2(request) ? !request.stream.endAfterHeaders : announced;
  if (!hasBody || !request.readableDidRead) return;
  throw CirqueError.internal(
    'InternalError',
    'the request body was read before the proxy got it: put the proxy before body parsers, or give it option body',
  );
}
