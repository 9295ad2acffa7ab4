import { CirqueError } from '@cirque/error';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { openProxy } from '../test/open-proxies.ts';
import type { ProxyPhases } from './proxy-http.ts';
import type { Session } from './session.ts';

type RequestFilter = NonNullable<ProxyPhases<unknown>['requestFilter']>;

/** A proxy whose requestFilter answers by itself. */
const answering = (answer: (session: Session) => unknown) =>
  openProxy({
    requestFilter: (session) => {
      const done = answer(session);
      return done instanceof Promise ? done.then(() => true) : true;
    },
  });

describe('Session.respond', () => {
  test('sends a whole response, and the connection goes on', async () => {
    const proxy = answering((session) => session.respond(404, 'not here\n', { 'X-Why': 'because' }));
    const client = proxy.connect();
    for (const method of ['GET', 'DELETE', 'GET']) {
      const response = await client.inject({ method });
      expect(response).toMatchObject({ status: 404, text: 'not here\n', complete: true, connectionClosed: false });
      expect(response.headers.toJSON()).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'content-length': '9',
        'x-why': 'because',
        date: expect.stringContaining('GMT'),
      });
    }
    expect(proxy.upstream.attempts).toEqual([]);
    expect(proxy.stats).toMatchObject({ requests: 3, failures: 0, active: 0 });
  });

  test('sends bytes, and keeps Content-Type and the given map as they are', async () => {
    const fields = HeaderMap.from({ 'Content-Type': 'application/json' });
    const proxy = answering((session) => session.respond(200, Buffer.from('{}'), fields));
    const { text, headers } = await proxy.inject();
    expect([text, headers.get('content-type')]).toEqual(['{}', 'application/json']);
    expect([...fields]).toEqual([['Content-Type', 'application/json']]);
  });

  test.each([
    ['HEAD', 200, '5'],
    ['GET', 204, undefined],
    ['GET', 304, undefined],
  ])('sends no body for %s %i', async (method, status, length) => {
    const proxy = answering((session) => session.respond(status, 'hello'));
    const client = proxy.connect();
    const response = await client.inject({ method });
    expect(response).toMatchObject({ status, text: '', complete: true, connectionClosed: false });
    expect(response.headers.get('content-length')).toBe(length);
    expect(await client.inject({ method })).toMatchObject({ status });
  });

  test('cannot be called twice', async () => {
    const errors: unknown[] = [];
    const proxy = answering((session) => {
      session.respond(200, 'first');
      try {
        session.respond(200, 'second');
      } catch (error) {
        errors.push(error);
      }
    });
    expect(await proxy.inject()).toMatchObject({ status: 200, text: 'first' });
    expect(errors).toMatchObject([{ type: 'InternalError' }]);
  });

  test('closes the connection when the request body was not read', async () => {
    const proxy = answering((session) => session.respond(200, 'no need'));
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nxxx');
    const { status, headers, connectionClosed } = await response;
    expect([status, headers.get('connection'), connectionClosed]).toEqual([200, 'close', true]);
  });

  test('is refused by a session whose request is over', async () => {
    let kept: Session | undefined;
    const proxy = answering((session) => {
      kept = session;
      session.respond(200, 'ok');
    });
    const client = proxy.connect();
    await client.inject();
    const over = 'the request is over';
    expect(() => kept?.respond(200, 'too late')).toThrow(over);
    expect(() => kept?.writeResponseBody(Buffer.from('x'), true)).toThrow(over);
    expect(() => kept?.disableKeepAlive()).toThrow(over);
    await expect(kept?.readBody()).rejects.toThrow(over);
    await expect(kept?.drained()).resolves.toBeUndefined();
    expect(await client.inject()).toMatchObject({ status: 200, text: 'ok' });
  });
});

test('Session.respondError answers without a body, and closes', async () => {
  const proxy = answering((session) => session.respondError(429));
  const { status, headers, body, connectionClosed } = await proxy.inject();
  expect([status, body.length, connectionClosed]).toEqual([429, 0, true]);
  expect(headers.toJSON()).toMatchObject({ 'cache-control': 'private, no-store', connection: 'close' });
});

