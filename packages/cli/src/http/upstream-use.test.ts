import { createTestProxy, type TestProxy, type TestProxySettings } from '@cirque/proxy/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { groups, listener, proxyTo, route, server, upstream } from '../../test/http-config.ts';
import type { HttpListenerConfig, ProxyActionConfig, UpstreamConfig } from '../config/gateway-config.ts';
import type { UpstreamGroup } from '../upstreams/upstream-group.ts';
import { HttpRoutes } from './http-routes.ts';

const ONE = '10.0.0.1:80';
const TWO = '10.0.0.2:80';
const THREE = '10.0.0.3:80';
const BY_SOURCE = {
  method: 'source_ip',
  key: 'client_ip',
  subset: 0,
  overload: 0.25,
  ipv4Prefix: 32,
  ipv6Prefix: 64,
} as const;
const EJECT_AT_ONCE = {
  consecutiveFailures: 1,
  errorRate: 0,
  minimumVolume: 1,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 30_000,
  maxEjectedShare: 1,
};
const open: TestProxy[] = [];

afterEach(async () => {
  for (const proxy of open.splice(0)) await proxy.close();
});

interface Gateway {
  readonly proxy: TestProxy;
  readonly group: UpstreamGroup;
}

/** One route for everything, to this upstream. */
function gateway(
  app: UpstreamConfig,
  settings: TestProxySettings = {},
  action: Partial<ProxyActionConfig> = {},
  more: Partial<HttpListenerConfig> = {},
): Gateway {
  const lookup = groups(app);
  const proxy = createTestProxy(new HttpRoutes(listener([route(proxyTo('app', action))], more), lookup), settings);
  open.push(proxy);
  return { proxy, group: lookup('app') };
}

const app = (addresses: readonly string[], more: Partial<UpstreamConfig> = {}): UpstreamConfig =>
  upstream('app', addresses, more);

/** Refuses connections to these addresses. */
const refusing = (...dead: readonly string[]): TestProxySettings => ({
  upstream: {
    connect: (address) => (dead.includes(address) ? 'refuse' : 'accept'),
    respond: (_, { address }) => ({ body: address }),
  },
});

/** What is under way at each server. */
function inFlight({ group }: Gateway): number[] {
  return Object.values(group.balancer.stats().byAddress).map((one) => one.inFlight);
}

