import { duplexPair } from 'node:stream';
import { HttpPeer } from '@cirque/pool';
import { expect, test } from 'vitest';
import { openProxy } from '../test/open-proxies.ts';

test('Exchange: bytes that come while a broken tunnel is being concluded arm no timer', async () => {
  const [near, far] = duplexPair();
  const gate = Promise.withResolvers<void>();
  const tunnelled = new HttpPeer('10.0.0.1:80', { customConnect: () => Promise.resolve(near) });
  const proxy = openProxy({
    upstreamPeer: () => tunnelled,
    failToProxy: async () => {
      await gate.promise;
      return { errorCode: 0, canReuseDownstream: false };
    },
  });
  const client = proxy.connect();
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  far.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await proxy.clock.settle();
  near.destroy(new Error('gone'));
  await proxy.clock.settle();
  expect(proxy.phases).toContain('failToProxy');
  await client.send('more');
  await proxy.clock.settle();
  gate.resolve();
  await proxy.clock.settle();
  expect(proxy.stats).toMatchObject({ active: 0, failures: 1 });
  await proxy.clock.advance(5_000);
  expect(proxy.clock.wheel.size).toBe(0);
});
