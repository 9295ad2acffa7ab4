import { type AppContext, type ServerConfiguration, serverConfiguration, silentLogger } from '@cirque/core';
import { describe, expect, test, vi } from 'vitest';
import { openProxy, otherPeer, peer } from '../test/open-proxies.ts';
import { HttpProxy } from './http-proxy.ts';
import { defineProxy, type ProxyPhases } from './proxy-http.ts';
import type { HttpProxyOptions } from './proxy-options.ts';

const phases = defineProxy({ upstreamPeer: () => peer });

describe('HttpProxy refuses at construction', () => {
  test.each<[string, unknown, string]>([
    ['no newCtx', { upstreamPeer: () => peer }, 'the proxy has no newCtx(): it is required'],
    ['no upstreamPeer', { newCtx: () => undefined }, 'the proxy has no upstreamPeer(): it is required'],
    [
      'a phase that is no function',
      { ...phases, logging: true },
      'phase logging of the proxy is boolean: expected a function',
    ],
  ])('%s', (_what, wrong, message) => {
    expect(() => new HttpProxy(wrong as ProxyPhases<unknown>)).toThrow(new TypeError(message));
  });

  test.each<[HttpProxyOptions | object, string]>([
    [{ maxRetries: -1 }, 'proxy option maxRetries is -1: expected an integer of at least 0'],
    [{ maxRetries: 1.5 }, 'proxy option maxRetries is 1.5'],
    [{ hookTimeoutMs: Number.NaN }, 'proxy option hookTimeoutMs is NaN'],
    [{ hookTimeoutMs: '60s' }, 'proxy option hookTimeoutMs is 60s'],
    [
      { upstreamKeepalivePoolSize: -5 },
      'proxy option upstreamKeepalivePoolSize is -5: expected an integer of at least 0',
    ],
    [{ clientBindToIpv4: ['10.0.0'] }, 'bindToIpv4 holds "10.0.0": expected '],
    [{ clientBindToIpv4: '10.0.0.1' }, 'bindToIpv4 is "10.0.0.1": expected '],
    [{ clientBindToIpv6: ['10.0.0.1'] }, 'bindToIpv6 holds "10.0.0.1": expected '],
    [{ accessLog: 1 }, 'proxy option accessLog is 1: expected true, false or a path'],
    [{ accessLog: '' }, 'proxy option accessLog is "": expected true, false or a path'],
    [{ accessLogFormat: 'xml' }, 'proxy option accessLogFormat is "xml": expected json or combined'],
    [{ requestIdHeader: 'a b' }, 'proxy option requestIdHeader is "a b": expected the name of a field'],
    [{ trustedProxies: '10.0.0.1' }, 'proxy option trustedProxies is "10.0.0.1": expected a list'],
    [{ trustedProxies: ['10.0.0'] }, 'trusted proxy "10.0.0" is not valid: expected '],
    [{ maxRetrys: 1 }, 'proxy option maxRetrys is unknown: expected one of maxRetries, '],
  ])('%j', (options, message) => {
    expect(() => new HttpProxy(phases, options as HttpProxyOptions)).toThrow(message);
  });

  test('and nothing that is right', () => {
    const options = { maxRetries: 0, hookTimeoutMs: 0, clientBindToIpv4: ['127.0.0.1'], clientBindToIpv6: ['::1'] };
    const proxy = new HttpProxy(phases, { ...options, upstreamKeepalivePoolSize: 0, accessLog: true, server: {} });
    expect(proxy.stats()).toEqual({
      requests: 0,
      active: 0,
      retries: 0,
      failures: 0,
      refused: 0,
      requestBytes: 0,
      responseBytes: 0,
      responses: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, none: 0 },
      upstream: {
        idle: 0,
        reused: 0,
        misses: 0,
        evictions: 0,
        active: 0,
        connects: 0,
        waiting: 0,
        connectFailures: 0,
        tlsHandshakes: 0,
        h2Connections: 0,
        h2Streams: 0,
        peers: {},
      },
    });
  });
});

test.each<[unknown, string]>([
  [undefined, 'undefined'],
  ['10.0.0.1:80', 'string'],
  [{ host: '10.0.0.1', port: 80 }, 'object'],
  [null, 'object'],
])('HttpProxy: upstreamPeer that answers %j is an error of that request', async (answer, type) => {
  for (const upstreamPeer of [() => answer as never, () => Promise.resolve(answer as never)]) {
    const proxy = openProxy({ upstreamPeer });
    expect(await proxy.inject()).toMatchObject({ status: 500, connectionClosed: true });
    expect(String(proxy.logs[0]?.facts.error)).toContain(`upstreamPeer answered ${type}: expected a HttpPeer`);
  }
});

