import { HttpPeer } from '@cirque/pool';
import { afterEach, expect, test } from 'vitest';
import { defineProxy } from './proxy-http.ts';
import { createTestProxy, type TestProxy } from './testing.ts';

const peer = new HttpPeer('10.0.0.1:80');
const open: TestProxy[] = [];
const create: typeof createTestProxy = (phases, settings) => {
  const proxy = createTestProxy(phases, settings);
  open.push(proxy);
  return proxy;
};

afterEach(async () => {
  for (const proxy of open.splice(0)) {
    await proxy.close();
    expect(proxy.stats.active).toBe(0);
    expect(proxy.upstream.problems).toEqual([]);
  }
});

test('createTestProxy carries a request to the scripted upstream and its response back', async () => {
  const proxy = create(defineProxy({ upstreamPeer: () => peer }), {
    upstream: ({ method, target, headers, body }) => ({
      status: 201,
      headers: { 'X-Seen': `${method} ${target} ${headers.get('host')} ${body.toString()}` },
      body: 'made',
    }),
  });
  const response = await proxy.inject({ method: 'POST', target: '/things?a=1', body: 'thing' });
  expect(response).toMatchObject({ status: 201, text: 'made', complete: true, connectionClosed: false });
  expect(response.headers.get('x-seen')).toBe('POST /things?a=1 test thing');
  expect(proxy.upstream.attempts).toEqual(['10.0.0.1:80']);
});
