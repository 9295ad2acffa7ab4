/**
 * The events of a proxy server with their arguments, as http-proxy has them, and the callbacks that take their place.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { ProxyError } from './proxy-error.ts';
import type { ProxyRequest } from './proxy-request.ts';
import type { ProxyResponse } from './proxy-response.ts';
import type { ServerOptions } from './server-options.ts';
import type { ProxyTarget } from './target.ts';

/** Arguments of each event. */
export interface ProxyServerEvents {
  /** A request is about to be proxied. */
  start: [request: IncomingMessage, response: ServerResponse, target: ProxyTarget | undefined];
  /** The head for the target is ready, and can be changed. Comes again when the request is sent again. */
  proxyReq: [proxied: ProxyRequest, request: IncomingMessage, response: ServerResponse, options: ServerOptions];
  /** The target has answered; status and headers can be changed. */
  proxyRes: [proxied: ProxyResponse, request: IncomingMessage, response: ServerResponse];
  /** The response of the target is complete. */
  end: [request: IncomingMessage, response: ServerResponse, proxied: ProxyResponse];
  /** As `proxyReq`, for a WebSocket. */
  proxyReqWs: [
    proxied: ProxyRequest,
    request: IncomingMessage,
    socket: Duplex,
    options: ServerOptions,
    head: Buffer | undefined,
  ];
  /** The target has accepted a WebSocket; `bytes` gives what it sends, as copies. */
  open: [bytes: Readable];
  /** A WebSocket that was open is over. */
  close: [proxied: ProxyResponse, bytes: Readable, head: Buffer | undefined];
  /**
   * A request has failed before it was answered; the listener answers it. `answer` is the response, or the socket of a
   * WebSocket.
   */
  error: [
    error: ProxyError,
    request: IncomingMessage,
    answer: ServerResponse | Duplex,
    target: ProxyTarget | undefined,
  ];
  /** The client has gone. */
  econnreset: [
    error: Error,
    request: IncomingMessage,
    answer: ServerResponse | Duplex,
    target: ProxyTarget | undefined,
  ];
}

/** In the place of the `error` event, for one request. */
export type WebErrorCallback = (
  error: ProxyError,
  request: IncomingMessage,
  response: ServerResponse,
  target: ProxyTarget | undefined,
) => void;

/** In the place of the `error` event, for one WebSocket. */
export type WsErrorCallback = (
  error: ProxyError,
  request: IncomingMessage,
  socket: Duplex,
  target: ProxyTarget | undefined,
) => void;
