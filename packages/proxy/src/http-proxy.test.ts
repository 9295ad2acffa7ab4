import { describe, expect, test } from 'vitest';
import { openProxy, peer } from '../test/open-proxies.ts';
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
    [{ accessLog: 'yes' }, 'proxy option accessLog is yes: expected true or false'],
    [{ maxRetrys: 1 }, 'proxy option maxRetrys is unknown: expected one of maxRetries, '],
  ])('%j', (options, message) => {
    expect(() => new HttpProxy(phases, options as HttpProxyOptions)).toThrow(message);
  });

  test('and nothing that is right', () => {
    const options = { maxRetries: 0, hookTimeoutMs: 0, clientBindToIpv4: ['127.0.0.1'], clientBindToIpv6: ['::1'] };
    const { stats } = new HttpProxy(phases, { ...options, upstreamKeepalivePoolSize: 0, accessLog: true, server: {} });
    expect(stats).toEqual({
      requests: 0,
      active: 0,
      retries: 0,
      failures: 0,
      refused: 0,
      upstream: {
        idle: 0,
        reused: 0,
        misses: 0,
        evictions: 0,
        active: 0,
        connects: 0,
        waiting: 0,
        h2Connections: 0,
        h2Streams: 0,
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
