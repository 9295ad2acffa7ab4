import { CirqueError } from '@cirque/error';
import type { StreamSession } from '@cirque/stream';
import { describe, expect, it } from 'vitest';
import { groups, server, upstream } from '../../test/http-config.ts';
import type { StreamRouteConfig, TcpListenerConfig } from '../config/gateway-config.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { looksAtBytes, type StreamContext, StreamRoutes } from './stream-routes.ts';

const ANY = { sni: undefined, alpn: undefined, httpHost: undefined, prefix: undefined, clients: undefined };

function route(to: string, more: Partial<StreamRouteConfig> = {}): StreamRouteConfig {
  return { name: to, ...ANY, upstream: to, ...more };
}

function listener(routes: readonly StreamRouteConfig[], more: Partial<TcpListenerConfig> = {}): TcpListenerConfig {
  return {
    protocol: 'tcp',
    name: 'db',
    address: '127.0.0.1:0',
    tls: undefined,
    proxyProtocol: undefined,
    maxConnections: 0,
    maxConnectionsPerClient: 0,
    routes,
    idleTimeoutMs: 1_000,
    halfCloseTimeoutMs: 1_000,
    peekTimeoutMs: 1_000,
    retries: 1,
    uploadRate: 0,
    downloadRate: 0,
    ...more,
  };
}

interface Told {
  reason: StreamSession['reason'];
  connectMs: StreamSession['connectMs'];
}

type Connection = Omit<StreamSession, keyof Told> & Told;

function session(more: Partial<Told> = {}): Connection {
  const client = { host: '192.0.2.1', port: 5 };
  const facts = { clientAddress: client, digest: { ssl: undefined }, reason: undefined, connectMs: undefined };
  return { ...facts, signal: new AbortController().signal, ...more } as unknown as Connection;
}

function inFlight(lookup: UpstreamLookup, name = 'app'): number {
  const all = Object.values(lookup(name).balancer.stats().byAddress) as { inFlight?: number }[];
  return all.reduce((sum, one) => sum + (one.inFlight ?? 0), 0);
}

async function addressOf(routes: StreamRoutes, one: StreamSession, ctx: StreamContext): Promise<string> {
  const { address } = await routes.upstreamPeer(one, ctx);
  return 'path' in address ? address.path : `${address.host}:${address.port}`;
}

const REFUSED = (): CirqueError => CirqueError.upstream('ConnectRefused', 'refused');

describe('StreamRoutes', () => {
  it('StreamRoutes tries other servers, as often as the listener says, and gives each back', async () => {
    const lookup = groups(upstream('app', ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1']));
    const routes = StreamRoutes.of(listener([route('app')]), lookup);
    const [one, ctx] = [session(), routes.newCtx()];
    const first = await addressOf(routes, one, ctx);
    expect(routes.failToConnect(one, undefined, ctx, REFUSED()).retry).toBe(true);
    expect(await addressOf(routes, one, ctx)).not.toBe(first);
    expect(routes.failToConnect(one, undefined, ctx, REFUSED()).retry).toBe(false);
    routes.logging(one, REFUSED(), ctx);
    expect(inFlight(lookup)).toBe(0);
  });

  it('StreamRoutes gives the server back when the connection has ended, in order or not', async () => {
    const lookup = groups(upstream('app', ['10.0.0.1:1']));
    const routes = StreamRoutes.of(listener([route('app')]), lookup);
    for (const connectMs of [undefined, 3]) {
      const [one, ctx] = [session({ connectMs }), routes.newCtx()];
      await routes.upstreamPeer(one, ctx);
      expect(inFlight(lookup)).toBe(1);
      routes.logging(one, undefined, ctx);
      routes.logging(one, undefined, ctx);
      expect(inFlight(lookup)).toBe(0);
    }
  });

  it('StreamRoutes gives a server back that comes after its client has left', async () => {
    const lookup = groups(upstream('app', [server('10.0.0.1:1', { maxConnections: 1 })], { queueSize: 5 }));
    const routes = StreamRoutes.of(listener([route('app')]), lookup);
    const [first, ctx] = [session(), routes.newCtx()];
    await routes.upstreamPeer(first, ctx);
    const [late, lateCtx] = [session(), routes.newCtx()];
    const waiting = routes.upstreamPeer(late, lateCtx);
    late.reason = 'client';
    routes.logging(late, undefined, lateCtx);
    routes.logging(first, undefined, ctx);
    await expect(waiting).rejects.toThrow(/the client left before there was a server/);
    expect(inFlight(lookup)).toBe(0);
  });

  it('StreamRoutes closes a connection that no route is for', () => {
    const lookup = groups(upstream('app', ['10.0.0.1:1']));
    const routes = StreamRoutes.of(listener([route('app', { clients: ['10.0.0.0/8'] })]), lookup);
    const ctx = routes.newCtx();
    expect(() => routes.upstreamPeer(session(), ctx)).toThrow(/no route fits/);
    expect(() => routes.logging(session(), undefined, ctx)).not.toThrow();
  });

  it('StreamRoutes lets connections end by the table with which they began', async () => {
    const before = groups(upstream('app', ['10.0.0.1:1']));
    const routes = StreamRoutes.of(listener([route('app')]), before);
    const ctx = routes.newCtx();
    const swap = routes.prepare(listener([route('new')]), groups(upstream('new', ['10.0.0.2:1'])));
    expect(await addressOf(routes, session(), routes.newCtx())).toBe('10.0.0.1:1');
    swap();
    expect(await addressOf(routes, session(), ctx)).toBe('10.0.0.1:1');
    expect(await addressOf(routes, session(), routes.newCtx())).toBe('10.0.0.2:1');
  });

  it('StreamRoutes waits for bytes only where a route needs them', async () => {
    const bytes = listener([route('a', { prefix: 'SSH-' }), route('b')]);
    const lookup = groups(upstream('a', ['10.0.0.1:1']), upstream('b', ['10.0.0.2:1']));
    expect(looksAtBytes(listener([route('a')]))).toBe(false);
    expect(looksAtBytes(bytes)).toBe(true);
    expect(StreamRoutes.of(listener([route('a')]), lookup).peek).toBeUndefined();
    const routes = StreamRoutes.of(bytes, lookup);
    const [one, ctx] = [session(), routes.newCtx()];
    expect(routes.peek?.(one, Buffer.from('SS'), false, ctx)).toBe('more');
    expect(routes.peek?.(one, Buffer.from('SSH-2.0'), false, ctx)).toBeUndefined();
    expect(await addressOf(routes, one, ctx)).toBe('10.0.0.1:1');
    const other = routes.newCtx();
    expect(routes.peek?.(one, Buffer.from('SS'), true, other)).toBeUndefined();
    expect(await addressOf(routes, one, other)).toBe('10.0.0.2:1');
  });
});
