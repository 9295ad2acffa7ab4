// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of a configuration file.
import type { UpstreamRequest } from '@cirque/proxy/testing';
import { createTestProxy, type TestProxy, type TestProxySettings } from '@cirque/proxy/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { groups, listener, proxyTo, respond, rewrite, route, upstream } from '../../test/http-config.ts';
import type { HttpListenerConfig, HttpRouteConfig } from '../config/gateway-config.ts';
import { HttpRoutes } from './http-routes.ts';

const APP = upstream('app', ['10.0.0.1:80']);
const open: TestProxy[] = [];

afterEach(async () => {
  for (const proxy of open.splice(0)) await proxy.close();
});

function proxyOf(routes: HttpRoutes, settings: TestProxySettings = {}): TestProxy {
  const proxy = createTestProxy(routes, settings);
  open.push(proxy);
  return proxy;
}

/** A gateway in front of the upstream app. */
function gateway(
  routes: readonly HttpRouteConfig[],
  settings: TestProxySettings = {},
  more: Partial<HttpListenerConfig> = {},
  app = APP,
): TestProxy {
  return proxyOf(new HttpRoutes(listener(routes, more), groups(app)), settings);
}

/** What the upstream was sent, as text. */
function sent(proxy: TestProxy, at = 0): UpstreamRequest {
  const request = proxy.upstream.requests[at];
  if (request === undefined) throw new Error(`there was no request ${at}`);
  return request;
}

