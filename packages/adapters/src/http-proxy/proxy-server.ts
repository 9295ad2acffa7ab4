/**
 * A proxy server in the manner of http-proxy: its options, methods and events on top of {@link HttpProxy}.
 */
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';
import type { RequestHeader } from '@cirque/http';
import { HttpProxy, type ProxyPhases, type Session } from '@cirque/proxy';
import { NodeExchange, type NodeExchangeOptions, refuse } from '../node/node-exchange.ts';
import { upgradeListener } from '../node/upgrade-handler.ts';
import { ForwardRequest } from './forward-request.ts';
import { type ProxyError, proxyError } from './proxy-error.ts';
import type { ProxyServerEvents, WebErrorCallback, WsErrorCallback } from './proxy-events.ts';
import type { ProxyRequest } from './proxy-request.ts';
import type { ProxyResponse } from './proxy-response.ts';
import { resolveSettings, type ServerOptions, type Settings } from './server-options.ts';
import type { ErrorHandler, Proxied } from './shim-request.ts';
import { WebRequest } from './web-request.ts';
import { WsRequest } from './ws-request.ts';

/** Options of one request, or what is called when it fails. */
type Argument<Callback> = ServerOptions | Callback | undefined;

interface Ctx {
  proxied: Proxied | undefined;
}

/**
 * Its events are {@link ProxyServerEvents}. Without an `error` listener a failure is answered with 502 or 504 and the
 * like: whatever targets do, nothing is thrown.
 */
export class ProxyServer extends EventEmitter<ProxyServerEvents> {
  readonly #base: ServerOptions;
  readonly #settings: Settings;
  readonly #requests = new WeakMap<RequestHeader, Proxied>();
  readonly #web: HttpProxy<Ctx>;
  readonly #ws: HttpProxy<Ctx>;
  #server: Server | undefined = undefined;

  /** @throws TypeError or RangeError naming the option that does not work. */
  constructor(options: ServerOptions = {}) {
    super();
    this.#base = options;
    this.#settings = resolveSettings(options);
    // No time limits of ours but where an option sets one: as http-proxy.
    const untimed = { tunnelIdleTimeoutMs: 0 };
    this.#web = new HttpProxy(this.#phases(), untimed);
    const seen: ProxyPhases<Ctx>['responseBodyFilter'] = (_session, body, _end, { proxied }) =>
      proxied instanceof WsRequest ? proxied.seen(body) : undefined;
    this.#ws = new HttpProxy({ ...this.#phases(), responseBodyFilter: seen }, untimed);
  }

