/**
 * What routes cost, beside a proxy without them: whole exchanges through streams in memory, codec and all.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';
import type { HttpListenerConfig, HttpRouteConfig } from '../src/config/gateway-config.ts';

const load = createRequire(import.meta.url);
const { createTestProxy } = load('@cirque/proxy/testing') as typeof import('@cirque/proxy/testing');
const { defineProxy } = load('@cirque/proxy') as typeof import('@cirque/proxy');
const { HttpPeer } = load('@cirque/pool') as typeof import('@cirque/pool');
const { HttpRoutes } = load('../src/http/http-routes.ts') as typeof import('../src/http/http-routes.ts');
const config = load('../test/http-config.ts') as typeof import('../test/http-config.ts');

const short = { time: 300, warmupTime: 100 };
const body = Buffer.alloc(1_024);
const { groups, listener, proxyTo, respond, rewrite, route, upstream } = config;
const lookup = groups(upstream('app', ['127.0.0.1:9000']));
const toApp = route(proxyTo('app'));
const peer = new HttpPeer('127.0.0.1:9000');

const routes = (
  list: readonly HttpRouteConfig[],
  more?: Partial<HttpListenerConfig>,
): InstanceType<typeof HttpRoutes> => new HttpRoutes(listener(list, more), lookup);
const thousand = (match: (n: number) => HttpRouteConfig['match'] | object): HttpRouteConfig[] =>
  Array.from({ length: 1_000 }, (_, n) => route(respond(404), { match: match(n) }));

const variants = [
  ['without routes', defineProxy({ upstreamPeer: () => peer })],
  ['one route', routes([toApp])],
  ['one route, X-Forwarded-*', routes([toApp], { forwarded: 'x-forwarded' })],
  ['1,000 hosts before it', routes([...thousand((n) => ({ hosts: [`h${n}.example`] })), toApp])],
  ['1,000 paths before it', routes([...thousand((n) => ({ path: `/p${n}` })), toApp])],
  ['a rewrite', routes([route(proxyTo('app', { rewrite: rewrite({ addPrefix: '/v1' }) }))])],
] as const;

test('100 exchanges through streams in memory', async ({ bench }) => {
  const proxies = variants.map(([name, phases]) => {
    const proxy = createTestProxy(phases as ReturnType<typeof defineProxy>, { upstream: () => ({ body }) });
    return { name, proxy, client: proxy.connect() };
  });
  const hundred = (client: (typeof proxies)[number]['client']) => async (): Promise<void> => {
    for (let n = 0; n < 100; n += 1) {
      const response = client.response();
      await client.send('GET /index.html HTTP/1.1\r\nHost: www.example\r\nAccept: */*\r\nCookie: a=b\r\n\r\n');
      await response;
    }
  };
  await bench.compare(...proxies.map(({ name, client }) => bench(name, hundred(client))), short);
  for (const { proxy } of proxies) await proxy.close();
});
