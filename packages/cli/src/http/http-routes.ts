/**
 * The phases of a HTTP listener: finds the route of a request, answers it or passes it to a server of an upstream.
 *
 * What routes are is in route.ts, how servers are chosen and given back in upstream-use.ts. A reload swaps the whole table at
 * once; requests under way keep the one they began with.
 */
import { compression } from '@cirque/compression';
import { type CirqueError, statusFor } from '@cirque/error';
import type { RequestHeader, ResponseHeader } from '@cirque/http';
import type { HttpPeer, Peer } from '@cirque/pool';
import type { FailToProxy, HttpModules, ProxyPhases, Session } from '@cirque/proxy';
import { formatAddress } from '@cirque/transport';
import type { HttpListenerConfig } from '../config/gateway-config.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { RouteContext } from './route-context.ts';
import { RouteTable } from './route-table.ts';
import { UpstreamUse } from './upstream-use.ts';

/** Methods whose repetition changes nothing (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** What another server would hardly do better, or too late. */
const NOT_AGAIN: ReadonlySet<string> = new Set(['ReadTimedout', 'WriteTimedout', 'HTTPStatus']);
/** Seconds after which a client may try again when no server was there. */
const RETRY_AFTER = '1';

/** See the file's head. */
export class HttpRoutes implements ProxyPhases<RouteContext> {
  #table: RouteTable;
  /** The context of the request whose modules are made next: both are made in one go. */
  #newest: RouteContext | undefined;

  /** @throws TypeError naming the route and what cannot work. */
  constructor(listener: HttpListenerConfig, upstreams: UpstreamLookup) {
    this.#table = new RouteTable(listener, upstreams);
  }

  /**
   * Makes other routes ready, and what the listener says of proxies before it. Calling the result replaces all of them at once;
   * requests under way end as they began.
   *
   * @throws TypeError as the constructor does.
   */
  prepare(listener: HttpListenerConfig, upstreams: UpstreamLookup): () => void {
    const table = new RouteTable(listener, upstreams);
    return () => {
      this.#table = table;
    };
  }

  initDownstreamModules(modules: HttpModules): void {
    const builder = compression();
    modules.add({
      ...builder,
      create: (request) => (this.#compresses(request) ? builder.create(request) : undefined),
    });
  }

  newCtx(): RouteContext {
    this.#newest = new RouteContext(this.#table);
    return this.#newest;
  }

  requestFilter(session: Session, ctx: RouteContext): boolean {
    const route = ctx.find(session.requestHeader);
    if (route === undefined) {
      session.respond(404, 'no route\n');
      return true;
    }
    ctx.enter(session, route);
    if (route.answer !== undefined) {
      route.answer(ctx);
      return true;
    }
    return false;
  }

  upstreamPeer(_session: Session, ctx: RouteContext): HttpPeer | Promise<HttpPeer> {
    const action = ctx.route?.proxy;
    if (action === undefined) throw new TypeError('a request without a route has come to an upstream');
    ctx.use ??= new UpstreamUse(action, ctx);
    return ctx.use.peer();
  }

  /** Nothing was sent: another server may be tried, whatever the method. */
  failToConnect(_session: Session, _peer: Peer, ctx: RouteContext, error: CirqueError): CirqueError {
    return error.setRetry(ctx.use?.failed(error) === true);
  }

  upstreamRequestFilter(session: Session, request: RequestHeader, ctx: RouteContext): void {
    const { route, table, target } = ctx;
    if (target !== undefined) request.target = target;
    table.forwarded?.(session, request);
    const host = route?.proxy?.host.host;
    const backend = ctx.use?.backend;
    if (host !== undefined && backend !== undefined) request.insertHeader('Host', host(backend));
    route?.requestEdits?.(request.headers, ctx);
  }

  responseFilter(_session: Session, response: ResponseHeader, ctx: RouteContext): void {
    if (response.informational) return;
    ctx.use?.answered(response.status);
    ctx.use?.keepClient(response.headers);
    ctx.route?.responseEdits?.(response.headers, ctx);
  }

  /**
   * The connection broke, or took too long. A pooled one that had died says nothing about its server, and is repeated as always;
   * otherwise an idempotent request may go to another server.
   */
  errorWhileProxy(peer: Peer, session: Session, error: CirqueError, ctx: RouteContext, reused: boolean): CirqueError {
    const told = error.moreContext(`Peer: ${formatAddress(peer.address)}`);
    if (error.source !== 'Upstream' || (reused && error.retry === 'ReusedOnly')) return told;
    const another = ctx.use?.failed(told) === true;
    const again = another && IDEMPOTENT.has(session.requestHeader.method) && !NOT_AGAIN.has(error.rootType());
    return told.setRetry(again);
  }

  failToProxy(session: Session, error: CirqueError): FailToProxy {
    const status = statusFor(error);
    if (status === 503 && !session.responseStarted) {
      session.disableKeepAlive();
      session.respond(503, '', { 'Retry-After': RETRY_AFTER, 'Cache-Control': 'private, no-store' });
    }
    return { errorCode: status, canReuseDownstream: false };
  }

  logging(_session: Session, error: CirqueError | undefined, ctx: RouteContext | undefined): void {
    ctx?.use?.end(error);
  }

  #compresses(request: RequestHeader): boolean {
    const ctx = this.#newest;
    this.#newest = undefined;
    return ctx?.table.compresses === true && ctx.find(request)?.compression === true;
  }
}
