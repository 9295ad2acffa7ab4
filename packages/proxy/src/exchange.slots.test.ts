import { HttpPeer } from '@cirque/pool';
import { describe, expect, test } from 'vitest';
import { openProxy } from '../test/open-proxies.ts';

describe('Exchange: a peer with maxConnections', () => {
  const capped = (maxPendingRequests: number) =>
    new HttpPeer('10.0.0.1:80', { maxConnections: 1, maxPendingRequests, totalConnectionTimeoutMs: 5_000 });

  test('serves one request after the other on one connection', async () => {
    const one = capped(10);
    const proxy = openProxy(
      { upstreamPeer: () => one },
      { upstream: ({ target }) => ({ body: target, delayMs: 100 }) },
    );
    const targets = ['/1', '/2', '/3'];
    const responses = targets.map((target) => proxy.inject({ target }));
    await proxy.clock.advance(99);
    expect(proxy.stats.upstream).toMatchObject({ active: 1, waiting: 2 });
    await proxy.clock.advance(201);
    expect((await Promise.all(responses)).map(({ text }) => text)).toEqual(targets);
    expect(proxy.stats.upstream).toMatchObject({ connects: 1, active: 0, waiting: 0 });
  });

  test('refuses with 503 what cannot even wait', async () => {
    const one = capped(1);
    const proxy = openProxy({ upstreamPeer: () => one }, { upstream: () => ({ delayMs: 100 }) });
    const served = [proxy.inject(), proxy.inject()];
    await proxy.clock.settle();
    expect(await proxy.inject()).toMatchObject({ status: 503 });
    await proxy.clock.advance(200);
    expect((await Promise.all(served)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('forgets clients that leave while they wait', async () => {
    const one = capped(10);
    const proxy = openProxy(
      { upstreamPeer: () => one },
      { upstream: ({ target }) => ({ body: target, delayMs: 100 }) },
    );
    const first = proxy.inject({ target: '/1' });
    await proxy.clock.settle();
    const client = proxy.connect();
    const second = client.inject({ target: '/2' });
    await proxy.clock.settle();
    const third = proxy.inject({ target: '/3' });
    await proxy.clock.settle();
    expect(proxy.stats.upstream.waiting).toBe(2);
    client.close();
    await expect(second).rejects.toThrow('before a response');
    await proxy.clock.settle();
    expect(proxy.stats.upstream.waiting).toBe(1);
    await proxy.clock.advance(200);
    expect([(await first).text, (await third).text]).toEqual(['/1', '/3']);
    expect(proxy.upstream.requests.map(({ target }) => target)).toEqual(['/1', '/3']);
  });

  test('gives the connection of a failed request to the next one', async () => {
    const one = capped(10);
    const proxy = openProxy(
      { upstreamPeer: () => one },
      { upstream: ({ target }) => (target === '/bad' ? 'reset' : { body: target }) },
    );
    const [bad, good] = await Promise.all([proxy.inject({ target: '/bad' }), proxy.inject({ target: '/good' })]);
    expect([bad.status, good.text]).toEqual([502, '/good']);
  });

  test('counts attempts to connect, and frees their slots', async () => {
    const one = capped(10);
    const proxy = openProxy({ upstreamPeer: () => one }, { upstream: ['refuse', 'refuse', { body: 'up again' }] });
    expect((await proxy.inject()).status).toBe(502);
    expect((await proxy.inject()).status).toBe(502);
    expect(await proxy.inject()).toMatchObject({ status: 200, text: 'up again' });
  });
});