describe('Session.writeResponseHeader and writeResponseBody', () => {
  test('stream a response, with back-pressure', async () => {
    let most = 0;
    const piece = Buffer.alloc(16_384, 'x');
    const proxy = answering(async (session) => {
      session.writeResponseHeader(new ResponseHeader(200), false);
      for (let left = 100; left > 0; left -= 1) {
        if (!session.writeResponseBody(piece, left === 1)) {
          most = Math.max(most, session.bodyBytesSent);
          await session.drained();
        }
      }
    });
    const client = proxy.connect();
    const response = client.inject();
    client.pause();
    await proxy.clock.settle();
    // What fits into both ends of the connection, and not a piece more.
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(300_000);
    const before = most;
    await proxy.clock.settle();
    expect(most).toBe(before);
    client.resume();
    expect((await response).body).toHaveLength(100 * piece.length);
    expect(await response).toMatchObject({ complete: true, connectionClosed: false });
  });

  test('wait for the client also when they are asked late, or for nothing', async () => {
    const order: string[] = [];
    const proxy = answering(async (session) => {
      await session.drained();
      session.writeResponseHeader(new ResponseHeader(200), false);
      await session.drained();
      expect(session.writeResponseBody(Buffer.alloc(200_000), false)).toBe(false);
      // The client takes it before anybody waits for that.
      for (let turns = 20; turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
      await session.drained();
      order.push('drained');
    });
    expect((await proxy.inject()).body).toHaveLength(200_000);
    expect(order).toEqual(['drained']);
  });

  test('may send informational heads first', async () => {
    const proxy = answering((session) => {
      session.writeResponseHeader(new ResponseHeader(103, HeaderMap.from({ Link: '</a.css>' })), false);
      expect(session.responseStarted).toBe(false);
      session.writeResponseHeader(new ResponseHeader(200, HeaderMap.from({ 'Content-Length': '2' })), false);
      expect(session.responseHeader?.status).toBe(200);
      session.writeResponseBody(Buffer.from('ok'), true);
    });
    const response = await proxy.inject();
    expect(response).toMatchObject({ status: 200, text: 'ok', complete: true });
    expect(response.informational.map(({ status }) => status)).toEqual([103]);
  });

  const misuses: readonly [string, (session: Session) => void][] = [
    ['a body before the head', (session) => session.writeResponseBody(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), false)],
    [
      'a second head',
      (session) => {
        session.writeResponseHeader(new ResponseHeader(200), false);
        session.writeResponseHeader(new ResponseHeader(200), false);
      },
    ],
    [
      'a body after the end',
      (session) => {
        session.writeResponseHeader(new ResponseHeader(200), false);
        session.writeResponseBody(Buffer.from('x'), true);
        session.writeResponseBody(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), true);
      },
    ],
  ];

  test.each(misuses)('refuse %s', async (_what, misuse) => {
    let thrown: unknown;
    const proxy = answering((session) => {
      if (session.requestNumber === 1) {
        session.writeResponseHeader(new ResponseHeader(200), false);
        session.writeResponseBody(Buffer.from('x'), true);
        return;
      }
      try {
        misuse(session);
      } catch (error) {
        thrown = error;
        throw error;
      }
    });
    const client = proxy.connect();
    // What an earlier response on the connection was like must not matter.
    expect(await client.inject({ target: '/chunked' })).toMatchObject({ text: 'x', complete: true });
    await client.inject().catch(() => undefined);
    await proxy.clock.settle();
    expect(thrown).toMatchObject({ type: 'InternalError' });
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(2);
    expect(client.closed).toBeDefined();
  });

  test('a body that is shorter than its Content-Length is a cut', async () => {
    const proxy = answering((session) => {
      session.writeResponseHeader(new ResponseHeader(200, HeaderMap.from({ 'Content-Length': '10' })), false);
      session.writeResponseBody(Buffer.from('short'), false);
    });
    expect(await proxy.inject()).toMatchObject({ status: 200, text: 'short', complete: false, connectionClosed: true });
    expect(proxy.phases).not.toContain('errorWhileProxy');
    expect(proxy.stats.failures).toBe(1);
  });

  test('a body without Content-Length that is not ended is ended', async () => {
    const proxy = answering((session) => {
      session.writeResponseHeader(new ResponseHeader(200), false);
      session.writeResponseBody(Buffer.from('all'), false);
    });
    expect(await proxy.inject()).toMatchObject({ text: 'all', complete: true, connectionClosed: false });
  });

  test('after the client has left write nothing, and drained() resolves', async () => {
    const { promise: left, resolve } = Promise.withResolvers<void>();
    let waited = 0;
    const proxy = answering(async (session) => {
      session.writeResponseHeader(new ResponseHeader(200), false);
      await left;
      for (; waited < 3; waited += 1) {
        session.writeResponseBody(Buffer.alloc(1_000_000), false);
        await session.drained();
      }
    });
    const client = proxy.connect();
    const response = client.inject().catch(() => undefined);
    await proxy.clock.settle();
    client.close();
    await proxy.clock.settle();
    resolve();
    await response;
    await proxy.clock.settle();
    // The request was over by then: nothing can be written any more.
    expect(waited).toBe(0);
    expect(proxy.stats).toMatchObject({ active: 0, failures: 1 });
  });
});