test('HttpProxy counts requests, retries, failures and those under way', async () => {
  const proxy = openProxy(
    { failToConnect: (session, _peer, _ctx, error) => error.setRetry(session.retries < 1) },
    { upstream: ['refuse', 'hang', 'refuse', 'refuse'] },
  );
  const client = proxy.connect();
  const response = client.inject().catch(() => undefined);
  await proxy.clock.settle();
  expect(proxy.stats).toMatchObject({ requests: 1, active: 1, retries: 1, failures: 0 });
  expect(proxy.stats.upstream).toMatchObject({ active: 1, connects: 1 });
  client.close();
  await response;
  expect(await proxy.inject()).toMatchObject({ status: 502 });
  expect(proxy.stats).toMatchObject({ requests: 2, active: 0, retries: 2, failures: 2 });
  expect(proxy.stats.upstream).toMatchObject({ active: 0, idle: 0 });
});

test('HttpProxy counts responses by status, bytes, and what peers have done', async () => {
  const proxy = openProxy(
    { upstreamPeer: (session) => (session.requestHeader.path === '/other' ? otherPeer : peer) },
    {
      upstream: ({ target }) =>
        target === '/reset' ? 'reset' : { status: Number(target.slice(1)) || 200, body: 'hello' },
    },
  );
  const client = proxy.connect();
  for (const target of ['/200', '/302', '/404', '/503', '/other'])
    await client.inject({ method: 'POST', target, body: 'abc' });
  await proxy.inject({ method: 'POST', target: '/reset' });
  const stats = proxy.stats;
  expect(stats).toMatchObject({ requests: 6, active: 0, failures: 1, requestBytes: 15, responseBytes: 25 });
  expect(stats.responses).toEqual({ '1xx': 0, '2xx': 2, '3xx': 1, '4xx': 1, '5xx': 2, none: 0 });
  expect(stats.upstream.peers).toMatchObject({
    '10.0.0.1:80': { requests: 5, active: 0, responses5xx: 1, resets: 1 },
    '10.0.0.2:80': { requests: 1, active: 0, connects: 1, connections: 1, responses5xx: 0, resets: 0 },
  });
});

test('HttpProxy counts requests that got no response', async () => {
  const proxy = openProxy({}, { upstream: ['hang'] });
  const client = proxy.connect();
  const response = client.inject().catch(() => undefined);
  await proxy.clock.settle();
  client.close();
  await response;
  await proxy.clock.settle();
  expect(proxy.stats.responses).toMatchObject({ '2xx': 0, '5xx': 0, none: 1 });
});

describe('HttpProxy.reconfigure', () => {
  const answering = defineProxy({
    upstreamPeer: () => peer,
    requestFilter(session) {
      session.respond(204);
      return true;
    },
  });

  const live = (values: Partial<ServerConfiguration>): ServerConfiguration => serverConfiguration(values);

  /** A proxy that follows the configuration, with files that keep their lines. */
  function follow(accessLog: boolean | string) {
    const lines: Record<string, string[]> = {};
    const logs = {
      open: (path: string) => {
        lines[path] ??= [];
        return { write: (line: string) => void lines[path]?.push(line) };
      },
    };
    const info = vi.fn();
    const liveOptions = (changed: ServerConfiguration) => ({
      maxRetries: changed.maxRetries,
      accessLog: changed.accessLog,
    });
    const proxy = new HttpProxy(answering, { accessLog }, { liveOptions });
    proxy.setUp({ logger: { ...silentLogger, info }, logs } as unknown as AppContext);
    const ask = async (): Promise<void> => void (await proxy.spawnBackgroundSubrequest({}));
    return { proxy, lines, info, ask };
  }

  test('switches the access log on and off', async () => {
    const { proxy, info, ask } = follow(false);
    await ask();
    proxy.reconfigure(live({ accessLog: true }));
    await ask();
    proxy.reconfigure(live({ accessLog: false }));
    await ask();
    expect(info.mock.calls.map(([, message]) => message)).toEqual(['access']);
  });

  test('goes back to the file of the start, and to no other', async () => {
    const { proxy, lines, info, ask } = follow('a.log');
    await ask();
    proxy.reconfigure(live({ accessLog: 'b.log' }));
    await ask();
    proxy.reconfigure(live({ accessLog: false }));
    await ask();
    proxy.reconfigure(live({ accessLog: 'a.log' }));
    await ask();
    expect(Object.keys(lines)).toEqual(['a.log']);
    expect(lines['a.log']?.map((line) => JSON.parse(line).status)).toEqual([204, 204, 204]);
    expect(info).not.toHaveBeenCalled();
  });

  test('changes nothing where the options were said in code', async () => {
    const info = vi.fn();
    const proxy = new HttpProxy(phases, { accessLog: false });
    proxy.setUp({ logger: { ...silentLogger, info } } as unknown as AppContext);
    proxy.reconfigure(live({ accessLog: true }));
    await proxy.spawnBackgroundSubrequest({});
    expect(info).not.toHaveBeenCalled();
  });
});
