import { describe, expect, test } from 'vitest';
import { openProxy, peer } from '../test/open-proxies.ts';

describe('maxRequestBodyBytes', () => {
  const limited = { options: { maxRequestBodyBytes: 4 } };

  test('refuses an announced body that is larger, before an upstream sees it', async () => {
    const proxy = openProxy({}, { ...limited, upstream: [{ body: 'x' }] });
    const response = await proxy.inject({ method: 'POST', body: '12345' });
    expect(response).toMatchObject({ status: 413, connectionClosed: true });
    expect(proxy.upstream.requests).toEqual([]);
  });

  test('refuses a body that grows larger, and gives the upstream connection up', async () => {
    const proxy = openProxy({}, { ...limited, upstream: [{ body: 'x' }] });
    const response = await proxy.inject({ method: 'POST', body: ['123', '45'] });
    expect(response.status).toBe(413);
    expect(proxy.upstream.requests).toEqual([]);
    expect(proxy.stats.upstream.idle).toBe(0);
  });

  test('admits what is just as large, whatever the framing', async () => {
    const proxy = openProxy({}, { ...limited, upstream: [{ body: 'x' }, { body: 'x' }] });
    expect((await proxy.inject({ method: 'POST', body: '1234' })).status).toBe(200);
    expect((await proxy.inject({ method: 'POST', body: ['12', '34'] })).status).toBe(200);
  });

  test('is changed by a phase for its request', async () => {
    const proxy = openProxy(
      {
        requestFilter(session) {
          session.maxRequestBodyBytes = session.requestHeader.path === '/upload' ? 0 : 2;
        },
      },
      { ...limited, upstream: [{ body: 'x' }, { body: 'x' }] },
    );
    expect((await proxy.inject({ method: 'POST', target: '/upload', body: '123456' })).status).toBe(200);
    expect((await proxy.inject({ method: 'POST', body: '123' })).status).toBe(413);
  });
});

describe('requestTimeoutMs', () => {
  const limited = { options: { requestTimeoutMs: 1_000 } };

  test('ends a request that the upstream does not answer: 504', async () => {
    const proxy = openProxy({}, { ...limited, upstream: ['hang'] });
    const response = proxy.inject();
    await proxy.clock.advance(900);
    await proxy.clock.advance(200);
    expect((await response).status).toBe(504);
  });

  test('ends a request whose body does not come: 408', async () => {
    const proxy = openProxy({}, { ...limited, upstream: [{ body: 'x' }] });
    const connection = proxy.connect();
    void connection.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12');
    await proxy.clock.advance(1_100);
    expect(connection.received.toString()).toMatch(/^HTTP\/1.1 408 /);
    connection.close();
  });

  test('bounds slow phases too', async () => {
    const proxy = openProxy({ upstreamPeer: () => new Promise(() => undefined) }, limited);
    const response = proxy.inject();
    await proxy.clock.advance(1_100);
    expect((await response).status).toBe(504);
  });

  test('cuts a response that takes too long', async () => {
    const proxy = openProxy({}, { ...limited, upstream: [{ body: ['a', 'b'], bodyDelayMs: 800 }] });
    const response = proxy.inject();
    response.catch(() => undefined);
    for (let turn = 0; turn < 18; turn++) await proxy.clock.advance(100);
    const { status, complete } = await response;
    expect({ status, complete }).toEqual({ status: 200, complete: false });
  });

  test('leaves no timer behind a request in time', async () => {
    const proxy = openProxy({}, { ...limited, upstream: [{ body: 'x' }] });
    expect((await proxy.inject()).status).toBe(200);
  });
});

describe('session.responseRate', () => {
  test('delivers no faster than it says, and everything', async () => {
    const body = 'x'.repeat(1_000);
    const proxy = openProxy(
      {
        upstreamPeer(session) {
          session.responseRate = 1_000;
          return peer;
        },
      },
      { upstream: [{ body }] },
    );
    const connection = proxy.connect();
    void connection.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const received = (): number => connection.received.toString().split('\r\n\r\n')[1]?.length ?? 0;
    await proxy.clock.settle();
    expect(received()).toBeLessThanOrEqual(200);
    const beganWith = received();
    await proxy.clock.advance(500);
    expect(received() - beganWith).toBeGreaterThanOrEqual(300);
    expect(received()).toBeLessThanOrEqual(700);
    for (let turn = 0; turn < 10; turn++) await proxy.clock.advance(100);
    expect(received()).toBe(1_000);
    connection.close();
  });

  test('a client that leaves ends it at once', async () => {
    const proxy = openProxy(
      {
        upstreamPeer(session) {
          session.responseRate = 10;
          return peer;
        },
      },
      { upstream: [{ body: 'x'.repeat(1_000) }] },
    );
    const connection = proxy.connect();
    void connection.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await proxy.clock.advance(100);
    connection.close();
    await proxy.clock.settle();
    expect(proxy.stats.active).toBe(0);
  });
});
