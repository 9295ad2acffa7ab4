import { HttpPeer } from '@cirque/pool';
import { afterEach, describe, expect, test } from 'vitest';
import { defineProxy, type ProxyPhases } from './proxy-http.ts';
import { createTestProxy, TestClock, type TestProxy, type TestProxySettings, type TestUpstream } from './testing.ts';

const peer = new HttpPeer('10.0.0.1:80');
const open: TestProxy[] = [];

function create(settings: TestProxySettings = {}, phases: Partial<ProxyPhases<undefined>> = {}): TestProxy {
  const proxy = createTestProxy(defineProxy({ upstreamPeer: () => peer, ...phases }), settings);
  open.push(proxy);
  return proxy;
}

afterEach(async () => {
  for (const proxy of open.splice(0)) await proxy.close();
});

describe('createTestProxy', () => {
  test('carries a request to the scripted upstream and its response back', async () => {
    const proxy = create({
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
    expect(proxy.upstream.requests).toMatchObject([{ method: 'POST', target: '/things?a=1' }]);
  });

  test('answers 200 where nothing is said of the upstream', async () => {
    expect(await create().inject()).toMatchObject({ status: 200, reason: 'Test', text: '', informational: [] });
  });

  test('refuses what httpProxyService refuses', () => {
    expect(() => createTestProxy({} as ProxyPhases<undefined>)).toThrow('the proxy has no newCtx()');
    expect(() => create({ options: { maxRetries: -1 } })).toThrow(RangeError);
    expect(() => create({ options: { server: { idleTimeoutMs: -1 } } })).toThrow(RangeError);
  });

  test('notes phases, log lines and counters', async () => {
    const proxy = create({ options: { accessLog: true } }, { logging() {} });
    await proxy.inject();
    expect(proxy.phases).toEqual(['newCtx', 'upstreamPeer', 'logging']);
    expect(proxy.takePhases()).toHaveLength(3);
    expect(proxy.phases).toEqual([]);
    expect(proxy.logs).toMatchObject([{ level: 'info', message: 'access', facts: { status: 200 } }]);
    expect(proxy.stats).toMatchObject({ requests: 1, active: 0, upstream: { connects: 1 } });
  });

  test('keeps a connection for several requests, and shows when the proxy closes it', async () => {
    const proxy = create({
      options: { server: { idleTimeoutMs: 5_000 } },
      upstream: ({ target }) => ({ body: target }),
    });
    const client = proxy.connect();
    expect(await client.inject({ target: '/1' })).toMatchObject({ text: '/1', connectionClosed: false });
    expect(await client.inject({ target: '/2', headers: { Connection: 'close' } })).toMatchObject({
      connectionClosed: true,
    });
    expect(client.closed).toBe('end');
    await expect(client.inject()).rejects.toThrow('the proxy has closed the connection (end)');
    const idle = proxy.connect();
    await idle.inject();
    await proxy.clock.advance(4_999);
    expect(idle.closed).toBeUndefined();
    await proxy.clock.advance(1);
    expect(idle.closed).toBe('end');
  });

  test('closes everything at the end, however it was left', async () => {
    const proxy = create({ upstream: ['hang'] });
    const response = proxy.connect().inject();
    await proxy.clock.settle();
    const [result] = await Promise.allSettled([response, proxy[Symbol.asyncDispose]()]);
    expect(result.status).toBe('rejected');
    expect(proxy.stats).toMatchObject({ active: 0, upstream: { active: 0, idle: 0 } });
    expect(proxy.clock.wheel.size).toBe(0);
  });
});

describe('TestConnection', () => {
  test('sends text, bytes, pieces and trailers', async () => {
    const proxy = create({
      upstream: ({ headers, body, trailers }) => ({
        body: `${headers.get('content-length')} ${headers.get('transfer-encoding')} ${body} ${trailers?.get('x-t')}`,
      }),
    });
    const client = proxy.connect();
    const bodyOf = async (body: Parameters<typeof client.inject>[0]) => (await client.inject(body)).text;
    expect(await bodyOf({ method: 'POST', body: 'text' })).toBe('4 undefined text undefined');
    expect(await bodyOf({ method: 'POST', body: Buffer.from('bytes') })).toBe('5 undefined bytes undefined');
    expect(await bodyOf({ method: 'POST', body: ['in', 'pieces'] })).toBe('undefined chunked inpieces undefined');
    expect(await bodyOf({ method: 'POST', body: ['ab', 'cd'], headers: { 'Content-Length': '4' } })).toBe(
      '4 undefined abcd undefined',
    );
    expect(await bodyOf({})).toBe('undefined undefined  undefined');
  });

  test('sends exact bytes, and shows exact bytes', async () => {
    const proxy = create({ upstream: () => ({ raw: 'HTTP/1.1 200 Fine\r\nX: \xe9\r\nContent-Length: 2\r\n\r\nok' }) });
    const client = proxy.connect();
    const response = client.response();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await response).toMatchObject({ status: 200, reason: 'Fine', text: 'ok' });
    expect(client.received).toMatch(/^HTTP\/1\.1 200 Fine\r\nX: \xe9\r\n/);
  });

  test('keeps responses until they are asked for', async () => {
    const proxy = create({ upstream: ({ target }) => ({ body: target }) });
    const client = proxy.connect();
    await client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await proxy.clock.settle();
    expect(client.closed).toBe('end');
    expect(await client.response()).toMatchObject({ text: '/1' });
    expect(await client.response()).toMatchObject({ text: '/2', complete: true });
    await expect(client.response()).rejects.toThrow('the proxy has closed the connection');
  });

  test('rejects a response that is not HTTP, and one that does not come', async () => {
    const proxy = create({ upstream: ['hang'], options: { server: { headTimeoutMs: 0 } } });
    const client = proxy.connect();
    const response = client.inject();
    await proxy.clock.settle();
    client.close();
    await expect(response).rejects.toThrow('before a response');
  });

  test('half-closes, when the proxy allows it', async () => {
    const proxy = create({
      upstream: () => ({ body: 'late', delayMs: 100 }),
      options: { server: { abortOnClose: false } },
    });
    const client = proxy.connect();
    const response = client.response();
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    client.end();
    await proxy.clock.advance(100);
    expect(await response).toMatchObject({ text: 'late', complete: true, connectionClosed: true });
  });
});

describe('TestUpstream', () => {
  const responses: [string, TestUpstream, object][] = [
    ['text', () => ({ body: 'a' }), { text: 'a', complete: true }],
    ['pieces', () => ({ body: ['a', 'b'] }), { text: 'ab', complete: true }],
    ['a body until the close', () => ({ body: ['a', 'b'], framing: 'close' }), { text: 'ab', complete: true }],
    [
      'a body in chunks',
      () => ({ body: 'ab', framing: 'chunked', trailers: { 'X-T': '1' } }),
      { text: 'ab', complete: true },
    ],
    [
      'fields that say the length',
      () => ({ headers: { 'Content-Length': '2' }, body: 'ab' }),
      { text: 'ab', complete: true },
    ],
    ['a status and a reason', () => ({ status: 404, reason: 'Gone Fishing' }), { status: 404, reason: 'Gone Fishing' }],
    ['bytes as they are', () => ({ raw: 'HTTP/1.1 202 X\r\nContent-Length: 1\r\n\r\nx' }), { status: 202, text: 'x' }],
    ['a body that is cut', () => ({ body: 'ab', cut: 'reset' }), { text: 'ab', complete: false }],
    [
      'bytes that are cut',
      () => ({ raw: 'HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nx', cut: 'close' }),
      { complete: false },
    ],
    ['a close', () => 'close', { status: 502 }],
    ['a reset', () => 'reset', { status: 502 }],
    ['a promise', async () => ({ body: 'a' }), { text: 'a' }],
    ['a list', [{ body: 'first' }, { body: 'second' }], { text: 'first' }],
    ['a list that is at its end', [], { status: 500, text: 'the list of upstream steps is at its end\n' }],
    ['a refused connection', ['refuse'], { status: 502 }],
    [
      'a decision for each address',
      { connect: (address) => (address === '10.0.0.1:80' ? 'refuse' : 'accept') },
      { status: 502 },
    ],
    ['an early response', { early: () => ({ status: 401 }), respond: () => 'hang' }, { status: 401 }],
  ];

  test.each(responses)('answers with %s', async (_what, upstream, expected) => {
    expect(await create({ upstream }).inject()).toMatchObject(expected);
  });

  test('takes its time by the clock of the proxy', async () => {
    const proxy = create({ upstream: () => ({ body: ['a', 'b'], delayMs: 100, bodyDelayMs: 50 }) });
    let done = false;
    const response = proxy.inject().finally(() => {
      done = true;
    });
    await proxy.clock.advance(199);
    expect(done).toBe(false);
    await proxy.clock.advance(1);
    expect(await response).toMatchObject({ text: 'ab' });
  });

  test('says close, and closes', async () => {
    const proxy = create({ upstream: () => ({ body: 'a', close: true }) });
    const client = proxy.connect();
    await client.inject();
    await client.inject();
    expect(proxy.upstream.connections.map(({ open: isOpen, requestCount }) => [isOpen, requestCount])).toEqual([
      [false, 1],
      [false, 1],
    ]);
  });

  test('shows how the proxy closed its connections', async () => {
    const proxy = create({ upstream: ['hang'] });
    const client = proxy.connect();
    const response = client.inject().catch(() => undefined);
    await proxy.clock.settle();
    client.close();
    await response;
    await proxy.clock.settle();
    expect(proxy.upstream.connections[0]).toMatchObject({ address: '10.0.0.1:80', index: 0, closedByProxy: 'end' });
  });

  test('keeps what its functions throw, and breaks the connection', async () => {
    const proxy = create({
      upstream: () => {
        throw new Error('script at fault');
      },
    });
    expect(await proxy.inject()).toMatchObject({ status: 502 });
    expect(proxy.upstream.problems.map(String)).toEqual([expect.stringContaining('script at fault')]);
  });

  test('says that a step of a list does not fit: a connection is there already', async () => {
    const proxy = create({ upstream: [{}, 'refuse'] });
    const client = proxy.connect();
    await client.inject();
    expect(await client.inject()).toMatchObject({
      status: 500,
      text: expect.stringContaining('the next upstream step is refuse'),
    });
  });

  test('stands behind unix sockets, names and tunnels, too', async () => {
    const proxy = create({}, { upstreamPeer: () => new HttpPeer('unix:/run/app.sock') });
    expect(await proxy.inject()).toMatchObject({ status: 200 });
    expect(proxy.upstream.attempts).toEqual(['unix:/run/app.sock']);
    const named = create({}, { upstreamPeer: () => new HttpPeer('app.internal:8080') });
    expect(await named.inject()).toMatchObject({ status: 200 });
    expect(named.upstream.attempts).toEqual(['app.internal:8080']);
  });
});

describe('TestClock', () => {
  test('lets every deadline pass at its moment, in order, with what follows from it', async () => {
    const clock = new TestClock();
    const seen: [string, number][] = [];
    const sleep = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      seen.push([name, clock.now()]);
    };
    const sleeping = [sleep('b', 20), sleep('a', 10).then(() => sleep('c', 15)), sleep('d', 10_000)];
    await clock.advance(30);
    expect(seen).toEqual([
      ['a', 10],
      ['b', 20],
      ['c', 25],
    ]);
    expect(clock.now()).toBe(30);
    await clock.advance(9_970);
    await Promise.all(sleeping);
    expect(seen.at(-1)).toEqual(['d', 10_000]);
  });

  test('refuses to go back', async () => {
    await expect(new TestClock().advance(-1)).rejects.toThrow(RangeError);
    await expect(new TestClock().advance(Number.NaN)).rejects.toThrow(
      'a finite number of milliseconds from 0, got NaN',
    );
  });

  test('can be shared by several proxies', async () => {
    const clock = new TestClock();
    const settings: TestProxySettings = { clock, upstream: () => ({ delayMs: 100 }) };
    const responses = [create(settings).inject(), create(settings).inject()];
    await clock.advance(100);
    expect(await Promise.all(responses)).toMatchObject([{ status: 200 }, { status: 200 }]);
  });
});