describe('HttpRoutes: proxy', () => {
  it('HttpRoutes passes requests on as they are', async () => {
    const proxy = gateway([route(proxyTo('app'))], { upstream: [{ status: 201, body: 'made' }] });
    const { status, text } = await proxy.inject({ method: 'POST', target: '/a//b?x=%7e', body: 'data' });
    expect([status, text]).toEqual([201, 'made']);
    const { body, headers, method, target } = sent(proxy);
    expect([method, target, body.toString()]).toEqual(['POST', '/a//b?x=%7e', 'data']);
    expect(headers.get('host')).toBe('test');
    expect(headers.has('x-forwarded-for')).toBe(false);
  });

  it('HttpRoutes takes the first route that fits, in the order of the file', async () => {
    const proxy = gateway([
      route(respond(201), { match: { hosts: ['a.example'], path: '/x' } }),
      route(respond(202), { match: { path: '/x' } }),
      route(respond(203), { match: { hosts: ['a.example'] } }),
      route(respond(206), { match: { hosts: ['*.example'], methods: ['POST'] } }),
    ]);
    const ask = async (host: string, target: string, method = 'GET'): Promise<number> =>
      (await proxy.inject({ method, target, headers: { Host: host } })).status;
    expect(await ask('a.example', '/x')).toBe(201);
    expect(await ask('A.Example:8080', '/x/y')).toBe(201);
    expect(await ask('b.example', '/x')).toBe(202);
    expect(await ask('a.example', '/y')).toBe(203);
    expect(await ask('b.example', '/y', 'POST')).toBe(206);
    expect(await ask('b.example', '/y')).toBe(404);
  });

  it('HttpRoutes answers 404 where no route fits, and the connection goes on', async () => {
    const proxy = gateway([route(respond(204), { match: { exact: '/x' } })]);
    const client = proxy.connect();
    const { status, text, connectionClosed } = await client.inject({ target: '/y' });
    expect([status, text, connectionClosed]).toEqual([404, 'no route\n', false]);
    expect((await client.inject({ target: '/x' })).status).toBe(204);
  });

  it('HttpRoutes sees paths in their normal form, and sends what it has seen', async () => {
    const routes = [route(respond(403), { match: { path: '/admin' } }), route(proxyTo('app'))];
    const proxy = gateway(routes, { upstream: () => ({}) });
    const forbidden = ['/admin', '/%61dmin', '//admin', '/x/../admin', '/x/%2e%2e/admin/y', '/./admin', '/x//../admin'];
    for (const target of forbidden) expect((await proxy.inject({ target })).status, target).toBe(403);
    for (const target of ['/../admin', '/x/..%2fadmin', '/x/..;/admin', '/%zz']) {
      expect((await proxy.inject({ target })).status, target).toBe(400);
    }
    const passed = ['/x//y', '/%7ex', '/a/../b?q=../c', '/a/./', '/%2561dmin'];
    for (const target of passed) expect((await proxy.inject({ target })).status, target).toBe(200);
    expect(proxy.upstream.requests.map(({ target }) => target)).toEqual([
      '/x//y',
      '/%7ex',
      '/b?q=../c',
      '/a/',
      '/%2561dmin',
    ]);
  });

  it('HttpRoutes leaves paths alone where no route looks at them', async () => {
    const proxy = gateway([route(proxyTo('app'))], { upstream: () => ({}) });
    await proxy.inject({ target: '/a/../%zz' });
    expect(sent(proxy).target).toBe('/a/../%zz');
  });

  it('HttpRoutes rewrites the path and keeps the query', async () => {
    const action = proxyTo('app', { rewrite: rewrite({ stripPrefix: '/api', addPrefix: '/v1' }) });
    const proxy = gateway([route(action, { match: { path: '/api' } })], { upstream: () => ({}) });
    for (const target of ['/api/x?q=1', '/api', '//api//y', '/api/a/../b'])
      expect((await proxy.inject({ target })).status).toBe(200);
    expect(proxy.upstream.requests.map(({ target }) => target)).toEqual(['/v1/x?q=1', '/v1/', '/v1/y', '/v1/b']);
  });

  it('HttpRoutes refuses a path that a rewrite would lead elsewhere', async () => {
    const action = proxyTo('app', { rewrite: rewrite({ regex: '^/img(.*)$', replacement: '/files/$1' }) });
    const proxy = gateway([route(action)], { upstream: () => ({}) });
    expect((await proxy.inject({ target: '/img/a.png' })).status).toBe(200);
    expect((await proxy.inject({ target: '/img../secret' })).status).toBe(400);
    expect(proxy.upstream.requests.map(({ target }) => target)).toEqual(['/files/a.png']);
  });

  it.each([
    ['a match', [route(respond(403), { match: { regex: '^/x' } }), route(respond(200))]],
    ['the rewrite of the route', [route(proxyTo('app', { rewrite: rewrite({ regex: '^/x', replacement: '/' }) }))]],
  ])('HttpRoutes tries the pattern of %s on no path of more than 4,096 characters', async (_, routes) => {
    const proxy = gateway(routes, { upstream: () => ({}) });
    const longest = `/${'a'.repeat(4_095)}`;
    expect((await proxy.inject({ target: `${longest}?${longest}` })).status).toBe(200);
    expect((await proxy.inject({ target: `${longest}a` })).status).toBe(414);
  });

  it('HttpRoutes passes long paths on where no pattern is tried on them', async () => {
    const patterned = proxyTo('app', { rewrite: rewrite({ regex: '^/x', replacement: '/' }) });
    const proxy = gateway([route(patterned, { match: { path: '/x' } }), route(proxyTo('app'))], {
      upstream: () => ({}),
    });
    expect((await proxy.inject({ target: `/${'a'.repeat(8_000)}` })).status).toBe(200);
    expect((await proxy.inject({ target: `/x/${'a'.repeat(8_000)}` })).status).toBe(414);
  });

  it('HttpRoutes lets OPTIONS * pass to a route for everything', async () => {
    const action = proxyTo('app', { rewrite: rewrite({ addPrefix: '/v1' }) });
    const proxy = gateway([route(respond(403), { match: { path: '/x' } }), route(action)], { upstream: () => ({}) });
    expect((await proxy.inject({ method: 'OPTIONS', target: '*' })).status).toBe(200);
    expect(sent(proxy).target).toBe('*');
  });

  it.each([
    ['keep', '10.0.0.1:80', undefined, 'test'],
    ['upstream', '10.0.0.1:80', undefined, '10.0.0.1'],
    ['upstream', '10.0.0.1:8080', undefined, '10.0.0.1:8080'],
    ['upstream', '[2001:db8::1]:80', undefined, '[2001:db8::1]'],
    ['upstream', 'unix:/run/app.sock', undefined, 'localhost'],
    ['app.internal:81', '10.0.0.1:80', undefined, 'app.internal:81'],
  ])('HttpRoutes with host %s sends to %s the Host %s%s', async (host, address, _, expected) => {
    const app = upstream('app', [address]);
    const proxy = gateway([route(proxyTo('app', { host }))], { upstream: () => ({}) }, {}, app);
    await proxy.inject();
    expect(sent(proxy).headers.getAll('host')).toEqual([expected]);
  });

  it('HttpRoutes edits the fields of requests and responses', async () => {
    const edited = route(proxyTo('app'), {
      requestHeaders: { remove: ['Cookie'], set: { 'X-Real-IP': '${client_ip}', 'X-Id': '${request_id}' } },
      responseHeaders: { remove: ['Server'], set: { 'X-Host': '${host}' }, add: { Vary: 'Origin' } },
    });
    const proxy = gateway([edited], { upstream: [{ headers: { Server: 'secret', Vary: 'Accept' } }] });
    const { headers } = await proxy.inject({ headers: { Cookie: 'a=b', 'X-Real-IP': 'forged' } });
    expect(sent(proxy).headers.has('cookie')).toBe(false);
    expect(sent(proxy).headers.getAll('x-real-ip')).toEqual(['127.0.0.1']);
    expect(sent(proxy).headers.get('x-id')).toMatch(/^[0-9a-f]{12}-/);
    expect(headers.has('server')).toBe(false);
    expect(headers.get('x-host')).toBe('test');
    expect(headers.getAll('vary')).toEqual(['Accept', 'Origin']);
  });

  it('HttpRoutes tells servers of the client, and believes only trusted proxies', async () => {
    const forged = { 'X-Forwarded-For': '192.0.2.1', Forwarded: 'for=192.0.2.1' };
    const answers = async (more: Partial<HttpListenerConfig>): Promise<(string | undefined)[]> => {
      const edits = { requestHeaders: { set: { 'X-Real-IP': '${client_ip}' } } };
      const proxy = gateway([route(proxyTo('app'), edits)], { upstream: () => ({}) }, more);
      await proxy.inject({ headers: forged });
      const { headers } = sent(proxy);
      return [headers.get('x-forwarded-for'), headers.get('forwarded'), headers.get('x-real-ip')];
    };
    const trustedProxies = ['127.0.0.0/8'];
    expect(await answers({ forwarded: 'none' })).toEqual(['192.0.2.1', 'for=192.0.2.1', '127.0.0.1']);
    expect(await answers({ forwarded: 'x-forwarded' })).toEqual(['127.0.0.1', undefined, '127.0.0.1']);
    expect(await answers({ forwarded: 'x-forwarded', trustedProxies })).toEqual([
      '192.0.2.1, 127.0.0.1',
      'for=192.0.2.1',
      '192.0.2.1',
    ]);
    const own = 'for=127.0.0.1;host=test;proto=http';
    expect(await answers({ forwarded: 'forwarded' })).toEqual([undefined, own, '127.0.0.1']);
    expect(await answers({ forwarded: 'both' })).toEqual(['127.0.0.1', own, '127.0.0.1']);
    expect(await answers({ forwarded: 'both', trustedProxies })).toEqual([
      '192.0.2.1, 127.0.0.1',
      `for=192.0.2.1, ${own}`,
      '192.0.2.1',
    ]);
  });

  it('HttpRoutes refuses bodies beyond the limit of their route with 413', async () => {
    const limited = route(proxyTo('app'), { maxBodyBytes: 4, match: { path: '/small' } });
    const proxy = gateway([limited, route(proxyTo('app'))], { upstream: () => ({}) });
    const post = async (target: string, body: string | string[]): Promise<number> =>
      (await proxy.inject({ method: 'POST', target, body })).status;
    expect(await post('/small', '1234')).toBe(200);
    expect(await post('/small', '12345')).toBe(413);
    expect(await post('/small', ['123', '45'])).toBe(413);
    expect(await post('/large', '12345')).toBe(200);
  });

  it('HttpRoutes compresses where the route says so', async () => {
    const routes = [route(proxyTo('app'), { compression: true, match: { path: '/text' } }), route(proxyTo('app'))];
    const text = 'compress me '.repeat(500);
    const proxy = gateway(routes, { upstream: () => ({ headers: { 'Content-Type': 'text/plain' }, body: text }) });
    const ask = (target: string): ReturnType<TestProxy['inject']> =>
      proxy.inject({ target, headers: { 'Accept-Encoding': 'gzip' } });
    const small = await ask('/text');
    expect(small.headers.get('content-encoding')).toBe('gzip');
    expect(small.body.length).toBeLessThan(text.length / 10);
    const plain = await ask('/other');
    expect(plain.headers.has('content-encoding')).toBe(false);
    expect(plain.text).toBe(text);
    expect((await ask('/../text')).status).toBe(400);
  });

  it('HttpRoutes times out by what the route says, not its upstream', async () => {
    const routes = [
      route(proxyTo('app', { readTimeoutMs: 1_000 }), { match: { path: '/fast' } }),
      route(proxyTo('app')),
    ];
    const proxy = gateway(routes, { upstream: () => ({ delayMs: 2_000 }) });
    const fast = proxy.inject({ target: '/fast' });
    const slow = proxy.inject({ target: '/slow' });
    await proxy.clock.advance(2_100);
    expect([(await fast).status, (await slow).status]).toEqual([504, 200]);
  });
});