  /**
   * Proxies a request. Options of the request go before those of the server.
   *
   * @param args options, a callback for its failure, or both.
   * @throws TypeError or RangeError for wrong options.
   */
  web(
    request: IncomingMessage,
    response: ServerResponse,
    ...args: readonly [Argument<WebErrorCallback>?, WebErrorCallback?]
  ): void {
    const { settings, callback } = this.#read(args);
    const { options, target, forward } = settings;
    const fail = this.#failing(callback, request, response);
    if (options.timeout !== undefined) request.socket.setTimeout(options.timeout);
    if (target === undefined && forward === undefined) {
      if (fail === undefined) response.writeHead(500).end();
      else fail(noTarget(), undefined);
      return;
    }
    this.emit('start', request, response, options.target ?? options.forward);
    try {
      if (target !== undefined) this.#exchange(request, response, settings, fail).serve(this.#web);
      if (forward !== undefined) this.#forward(request, settings);
      if (target === undefined) response.end();
    } catch (error) {
      refuse(this.#web, request, response, error);
    }
  }

  /** Proxies a WebSocket; `head` is what has come of it already. As {@link web} otherwise. */
  ws(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer | undefined,
    ...args: readonly [Argument<WsErrorCallback>?, WsErrorCallback?]
  ): void {
    const { settings, callback } = this.#read(args);
    const { target, options } = settings;
    const fail = this.#failing(callback, request, socket);
    if (target === undefined || request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      if (target === undefined) fail?.(noTarget(), undefined);
      socket.destroy();
      return;
    }
    const proxied = new WsRequest(request, socket, settings, {
      proxyReqWs: (made) => this.emit('proxyReqWs', made, request, socket, options, head),
      open: (bytes) => this.emit('open', bytes),
      close: (response, bytes) => this.emit('close', response, bytes, head),
      econnreset: (error) => this.emit('econnreset', error, request, socket, options.target),
      error: fail,
    });
    const listener = upgradeListener(this.#ws, ({ requestHeader }) => this.#requests.set(requestHeader, proxied));
    listener(request, socket, head ?? Buffer.alloc(0));
  }

  /** Serves requests, and WebSockets with option `ws`, on a port of its own. */
  listen(port: number, hostname?: string): this {
    const { ssl, ws } = this.#base;
    const listener = (request: IncomingMessage, response: ServerResponse): void => this.web(request, response);
    const server = ssl === undefined ? createServer(listener) : createTlsServer(ssl, listener);
    if (ws === true) server.on('upgrade', (request, socket, head) => this.ws(request, socket, head));
    server.listen(port, hostname);
    this.#server = server;
    return this;
  }

  /** Where {@link listen} listens; undefined before it does. */
  address(): AddressInfo | undefined {
    return (this.#server?.address() as AddressInfo | null | undefined) ?? undefined;
  }

  /** Stops listening and closes idle connections to targets; requests under way are finished. */
  close(callback: () => void = () => {}): void {
    this.#web.httpCleanup();
    this.#ws.httpCleanup();
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) callback();
    else server.close(callback);
  }

  #phases(): ProxyPhases<Ctx> {
    return {
      newCtx: () => ({ proxied: undefined }),
      earlyRequestFilter: ({ requestHeader }, ctx) => {
        ctx.proxied ??= this.#requests.get(requestHeader);
      },
      upstreamPeer: (_session, ctx) => (ctx.proxied as Proxied).peer,
      upstreamRequestFilter: (_session, head, { proxied }) => proxied?.filterRequest(head),
      responseFilter: (_session, header, { proxied }) => {
        if (!header.informational) proxied?.noteResponse(header);
      },
      failToProxy: async (session, error, { proxied }) => {
        await proxied?.failed(session, error);
        return { errorCode: session.responseHeader?.status ?? 0, canReuseDownstream: false };
      },
      logging: (_session: Session, _error, ctx: Ctx | undefined) => ctx?.proxied?.over(),
    };
  }

  #read<Callback extends (...args: never[]) => void>(
    args: readonly Argument<Callback>[],
  ): { settings: Settings; callback: Callback | undefined } {
    let settings = this.#settings;
    let callback: Callback | undefined;
    for (const argument of args) {
      if (typeof argument === 'function') callback = argument;
      else if (argument !== undefined) settings = resolveSettings({ ...this.#base, ...argument });
    }
    return { settings, callback };
  }

  /** Tells whoever wants to know of a failure; undefined when nobody does. */
  #failing<Answer extends ServerResponse | Duplex>(
    callback: ((error: ProxyError, request: IncomingMessage, answer: Answer, target: never) => void) | undefined,
    request: IncomingMessage,
    answer: Answer,
  ): ErrorHandler | undefined {
    if (callback !== undefined) return (error, target) => callback(error, request, answer, target as never);
    if (this.listenerCount('error') === 0) return undefined;
    return (error, target) => void this.emit('error', error, request, answer, target);
  }

  #exchange(
    request: IncomingMessage,
    response: ServerResponse,
    settings: Settings,
    fail: ErrorHandler | undefined,
  ): NodeExchange {
    const { options } = settings;
    const { buffer } = options;
    const listeners = {
      proxyReq: (made: ProxyRequest) => this.emit('proxyReq', made, request, response, options),
      proxyRes: (made: ProxyResponse) => this.emit('proxyRes', made, request, response),
      end: (made: ProxyResponse) => this.emit('end', request, response, made),
      econnreset: (error: Error) => this.emit('econnreset', error, request, response, options.target),
      error: fail,
    };
    const readBefore = buffer === undefined && hasBody(request) && request.readableDidRead;
    const proxied = new WebRequest(request, response, settings, listeners, readBefore);
    const how: NodeExchangeOptions = {
      body: buffer ?? (readBefore ? proxied.writtenBody() : undefined),
      sameLength: buffer !== undefined,
      wrap: (sink, session) => proxied.wrap(sink, session),
      onRequest: (header) => this.#requests.set(header, proxied),
    };
    return new NodeExchange(request, response, how);
  }

  #forward(request: IncomingMessage, settings: Settings): void {
    const forward = new ForwardRequest(request, settings);
    void this.#web.spawnBackgroundSubrequest(forward.copy<Ctx>({ proxied: forward }));
  }
}

function noTarget(): ProxyError {
  return proxyError(CirqueError.internal('InternalError', 'there is no target: expected option target or forward'));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