test('Exchange: requestFilter that answers true without a response is an error', async () => {
  const proxy = openProxy({ requestFilter: () => true });
  expect(await proxy.inject()).toMatchObject({ status: 500, connectionClosed: true });
  expect(String(proxy.logs[0]?.facts.error)).toContain('requestFilter answered true but wrote no response');
});

test('Exchange: requestFilter that wrote a response but answers false goes on, and fails', async () => {
  const proxy = openProxy({ requestFilter: (session) => session.respond(200, 'mine') });
  expect(await proxy.inject()).toMatchObject({ status: 200, text: 'mine', complete: true });
  expect(proxy.stats.failures).toBe(1);
});

describe('Exchange: proxyUpstreamFilter that answers false', () => {
  test('gives 502, and the connection stays', async () => {
    const proxy = openProxy({ proxyUpstreamFilter: () => false });
    const client = proxy.connect();
    const response = await client.inject();
    expect(response).toMatchObject({ status: 502, text: '', connectionClosed: false });
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    expect(await client.inject()).toMatchObject({ status: 502 });
    expect(proxy.stats).toMatchObject({ failures: 0 });
  });

  test('lets its own response stand', async () => {
    const proxy = openProxy({
      async proxyUpstreamFilter(session) {
        await undefined;
        session.respond(200, 'from the cache');
        return false;
      },
    });
    expect(await proxy.inject()).toMatchObject({ status: 200, text: 'from the cache', connectionClosed: false });
  });
});

describe('Session.readBody', () => {
  const reading = (filter: RequestFilter) =>
    openProxy(
      { requestFilter: filter },
      { upstream: ({ body, headers }) => ({ body: `${headers.get('content-length')} ${body}` }) },
    );

  test.each([
    ['with Content-Length', 'abcdef', '6 abcdef'],
    ['in chunks', ['abc', 'def'], 'undefined abcdef'],
    ['without a body', undefined, '0 '],
    ['empty', '', '0 '],
  ])('reads a request %s, which goes upstream all the same', async (_how, body, expected) => {
    const seen: string[] = [];
    const proxy = reading(async (session) => {
      seen.push((await session.readBody()).toString(), (await session.readBody()).toString());
    });
    expect(await proxy.inject({ method: 'POST', body })).toMatchObject({ status: 200, text: expected });
    const sent = typeof body === 'string' ? body : (body ?? []).join('');
    expect(seen).toEqual([sent, sent]);
    expect(proxy.upstream.connections).toHaveLength(1);
  });

  test('sends 100 Continue to a client that waits for it', async () => {
    const proxy = reading(async (session) => {
      await session.readBody();
    });
    const response = await proxy.inject({ method: 'POST', body: 'abc', headers: { Expect: '100-continue' } });
    expect(response).toMatchObject({ status: 200, text: '3 abc' });
    expect(response.informational.map(({ status }) => status)).toEqual([100]);
    expect(proxy.upstream.requests[0]?.headers.has('Expect')).toBe(false);
  });

  test('of a body that is announced larger than allowed gives 413 at once', async () => {
    const proxy = reading(async (session) => {
      await session.readBody(10);
    });
    const headers = { Expect: '100-continue' };
    const response = await proxy.inject({ method: 'POST', body: 'x'.repeat(11), headers });
    expect(response).toMatchObject({ status: 413, informational: [], connectionClosed: true });
    expect(await proxy.inject({ method: 'POST', body: 'x'.repeat(10) })).toMatchObject({ status: 200 });
  });

  test('of a body that becomes larger than allowed gives 413', async () => {
    const proxy = reading(async (session) => {
      await session.readBody(10);
    });
    const client = proxy.connect();
    const response = client.inject({ method: 'POST', body: ['x'.repeat(6), 'y'.repeat(6), 'z'] });
    expect(await response).toMatchObject({ status: 413, connectionClosed: true });
    expect(await proxy.inject({ method: 'POST', body: ['x'.repeat(5), 'y'.repeat(5)] })).toMatchObject({ status: 200 });
  });

  test('of a body that became larger than allowed leaves nothing that could go upstream', async () => {
    const proxy = reading(async (session) => {
      await session.readBody(10).catch(() => undefined);
    });
    const response = proxy.inject({ method: 'POST', body: ['x'.repeat(6), 'y'.repeat(6), 'z'] });
    expect(await response).toMatchObject({ status: 413, connectionClosed: true });
    expect(proxy.upstream.requests).toEqual([]);
  });

  test('rejects when the request is answered before its body has come', async () => {
    let reading: Promise<unknown> | undefined;
    const proxy = openProxy({
      requestFilter(session) {
        reading = session.readBody().catch((error: unknown) => error);
        session.respond(401);
        return true;
      },
    });
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    expect(await response).toMatchObject({ status: 401, connectionClosed: true });
    expect(String(await reading)).toContain('the request is over');
  });

  test('that nobody waits for does no harm', async () => {
    const proxy = reading((session) => {
      void session.readBody();
    });
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    await proxy.clock.settle();
    await client.send('def');
    expect(await response).toMatchObject({ status: 200, text: '6 abcdef' });
  });

  test('that nobody waits for, and that is too large, fails the request', async () => {
    const proxy = reading((session) => {
      void session.readBody(4);
    });
    expect(await proxy.inject({ method: 'POST', body: ['abc', 'def'] })).toMatchObject({ status: 413 });
  });

  test('rejects when the client leaves, and nobody need look', async () => {
    let reason: unknown;
    const proxy = reading(async (session) => {
      void session.readBody();
      reason = await session.readBody().catch((error: unknown) => error);
    });
    const client = proxy.connect();
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    await proxy.clock.settle();
    client.close();
    await proxy.clock.settle();
    expect(reason).toMatchObject({ type: 'ConnectionClosed', source: 'Downstream' });
  });

  test('is refused once the request is on its way', async () => {
    let reason: unknown;
    const proxy = openProxy(
      {
        async responseFilter(session) {
          reason = await session.readBody().catch((error: unknown) => error);
        },
      },
      { upstream: () => ({}) },
    );
    expect(await proxy.inject({ method: 'POST', body: 'abc' })).toMatchObject({ status: 200 });
    expect(reason).toMatchObject({ type: 'InternalError' });
    expect(String(reason)).toContain('readBody must be called before the request is sent upstream');
  });

  test('of a slow client is bounded by readTimeoutMs: 408', async () => {
    const proxy = openProxy(
      {
        async requestFilter(session) {
          await session.readBody();
        },
      },
      { options: { server: { readTimeoutMs: 500 } } },
    );
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    await proxy.clock.advance(500);
    expect(await response).toMatchObject({ status: 408, connectionClosed: true });
  });
});

