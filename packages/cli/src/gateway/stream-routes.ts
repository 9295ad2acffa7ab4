/**
 * The phases of a TCP listener: takes the first route that fits, asks its upstream for a server, and for another one when that
 * cannot be reached.
 */
import { CirqueError } from '@cirque/error';
import type { Pick } from '@cirque/load-balancing';
import { type StreamPeer, StreamProxy, type StreamSession } from '@cirque/stream';
import type { TcpListenerConfig } from '../config/gateway-config.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { ServerInUse } from './server-in-use.ts';
import {
  type ClientFacts,
  findRoute,
  needsBytes,
  type StreamRoute,
  serverNameOf,
  streamRoutes,
} from './stream-match.ts';

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
  server: ServerInUse | undefined;
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

  /** Another table for the connections that come after the result was called. It must need bytes as the one before did. */
  prepare(listener: TcpListenerConfig, upstreams: UpstreamLookup): () => void {
    const table = tableOf(listener, upstreams);
    return () => {
      this.#table = table;
    };
  }

  override newCtx(): StreamContext {
    return {
      table: this.#table,
      route: undefined,
      serverName: undefined,
      server: undefined,
    };
  }

  override upstreamPeer(session: StreamSession, ctx: StreamContext): StreamPeer | Promise<StreamPeer> {
    const server = ctx.server ?? begin(session, ctx);
    ctx.server = server;
    const picked = server.next(() => session.signal);
    return picked instanceof Promise
      ? picked.then((pick) => use(pick, server, session, ctx))
      : use(picked, server, session, ctx);
  }

  override connectedToUpstream(_session: StreamSession, _peer: unknown, _digest: unknown, ctx: StreamContext): void {
    ctx.server?.settled();
  }

  override failToConnect(
    _session: StreamSession,
    _peer: unknown,
    { server, table }: StreamContext,
    error: CirqueError,
  ): CirqueError {
    server?.failed();
    return error.setRetry((server?.failures ?? 0) <= table.retries);
  }

  override logging(session: StreamSession, _error: CirqueError | undefined, ctx: StreamContext): void {
    // Without a connection, and without a failure, the client has left before.
    ctx.server?.done(session.connectMs === undefined ? undefined : true, session.connectMs);
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

function begin(session: StreamSession, ctx: StreamContext): ServerInUse {
  ctx.route ??= anyRoute(findRoute(ctx.table.routes, factsOf(session), NO_BYTES, true));
  if (ctx.route === undefined) throw new CirqueError('ConnectNoRoute', 'no route fits', { source: 'Downstream' });
  const client = { address: session.clientAddress?.host, serverName: ctx.serverName ?? session.serverName };
  return new ServerInUse(ctx.table.upstreams(ctx.route.config.upstream), client);
}

function use(pick: Pick, server: ServerInUse, session: StreamSession, ctx: StreamContext): StreamPeer {
  // The client may have left while it waited for a server.
  if (session.reason !== undefined) {
    pick.done();
    throw new CirqueError('ConnectionClosed', 'the client left before there was a server', { source: 'Downstream' });
  }
  server.take(pick);
  return server.group.streamPeer(pick.backend, { digest: session.digest, host: ctx.serverName ?? session.serverName });
}
