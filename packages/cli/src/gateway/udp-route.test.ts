import { CirqueError } from '@cirque/error';
import type { UdpSession } from '@cirque/stream';
import { describe, expect, it } from 'vitest';
import { groups, server, upstream } from '../../test/http-config.ts';
import type { UdpListenerConfig } from '../config/gateway-config.ts';
import type { UpstreamLookup } from '../upstreams/upstream-lookup.ts';
import { UdpRoute } from './udp-route.ts';

function listener(to: string): UdpListenerConfig {
  return {
    protocol: 'udp',
    name: 'dns',
    address: '127.0.0.1:0',
    upstream: to,
    idleTimeoutMs: 1_000,
    responses: 0,
    maxSessions: 10,
    maxSessionsPerClient: 0,
  };
}

type Flow = UdpSession & { reason: UdpSession['reason'] };

function flow(): Flow {
  return { clientAddress: { host: '192.0.2.1', port: 5 }, reason: undefined } as unknown as Flow;
}

function inFlight(lookup: UpstreamLookup): number {
  const all = Object.values(lookup('app').balancer.stats().byAddress) as { inFlight?: number }[];
  return all.reduce((sum, one) => sum + (one.inFlight ?? 0), 0);
}

const REFUSED = (): CirqueError => CirqueError.upstream('ConnectRefused', 'refused');

describe('UdpRoute', () => {
  it('UdpRoute gives a flow another server after a failure, and nobody when all have failed', async () => {
    const lookup = groups(upstream('app', ['10.0.0.1:1', '10.0.0.2:1']));
    const [route, one] = [new UdpRoute(listener('app'), lookup), flow()];
    const ctx = route.newCtx();
    const first = await route.upstreamPeer(one, ctx);
    expect(route.failToSend(one, ctx, REFUSED()).retry).toBe(true);
    const second = await route.upstreamPeer(one, ctx);
    expect(new Set([first.host, second.host]).size).toBe(2);
    route.failToSend(one, ctx, REFUSED());
    expect(() => route.upstreamPeer(one, ctx)).toThrow(/no backend in rotation/);
    route.logging(one, REFUSED(), ctx);
    expect(inFlight(lookup)).toBe(0);
  });

  it('UdpRoute gives a server back when the flow ends, also one that comes too late', async () => {
    const lookup = groups(upstream('app', [server('10.0.0.1:1', { maxConnections: 1 })], { queueSize: 5 }));
    const [route, one, late] = [new UdpRoute(listener('app'), lookup), flow(), flow()];
    const [ctx, lateCtx] = [route.newCtx(), route.newCtx()];
    await route.upstreamPeer(one, ctx);
    const waiting = route.upstreamPeer(late, lateCtx);
    late.reason = 'idle';
    route.logging(late, undefined, lateCtx);
    expect(inFlight(lookup)).toBe(1);
    route.logging(one, undefined, ctx);
    await expect(waiting).rejects.toThrow(/ended before there was a server/);
    expect(inFlight(lookup)).toBe(0);
  });

  it('UdpRoute refuses a server that is a unix socket, and gives it back', () => {
    const lookup = groups(upstream('app', ['unix:/run/x.sock']));
    const route = new UdpRoute(listener('app'), lookup);
    expect(() => route.upstreamPeer(flow(), route.newCtx())).toThrow(/datagrams need host and port/);
    expect(inFlight(lookup)).toBe(0);
  });

  it('UdpRoute sends flows that begin after a swap to the new upstream', async () => {
    const route = new UdpRoute(listener('app'), groups(upstream('app', ['10.0.0.1:1'])));
    const swap = route.prepare(listener('new'), groups(upstream('new', ['10.0.0.2:1'])));
    const ask = async (): Promise<string> => (await route.upstreamPeer(flow(), route.newCtx())).host;
    expect(await ask()).toBe('10.0.0.1');
    swap();
    expect(await ask()).toBe('10.0.0.2');
  });
});