test('Exchange: readTimeoutMs does not count while a phase keeps the client waiting', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const proxy = openProxy({ requestFilter: () => promise }, { options: { server: { readTimeoutMs: 1_500 } } });
  const response = proxy.inject({ method: 'POST', body: 'abc', headers: { Expect: '100-continue' } });
  await proxy.clock.advance(5_000);
  resolve(undefined);
  await proxy.clock.advance(1_000);
  expect(await response).toMatchObject({ status: 200 });
});

describe('Exchange: failToProxy', () => {
  const page = (reuse: boolean) =>
    openProxy(
      {
        failToProxy(session, error) {
          session.respond(503, `sorry: ${error.type}`, { 'Retry-After': '1' });
          return { errorCode: 503, canReuseDownstream: reuse };
        },
      },
      { upstream: () => 'reset', options: { accessLog: true } },
    );

  test('may write a page of its own, after which the connection closes', async () => {
    const proxy = page(false);
    expect(await proxy.inject()).toMatchObject({ status: 503, text: 'sorry: ReadError', connectionClosed: true });
    expect(proxy.logs).toMatchObject([
      { message: 'fail to proxy', facts: { status: 503 } },
      { facts: { status: 503 } },
    ]);
  });

  test('may allow the next request', async () => {
    const proxy = page(true);
    const client = proxy.connect();
    expect(await client.inject()).toMatchObject({ status: 503, connectionClosed: false });
    expect(await client.inject()).toMatchObject({ status: 503, connectionClosed: false });
  });

  test('that writes nothing leaves the page to the proxy, and the answered code to the log', async () => {
    const proxy = openProxy(
      { failToProxy: () => ({ errorCode: 599, canReuseDownstream: true }) },
      { upstream: () => 'reset' },
    );
    expect(await proxy.inject()).toMatchObject({ status: 502, connectionClosed: true });
    expect(proxy.logs).toMatchObject([{ facts: { status: 599 } }]);
  });

  test('cannot reuse a connection whose response broke in the middle', async () => {
    const proxy = openProxy(
      { failToProxy: () => ({ errorCode: 0, canReuseDownstream: true }) },
      { upstream: () => ({ body: 'half', cut: 'reset' }) },
    );
    expect(await proxy.inject()).toMatchObject({ complete: false, connectionClosed: true });
  });

  test.each([100, 101, 150])('never answers with an informational status (%i)', async (status) => {
    const proxy = openProxy({
      requestFilter: () => {
        throw CirqueError.http(status);
      },
    });
    expect(await proxy.inject()).toMatchObject({ status: 500, connectionClosed: true });
  });
});
