import { serverConfiguration } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { RawClient, TestOrigin } from '@cirque/testing';
import { expect, test } from 'vitest';
import { defineProxy } from '../src/proxy-http.ts';
import { httpProxyService } from '../src/service.ts';
import { listen } from './listening-proxy.ts';

const phases = defineProxy({ upstreamPeer: () => new HttpPeer('127.0.0.1:1') });

test('httpProxyService has a name, and refuses wrong options', () => {
  const configuration = serverConfiguration();
  expect(httpProxyService(configuration, phases).name).toBe('HTTP proxy');
  expect(httpProxyService(configuration, phases, { name: 'gateway', maxConnections: 5 }).name).toBe('gateway');
  expect(() => httpProxyService(configuration, phases, { maxConnections: 0 })).toThrow(RangeError);
  expect(() => httpProxyService(configuration, phases, { maxRetries: -1 })).toThrow('proxy option maxRetries is -1');
  expect(() => httpProxyService(configuration, phases, { server: { idleTimeoutMs: -1 } })).toThrow(
    'idleTimeoutMs is -1',
  );
});

test('httpProxyService answers, logs with the logger of its service, and stops', async () => {
  const origin = await TestOrigin.listen([
    { repeat: [{ expect: '\r\n\r\n' }, { send: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' }] },
  ]);
  const proxy = await listen(defineProxy({ upstreamPeer: () => new HttpPeer(`127.0.0.1:${origin.port}`) }), {
    accessLog: true,
  });
  const client = await RawClient.connect({ port: proxy.port });
  for (let n = 0; n < 3; n += 1) {
    await client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.waitFor('\r\n\r\nok');
  }
  expect(proxy.logs.filter(({ message }) => message === 'access')).toHaveLength(3);
  expect(proxy.stats).toMatchObject({ requests: 3, upstream: { connects: 1, idle: 1 } });
  await client.close();
  await proxy.close();
  expect(proxy.stats.upstream.idle).toBe(0);
  await origin.close();
});

test('httpProxyService reads maxRetries and the pool size of the configuration, its own options go first', async () => {
  const failing = defineProxy({
    upstreamPeer: () => new HttpPeer('127.0.0.1:1'),
    failToConnect: (_session, _peer, _ctx, error) => error.setRetry(true),
  });
  const retries = async (own: object): Promise<number> => {
    const configuration = serverConfiguration({ maxRetries: 2 });
    const proxy = await listen(failing, own, configuration);
    const client = await RawClient.connect({ port: proxy.port });
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.waitFor('502');
    await client.close();
    await proxy.close();
    return proxy.stats.retries;
  };
  expect(await retries({})).toBe(2);
  expect(await retries({ maxRetries: 4 })).toBe(4);
});
