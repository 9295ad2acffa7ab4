/**
 * The phases of a TCP listener: takes the first route that fits, asks its upstream for a server, and for another one when that
 * cannot be reached.
 */
import { CirqueError } from '@cirque/error';
import type { Pick } from '@cirque/load-balancing';
import { type StreamPeer, StreamProxy, type StreamSession } from '@cirque/stream';
import type { TcpListenerConfig } from '../config/gateway-config.ts';
import type { UpstreamGroup } from '../upstreams/upstream-group.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import {
  type ClientFacts,
  findRoute,
  needsBytes,
  type StreamRoute,
  serverNameOf,
  streamRoutes,
} from './stream-match.ts';
import { acquireServer } from './stream-servers.ts';

/** The routes of a listener as they are between two reloads. */
interface StreamTable {
  readonly routes: readonly StreamRoute[];
  readonly retries: number;
  readonly upstreams: UpstreamLookup;
}

/** What is kept of a connection. */
export interface StreamContext {
  /** The table when the connection came; a reload changes nothing for it. */
  readonly table: StreamTable;
  route: StreamRoute | undefined;
  /** What the client asks for in its handshake, where that was looked at. */
  serverName: string | undefined;
  group: UpstreamGroup | undefined;
  /** The server in use, until it is given back. */
  pick: Pick | undefined;
  failures: number;
}

const NO_BYTES = Buffer.alloc(0);

/** Routes that need no bytes of the client, so that servers which speak first are served at once. */
export class StreamRoutes extends StreamProxy<StreamContext> {
  #table: StreamTable;

  constructor(listener: TcpListenerConfig, upstreams: UpstreamLookup) {
    super();
    this.#table = tableOf(listener, upstreams);
  }

  /** Those of a listener, with a look at the first bytes where one of them needs it. */
  static of(listener: TcpListenerConfig, upstreams: UpstreamLookup): StreamRoutes {
    return looksAtBytes(listener) ? new PeekingRoutes(listener, upstreams) : new StreamRoutes(listener, upstreams);
  }

  /** Takes another table for the connections that come from now on. It must need bytes as the one before did. */
  swap(listener: TcpListenerConfig, upstreams: UpstreamLookup): void {
    this.#table = tableOf(listener, upstreams);
  }

  override newCtx(): StreamContext {
    return {
      table: this.#table,
      route: undefined,
      serverName: undefined,
      group: undefined,
      pick: undefined,
      failures: 0,
    };
  }

  override upstreamPeer(session: StreamSession, ctx: StreamContext): StreamPeer | Promise<StreamPeer> {
    ctx.route ??= anyRoute(findRoute(ctx.table.routes, factsOf(session), NO_BYTES, true));
    if (ctx.route === undefined) throw new CirqueError('ConnectNoRoute', 'no route fits', { source: 'Downstream' });
    const group = ctx.group ?? ctx.table.upstreams(ctx.route.config.upstream);
    ctx.group = group;
    const client = { address: session.clientAddress?.host, serverName: ctx.serverName ?? session.serverName };
    const picked = acquireServer(group, client, () => session.signal);
    return isPromise(picked) ? picked.then((pick) => use(pick, group, session, ctx)) : use(picked, group, session, ctx);
  }

  override connectedToUpstream(session: StreamSession, _peer: unknown, _digest: unknown, ctx: StreamContext): void {
    if (ctx.pick !== undefined) ctx.group?.remember(session.clientAddress?.host, ctx.pick.backend);
  }

  override failToConnect(_session: StreamSession, _peer: unknown, ctx: StreamContext, error: CirqueError): CirqueError {
    giveBack(ctx, false, undefined);
    ctx.failures += 1;
    return error.setRetry(ctx.failures <= ctx.table.retries);
  }

  override logging(session: StreamSession, _error: CirqueError | undefined, ctx: StreamContext): void {
    giveBack(ctx, session.connectMs !== undefined, session.connectMs);
  }
}

/** Routes that wait for bytes of the client. */
class PeekingRoutes extends StreamRoutes {
  override peek(session: StreamSession, seen: Buffer, ended: boolean, ctx: StreamContext): 'more' | undefined {
    const facts = factsOf(session);
    const found = findRoute(ctx.table.routes, facts, seen, ended);
    if (found === 'more') return 'more';
    ctx.route = found;
    ctx.serverName = serverNameOf(facts, seen);
    return undefined;
  }
}

/** True when a route cannot be chosen before the client has sent something. */
export function looksAtBytes({ routes, tls }: TcpListenerConfig): boolean {
  return needsBytes(streamRoutes(routes), tls !== undefined);
}

function tableOf({ retries, routes }: TcpListenerConfig, upstreams: UpstreamLookup): StreamTable {
  return { routes: streamRoutes(routes), retries, upstreams };
}

function factsOf(session: StreamSession): ClientFacts {
  const { ssl } = session.digest;
  const terminated = ssl === undefined ? undefined : { serverName: session.serverName, alpn: ssl.alpn };
  return { client: session.clientAddress?.host, terminated };
}

function anyRoute(found: StreamRoute | 'more' | undefined): StreamRoute | undefined {
  return found === 'more' ? undefined : found;
}

function use(pick: Pick, group: UpstreamGroup, session: StreamSession, ctx: StreamContext): StreamPeer {
  // The client may have left while it waited for a server.
  if (session.reason !== undefined) {
    pick.done();
    throw new CirqueError('ConnectionClosed', 'the client left before there was a server', { source: 'Downstream' });
  }
  ctx.pick = pick;
  return group.streamPeer(pick.backend, { digest: session.digest, host: ctx.serverName ?? session.serverName });
}

function giveBack(ctx: StreamContext, ok: boolean, latencyMs: number | undefined): void {
  const { pick } = ctx;
  ctx.pick = undefined;
  pick?.done({ ok, ...(latencyMs === undefined ? {} : { latencyMs }) });
}

function isPromise<T>(value: T | PromiseLike<T>): value is Promise<T> {
  return typeof (value as { then?: unknown }).then === 'function';
}