describe('UpstreamUse: failover', () => {
  it.each(['GET', 'POST'])('UpstreamUse takes another server when one cannot be reached, for %s', async (method) => {
    const { proxy } = gateway(app([ONE, TWO]), refusing(ONE));
    for (let n = 0; n < 4; n += 1) {
      const { status, text } = await proxy.inject({ method, ...(method === 'POST' ? { body: 'data' } : {}) });
      expect([status, text]).toEqual([200, TWO]);
    }
    expect(proxy.upstream.attempts).toContain(ONE);
    expect(proxy.upstream.requests).toHaveLength(4);
  });

  it('UpstreamUse takes another server with hashing, too, which would name the same again', async () => {
    const balance = {
      method: 'consistent',
      key: 'client_ip',
      subset: 0,
      overload: 0.25,
      ipv4Prefix: 32,
      ipv6Prefix: 64,
    } as const;
    const { proxy } = gateway(app([ONE, TWO, THREE], { balance }), refusing(ONE, TWO));
    expect((await proxy.inject()).text).toBe(THREE);
    expect(new Set(proxy.upstream.attempts).size).toBe(proxy.upstream.attempts.length);
  });

  it('UpstreamUse tries as often as the route says, and tells the failure', async () => {
    const made = gateway(app([ONE, TWO, THREE]), refusing(ONE, TWO, THREE), { retries: 1 });
    const { status, headers } = await made.proxy.inject();
    expect(status).toBe(502);
    expect(headers.has('retry-after')).toBe(false);
    expect(made.proxy.upstream.attempts).toHaveLength(2);
    expect(inFlight(made)).toEqual([0, 0, 0]);
  });

  it('UpstreamUse finds the one that lives among hundreds of dead servers', async () => {
    const many = Array.from({ length: 600 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`);
    const { group, proxy } = gateway(app(many), refusing());
    for (const address of many.slice(0, -1)) group.balancer.setState(address, 'maintenance');
    for (let n = 0; n < 5; n += 1) expect((await proxy.inject()).text).toBe(many.at(-1));
  });

  it('UpstreamUse does not try the same server twice', async () => {
    const { proxy } = gateway(app([ONE]), refusing(ONE), { retries: 5 });
    expect((await proxy.inject()).status).toBe(502);
    expect(proxy.upstream.attempts).toEqual([ONE]);
  });

  it('UpstreamUse does not try again where the route says 0', async () => {
    const { proxy } = gateway(app([ONE, TWO]), refusing(ONE), { retries: 0 });
    const statuses = [(await proxy.inject()).status, (await proxy.inject()).status];
    expect(statuses.sort()).toEqual([200, 502]);
  });

  it.each([
    ['GET', 200, 2],
    ['PUT', 200, 2],
    ['POST', 502, 1],
    ['PATCH', 502, 1],
  ])('UpstreamUse repeats %s elsewhere after a broken connection or not: %i', async (method, status, requests) => {
    const made = gateway(app([ONE, TWO]), { upstream: ['reset', { body: 'ok' }] });
    expect((await made.proxy.inject({ method, body: method === 'GET' ? undefined : 'data' })).status).toBe(status);
    expect(made.proxy.upstream.requests).toHaveLength(requests);
    expect(new Set(made.proxy.upstream.attempts).size).toBe(requests);
    expect(inFlight(made)).toEqual([0, 0]);
  });

  it('UpstreamUse does not repeat what took too long', async () => {
    const made = gateway(app([ONE, TWO], { readTimeoutMs: 1_000 }), { upstream: ['hang', { body: 'ok' }] });
    const response = made.proxy.inject();
    await made.proxy.clock.advance(1_100);
    expect((await response).status).toBe(504);
    expect(made.proxy.upstream.requests).toHaveLength(1);
    expect(inFlight(made)).toEqual([0, 0]);
  });

  it('UpstreamUse repeats at the same server when a kept connection had died, and does not blame it', async () => {
    const made = gateway(app([ONE, TWO], { passiveHealth: EJECT_AT_ONCE, balance: BY_SOURCE }), {
      upstream: [{ body: 'a' }, 'close', { body: 'b' }],
    });
    expect((await made.proxy.inject()).text).toBe('a');
    expect((await made.proxy.inject()).text).toBe('b');
    const { attempts } = made.proxy.upstream;
    expect(attempts).toEqual([attempts[0], attempts[0]]);
    expect(Object.values(made.group.balancer.stats().byAddress).map(({ ejected }) => ejected)).toEqual([0, 0]);
  });

  it('UpstreamUse does not blame a server for a kept connection that had died, whatever the method', async () => {
    const made = gateway(app([ONE, TWO], { passiveHealth: EJECT_AT_ONCE, balance: BY_SOURCE }), {
      upstream: [{ body: 'a' }, 'close', 'close', 'close'],
    });
    expect((await made.proxy.inject()).text).toBe('a');
    const { status } = await made.proxy.inject({ method: 'POST', body: ['a', 'b'] });
    expect(status).toBe(502);
    expect(Object.values(made.group.balancer.stats().byAddress).map(({ ejected }) => ejected)).toEqual([0, 0]);
    expect(inFlight(made)).toEqual([0, 0]);
  });

  it('UpstreamUse gives back once what is in use, whatever happens', async () => {
    const made = gateway(app([ONE, TWO]), {
      upstream: () => ({ body: ['a', 'b'], bodyDelayMs: 100 }),
    });
    const leaves = made.proxy.connect();
    const cut = leaves.inject();
    const whole = made.proxy.inject();
    await made.proxy.clock.advance(150);
    expect(inFlight(made)).toEqual([1, 1]);
    leaves.close();
    await made.proxy.clock.advance(200);
    await Promise.allSettled([cut, whole]);
    expect(inFlight(made)).toEqual([0, 0]);
  });
});

describe('UpstreamUse: nobody there', () => {
  it('UpstreamUse answers 503 with Retry-After', async () => {
    const servers = [server(ONE, { state: 'maintenance' })];
    const { proxy } = gateway(upstream('app', servers));
    const { connectionClosed, headers, status } = await proxy.inject();
    expect([status, headers.get('retry-after'), connectionClosed]).toEqual([503, '1', true]);
    expect(proxy.upstream.attempts).toEqual([]);
  });

  it('UpstreamUse waits in the queue for a server at its limit, in order', async () => {
    const made = gateway(app([ONE], { maxConnections: 1, queueSize: 2, queueTimeoutMs: 5_000 }), {
      upstream: ({ target }) => ({ body: target, delayMs: 100 }),
    });
    const responses = ['/1', '/2', '/3', '/4'].map((target) => made.proxy.inject({ target }));
    await made.proxy.clock.advance(50);
    const full = await responses[3];
    expect([full?.status, full?.headers.get('retry-after')]).toEqual([503, '1']);
    await made.proxy.clock.advance(1_000);
    const texts = await Promise.all(responses.slice(0, 3).map(async (response) => (await response).text));
    expect(texts).toEqual(['/1', '/2', '/3']);
    expect(made.proxy.upstream.requests.map(({ target }) => target)).toEqual(['/1', '/2', '/3']);
    expect(inFlight(made)).toEqual([0]);
  });

  it('UpstreamUse leaves the queue with its client', async () => {
    const made = gateway(app([ONE], { maxConnections: 1, queueSize: 1, queueTimeoutMs: 60_000 }), {
      upstream: ({ target }) => ({ body: target, delayMs: 100 }),
    });
    const first = made.proxy.inject({ target: '/1' });
    const leaves = made.proxy.connect();
    const lost = leaves.inject({ target: '/2' });
    await made.proxy.clock.advance(10);
    leaves.close();
    await made.proxy.clock.advance(10);
    const third = made.proxy.inject({ target: '/3' });
    await made.proxy.clock.advance(500);
    await Promise.allSettled([lost]);
    expect([(await first).text, (await third).text]).toEqual(['/1', '/3']);
    expect(made.proxy.upstream.requests.map(({ target }) => target)).toEqual(['/1', '/3']);
    expect(inFlight(made)).toEqual([0]);
  });
});

describe('UpstreamUse: outcomes', () => {
  const passiveHealth = { ...EJECT_AT_ONCE, consecutiveFailures: 2 };

  it.each([
    [502, 1],
    [503, 1],
    [504, 1],
    [500, 0],
    [404, 0],
    [200, 0],
  ])('UpstreamUse counts answers of %i as failures of the server: %i', async (status, ejected) => {
    const made = gateway(app([ONE, TWO], { passiveHealth }), {
      upstream: (_, { address }) => (address === ONE ? { status } : {}),
    });
    for (let n = 0; n < 4; n += 1) await made.proxy.inject();
    expect(made.group.balancer.stats().byAddress[ONE]?.ejected).toBe(ejected);
    expect(made.group.balancer.stats().byAddress[TWO]?.ejected).toBe(0);
  });

  it('UpstreamUse counts connections that cannot be made', async () => {
    const made = gateway(app([ONE, TWO], { passiveHealth }), refusing(ONE));
    for (let n = 0; n < 4; n += 1) expect((await made.proxy.inject()).status).toBe(200);
    expect(made.group.balancer.stats().byAddress[ONE]?.ejected).toBe(1);
  });
});

describe('UpstreamUse: sticky clients', () => {
  const cookie = {
    kind: 'cookie',
    name: 'route',
    ttlMs: 3_600_000,
    secret: 'a secret of sixteen',
    secure: true,
    path: '/',
    sameSite: 'strict',
  } as const;

  it('UpstreamUse gives a new client a cookie, and sends it where the cookie says', async () => {
    const { group, proxy } = gateway(app([ONE, TWO, THREE], { sticky: cookie }), refusing());
    const first = await proxy.inject();
    const given = first.headers.getAll('set-cookie');
    expect(given).toHaveLength(1);
    expect(given[0]).toMatch(/^route=[^;]+; Path=\/; Max-Age=3600; HttpOnly; Secure; SameSite=Strict$/);
    expect(given[0]).not.toContain('10.0.0');
    const Cookie = `x=y; ${given[0]?.split(';')[0]}`;
    for (let n = 0; n < 5; n += 1) {
      const again = await proxy.inject({ headers: { Cookie } });
      expect([again.text, again.headers.has('set-cookie')]).toEqual([first.text, false]);
    }
    group.balancer.setState(first.text, 'draining');
    expect((await proxy.inject({ headers: { Cookie } })).text).toBe(first.text);
    group.balancer.setState(first.text, 'maintenance');
    const moved = await proxy.inject({ headers: { Cookie } });
    expect(moved.text).not.toBe(first.text);
    expect(moved.headers.getAll('set-cookie')).toHaveLength(1);
  });

  it('UpstreamUse gives another cookie when the server of the client has failed', async () => {
    const dead = new Set<string>();
    const { proxy } = gateway(app([ONE, TWO], { sticky: cookie }), {
      upstream: {
        connect: (address) => (dead.has(address) ? 'refuse' : 'accept'),
        respond: (_, { address }) => ({ body: address, close: true }),
      },
    });
    const first = await proxy.inject();
    dead.add(first.text);
    const Cookie = first.headers.get('set-cookie')?.split(';')[0] as string;
    const second = await proxy.inject({ headers: { Cookie } });
    expect(second.text).toBe(first.text === ONE ? TWO : ONE);
    expect(second.headers.get('set-cookie')).not.toContain(Cookie);
  });

  it('UpstreamUse takes no orders from forged cookies', async () => {
    const { proxy } = gateway(app([ONE, TWO], { sticky: cookie }), refusing());
    for (const value of [ONE, 'x', '', '%00', 'a'.repeat(4_000)]) {
      const { headers, status } = await proxy.inject({ headers: { Cookie: `route=${value}` } });
      expect([status, headers.getAll('set-cookie').length]).toEqual([200, 1]);
    }
  });

  it('UpstreamUse keeps clients at their server by their address, behind trusted proxies, too', async () => {
    const sticky = { kind: 'source', ttlMs: 60_000, maxEntries: 100 } as const;
    const { proxy } = gateway(app([ONE, TWO, THREE], { sticky }), refusing(), {}, { trustedProxies: ['loopback'] });
    const ask = async (client: string): Promise<string> =>
      (await proxy.inject({ headers: { 'X-Forwarded-For': client } })).text;
    const homes = [await ask('192.0.2.1'), await ask('192.0.2.2'), await ask('192.0.2.3')];
    expect(new Set(homes).size).toBe(3);
    expect([await ask('192.0.2.3'), await ask('192.0.2.1'), await ask('192.0.2.2')]).toEqual([
      homes[2],
      homes[0],
      homes[1],
    ]);
  });

  it.each([
    ['header:X-User', { 'X-User': 'a' }, { 'X-User': 'b' }],
    ['cookie:user', { Cookie: 'x=1; user=a' }, { Cookie: 'user=b' }],
    ['host', { Host: 'a.example' }, { Host: 'b.example' }],
  ] as const)('UpstreamUse hashes %s', async (key, some, other) => {
    const addresses = Array.from({ length: 64 }, (_, at) => `10.0.1.${at}:80`);
    const balance = { method: 'rendezvous', key, subset: 0, overload: 0.25, ipv4Prefix: 32, ipv6Prefix: 64 } as const;
    const { proxy } = gateway(app(addresses, { balance }), refusing());
    const home = (await proxy.inject({ headers: some })).text;
    expect((await proxy.inject({ headers: some })).text).toBe(home);
    expect((await proxy.inject({ headers: other })).text).not.toBe(home);
  });
});