describe('HttpRoutes: respond and redirect', () => {
  it('HttpRoutes answers by itself, without a body to HEAD', async () => {
    const proxy = gateway([route(respond(200, 'hällo\n'), { responseHeaders: { set: { 'X-Host': '${host}' } } })]);
    const client = proxy.connect();
    const get = await client.inject();
    expect([get.status, get.text, get.headers.get('content-length')]).toEqual([200, 'hällo\n', '7']);
    expect(get.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(get.headers.get('x-host')).toBe('test');
    const head = await client.inject({ method: 'HEAD' });
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([200, '', '7']);
    expect((await client.inject({ method: 'DELETE' })).status).toBe(200);
    expect(proxy.upstream.requests).toEqual([]);
  });

  it.each([204, 205, 304])('HttpRoutes answers %i without a body, whatever the file says', async (status) => {
    const proxy = gateway([route(respond(status, 'ignored'))]);
    const client = proxy.connect();
    const first = await client.inject();
    expect([first.status, first.text, first.complete]).toEqual([status, '', true]);
    expect((await client.inject()).status).toBe(status);
  });

  it('HttpRoutes answers without waiting for a body, and takes nothing in it for a request', async () => {
    const proxy = gateway([route(respond(403, 'no\n'))]);
    const client = proxy.connect();
    const { status } = await client.inject({ method: 'POST', body: 'GET /inner HTTP/1.1\r\nHost: a\r\n\r\n' });
    expect(status).toBe(403);
    expect(client.received.match(/HTTP\/1\.1 403/g)).toHaveLength(1);
    expect(proxy.stats.requests).toBe(1);
  });

  it.each([301, 302, 303, 307, 308] as const)('HttpRoutes redirects with %i', async (status) => {
    const action = { kind: 'redirect', location: 'https://${host}${path}${query}', status } as const;
    const proxy = gateway([route(action)]);
    const { headers, status: got, text } = await proxy.inject({ target: '/a//b?c=d', headers: { Host: 'a.example' } });
    expect([got, text, headers.get('location')]).toEqual([status, '', 'https://a.example/a//b?c=d']);
  });

  it('HttpRoutes redirects by the groups of its regular expression, and stays on this host', async () => {
    const action = { kind: 'redirect', location: '/$1', status: 301 } as const;
    const proxy = gateway([route(action, { match: { regex: '^/old/?(.*)$' } })]);
    const location = async (target: string): Promise<string | undefined> =>
      (await proxy.inject({ target })).headers.get('location');
    expect(await location('/old/x/y')).toBe('/x/y');
    expect(await location('/old//evil.example')).toBe('/evil.example');
    expect(await location('/old/%2F/evil.example')).toBe('/%2F/evil.example');
    expect(await location('/old/x/../../old/z')).toBe('/z');
  });
});

describe('HttpRoutes: prepare', () => {
  it('HttpRoutes serves by the new table at once; what is under way goes on by the old one', async () => {
    const routes = new HttpRoutes(
      listener([route(proxyTo('app'), { responseHeaders: { set: { 'X-Table': 'old' } } })]),
      groups(APP),
    );
    const proxy = proxyOf(routes, { upstream: () => ({ body: 'ok', delayMs: 100 }) });
    const before = proxy.inject();
    await proxy.clock.settle();
    const swap = routes.prepare(
      listener([route(proxyTo('other'), { responseHeaders: { set: { 'X-Table': 'new' } }, compression: true })]),
      groups(upstream('other', ['10.0.0.2:80'])),
    );
    swap();
    const after = proxy.inject();
    await proxy.clock.advance(150);
    expect((await before).headers.get('x-table')).toBe('old');
    expect((await after).headers.get('x-table')).toBe('new');
    expect(proxy.upstream.connections.map(({ address }) => address)).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  });

  it('HttpRoutes keeps its table when the new one cannot be', async () => {
    const routes = new HttpRoutes(listener([route(respond(204))]), groups());
    expect(() => routes.prepare(listener([route(proxyTo('none'), { name: 'x' })]), groups())).toThrow(
      /route x: there is no upstream none/,
    );
    expect((await proxyOf(routes).inject()).status).toBe(204);
  });

  it('HttpRoutes loses nothing while tables change under load', async () => {
    const lookup = groups(APP, upstream('b', ['10.0.0.2:80', '10.0.0.3:80']));
    const tables = [
      listener([route(proxyTo('app'))]),
      listener([route(proxyTo('b', { rewrite: rewrite({ addPrefix: '/v1' }) }), { compression: true })]),
      listener([route(respond(200, 'ok'), { match: { path: '/x' } }), route(proxyTo('b'))], { forwarded: 'both' }),
    ];
    const routes = new HttpRoutes(tables[0] as HttpListenerConfig, lookup);
    const proxy = proxyOf(routes, { upstream: () => ({ body: 'ok', delayMs: 5 }) });
    const responses = [];
    for (let round = 0; round < 60; round += 1) {
      for (let n = 0; n < 5; n += 1) responses.push(proxy.inject({ target: n % 2 === 0 ? '/x' : '/y' }));
      await proxy.clock.advance(2);
      routes.prepare(tables[round % tables.length] as HttpListenerConfig, lookup)();
    }
    await proxy.clock.advance(20);
    const all = await Promise.all(responses);
    expect(all.filter(({ status, text }) => status !== 200 || text !== 'ok')).toEqual([]);
    for (const name of ['app', 'b']) {
      for (const one of Object.values(lookup(name).balancer.stats().byAddress)) {
        expect((one as { inFlight?: number }).inFlight ?? 0).toBe(0);
      }
    }
  });
});
