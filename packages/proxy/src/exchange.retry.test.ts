import { CirqueError } from '@cirque/error';
import { HttpPeer } from '@cirque/pool';
import { describe, expect, test } from 'vitest';
import { openProxy, otherPeer, peer } from '../test/open-proxies.ts';
import type { ProxyPhases } from './proxy-http.ts';
import { REPLAY_BUFFER_BYTES } from './replay-buffer.ts';
import type { TestUpstream, UpstreamHandler } from './testing.ts';

interface Tries {
  tries: number;
}

/** The failover guide's proxy: first one peer, after a failure to connect another one. */
function failover(first: HttpPeer, second: HttpPeer): Partial<ProxyPhases<Tries>> {
  return {
    newCtx: () => ({ tries: 0 }),
    failToConnect(_session, _peer, ctx, error) {
      if (ctx.tries > 0) return error;
      ctx.tries += 1;
      return error.setRetry(true);
    },
    upstreamPeer: (_session, ctx) => (ctx.tries < 1 ? first : second),
  };
}

const answersOnly = (alive: string, answer: UpstreamHandler): TestUpstream => ({
  connect: (address) => (address === alive ? 'accept' : 'refuse'),
  respond: answer,
});

describe('Exchange: failover', () => {
  test('a dead first upstream is retried on the second one, and the client sees 200', async () => {
    const proxy = openProxy(failover(peer, otherPeer), {
      upstream: answersOnly('10.0.0.2:80', () => ({ body: 'two' })),
    });
    expect(await proxy.inject()).toMatchObject({ status: 200, text: 'two', connectionClosed: false });
    expect(proxy.upstream.attempts).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
    expect(proxy.stats).toMatchObject({ retries: 1, failures: 0 });
  });

  test('an upstream that accepts but is slow to answer is not failed over, whatever connectionTimeoutMs says', async () => {
    const quick = new HttpPeer('10.0.0.1:80', { connectionTimeoutMs: 400 });
    const proxy = openProxy(failover(quick, otherPeer), { upstream: () => ({ body: 'late', delayMs: 1_000 }) });
    const response = proxy.inject();
    await proxy.clock.advance(999);
    expect(proxy.upstream.attempts).toEqual(['10.0.0.1:80']);
    await proxy.clock.advance(1);
    expect(await response).toMatchObject({ status: 200, text: 'late' });
    expect(proxy.phases).not.toContain('failToConnect');
  });

  test('a connection that nobody answers is given up after connectionTimeoutMs, and the second upstream asked', async () => {
    const quick = new HttpPeer('10.0.0.1:80', { connectionTimeoutMs: 400 });
    const proxy = openProxy(failover(quick, otherPeer), { upstream: ['blackhole', { body: 'two' }] });
    const response = proxy.inject();
    await proxy.clock.advance(399);
    expect(proxy.upstream.attempts).toEqual(['10.0.0.1:80']);
    await proxy.clock.advance(1);
    expect(await response).toMatchObject({ status: 200, text: 'two' });
    expect(proxy.upstream.attempts).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
  });

  test('works the same with customConnect that never settles', async () => {
    let given: AbortSignal | undefined;
    const customConnect = (_address: unknown, signal: AbortSignal): Promise<never> => {
      given = signal;
      return new Promise(() => {});
    };
    const hole = new HttpPeer('10.0.0.1:80', { connectionTimeoutMs: 400, customConnect });
    const proxy = openProxy(failover(hole, otherPeer), { upstream: () => ({ body: 'two' }) });
    const response = proxy.inject();
    await proxy.clock.advance(400);
    expect(await response).toMatchObject({ status: 200, text: 'two' });
    expect(given?.aborted).toBe(true);
  });

  test('totalConnectionTimeoutMs bounds all of it', async () => {
    const hole = new HttpPeer('10.0.0.1:80', { connectionTimeoutMs: 0, totalConnectionTimeoutMs: 300 });
    const proxy = openProxy(failover(hole, otherPeer), { upstream: ['blackhole', { body: 'two' }] });
    const response = proxy.inject();
    await proxy.clock.advance(300);
    expect(await response).toMatchObject({ status: 200, text: 'two' });
  });

  test('without another try the client sees 502, or 504 when the time was up', async () => {
    const quick = new HttpPeer('10.0.0.1:80', { connectionTimeoutMs: 400 });
    const proxy = openProxy({ upstreamPeer: () => quick }, { upstream: ['refuse', 'blackhole'] });
    expect(await proxy.inject()).toMatchObject({ status: 502 });
    const response = proxy.inject();
    await proxy.clock.advance(400);
    expect(await response).toMatchObject({ status: 504 });
  });

  test('a POST whose body was not asked for yet is tried again, and arrives whole', async () => {
    const proxy = openProxy(failover(peer, otherPeer), {
      upstream: answersOnly('10.0.0.2:80', ({ body }) => ({ body: `got ${body.length}` })),
    });
    const body = ['x'.repeat(50_000), 'y'.repeat(50_000)];
    expect(await proxy.inject({ method: 'POST', body })).toMatchObject({ status: 200, text: 'got 100000' });
  });
});

describe('Exchange: retries', () => {
  const again: ProxyPhases<unknown>['errorWhileProxy'] = (_peer, _session, error) => error.setRetry(true);

  /** Opens a pooled connection, lets it die unnoticed, and sends a request on it. */
  async function stale(method: string, phases: Partial<ProxyPhases<unknown>> = {}) {
    const proxy = openProxy(phases, {
      upstream: (request, connection) =>
        connection.index === 0 && connection.requestCount > 1
          ? 'reset'
          : { body: `${request.method} ${connection.index}` },
    });
    const client = proxy.connect();
    await client.inject();
    const body = method === 'POST' ? { body: 'x' } : {};
    return { proxy, response: await client.inject({ method, ...body }) };
  }

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])(
    '%s on a pooled connection that has died is repeated',
    async (method) => {
      const { proxy, response } = await stale(method);
      expect(response.status).toBe(200);
      expect(proxy.upstream.connections).toHaveLength(2);
      expect(proxy.stats.retries).toBe(1);
      expect(proxy.logs).toMatchObject([{ level: 'warn', facts: { tries: 1, retry: true } }]);
    },
  );

  test.each(['POST', 'PATCH', 'LOCK'])('%s on a pooled connection that has died is not repeated', async (method) => {
    const { proxy, response } = await stale(method);
    expect(response).toMatchObject({ status: 502, connectionClosed: true });
    expect(proxy.stats.retries).toBe(0);
  });

  test('POST is repeated when errorWhileProxy says so', async () => {
    const seen: unknown[] = [];
    const { response } = await stale('POST', {
      errorWhileProxy(_peer, _session, error, _ctx, reused) {
        seen.push(error.retry, reused);
        return error.setRetry(true);
      },
    });
    expect(response).toMatchObject({ status: 200, text: 'POST 1' });
    expect(seen).toEqual(['ReusedOnly', true]);
  });

  test('GET on a fresh connection that breaks is not repeated', async () => {
    const proxy = openProxy({}, { upstream: ['reset', {}] });
    expect(await proxy.inject()).toMatchObject({ status: 502 });
    expect(proxy.upstream.connections).toHaveLength(1);
  });

  test('nothing is repeated once a byte of the response has come', async () => {
    const proxy = openProxy(
      {},
      { upstream: ({ connection }) => (connection.requestCount === 1 ? {} : { raw: 'HTTP', cut: 'reset' }) },
    );
    const client = proxy.connect();
    await client.inject();
    expect(await client.inject()).toMatchObject({ status: 502 });
    expect(proxy.stats.retries).toBe(0);
  });

  test('maxRetries counts retries: 2 means three attempts', async () => {
    const proxy = openProxy({ errorWhileProxy: again }, { upstream: () => 'reset', options: { maxRetries: 2 } });
    expect(await proxy.inject()).toMatchObject({ status: 502 });
    expect(proxy.upstream.attempts).toHaveLength(3);
    expect(proxy.logs.map(({ level, facts }) => [level, facts.tries])).toEqual([
      ['warn', 1],
      ['warn', 2],
      ['error', 3],
    ]);
  });

  test('maxRetries 0 means one attempt, and no retry whatever a phase says', async () => {
    const proxy = openProxy({ errorWhileProxy: again }, { upstream: ['reset', {}], options: { maxRetries: 0 } });
    expect(await proxy.inject()).toMatchObject({ status: 502 });
    expect(proxy.upstream.attempts).toHaveLength(1);
  });

  test('maxRetries is 16 by default, for failures to connect and to choose a peer, too', async () => {
    const retry = (error: CirqueError): CirqueError => error.setRetry(true);
    const connecting = openProxy(
      { failToConnect: (_s, _p, _c, error) => retry(error) },
      { upstream: { connect: () => 'refuse' } },
    );
    expect(await connecting.inject()).toMatchObject({ status: 502 });
    expect(connecting.upstream.attempts).toHaveLength(17);
    const choosing = openProxy({
      upstreamPeer: () => {
        throw retry(CirqueError.http(503));
      },
    });
    expect(await choosing.inject()).toMatchObject({ status: 503 });
    expect(choosing.phases.filter((phase) => phase === 'upstreamPeer')).toHaveLength(17);
  });

  test('each attempt gets a fresh copy of the head', async () => {
    const heads: string[] = [];
    const proxy = openProxy(
      {
        errorWhileProxy: again,
        upstreamRequestFilter(_session, head) {
          head.appendHeader('X-Try', 'one');
          heads.push(head.headers.getAll('x-try').join());
          head.target = `${head.target}!`;
          head.removeHeader('X-Client');
        },
      },
      { upstream: ['reset', 'reset', {}] },
    );
    await proxy.inject({ target: '/a', headers: { 'X-Client': '1' } });
    expect(heads).toEqual(['one', 'one', 'one']);
    expect(proxy.upstream.requests.map(({ target }) => target)).toEqual(['/a!', '/a!', '/a!']);
  });

  test('session.retries tells the phases how often it was tried', async () => {
    const seen: number[] = [];
    const upstreamPeer: ProxyPhases<unknown>['upstreamPeer'] = (session) => {
      seen.push(session.retries);
      return peer;
    };
    const proxy = openProxy({ errorWhileProxy: again, upstreamPeer }, { upstream: ['reset', 'close', {}] });
    await proxy.inject();
    expect(seen).toEqual([0, 1, 2]);
  });

  test('no retry after the response has started: the client sees the cut', async () => {
    const proxy = openProxy({ errorWhileProxy: again }, { upstream: [{ body: 'half', cut: 'reset' }, {}] });
    expect(await proxy.inject()).toMatchObject({ status: 200, text: 'half', complete: false, connectionClosed: true });
    expect(proxy.upstream.attempts).toHaveLength(1);
  });

  test('informational heads do not count as the start of a response', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
    const proxy = openProxy({ errorWhileProxy: again }, { upstream: [{ raw: hints, cut: 'reset' }, { body: 'ok' }] });
    const response = await proxy.inject();
    expect(response).toMatchObject({ status: 200, text: 'ok' });
    expect(response.informational).toHaveLength(1);
  });

  test('an upstream deadline is not repeated by itself, and becomes 504', async () => {
    const impatient = new HttpPeer('10.0.0.1:80', { readTimeoutMs: 200 });
    const proxy = openProxy({ upstreamPeer: () => impatient }, { upstream: () => 'hang' });
    const response = proxy.inject();
    await proxy.clock.advance(200);
    expect(await response).toMatchObject({ status: 504, connectionClosed: true });
    expect(proxy.upstream.connections[0]?.open).toBe(false);
  });
});

describe('Exchange: replay of the request body', () => {
  const again: ProxyPhases<unknown>['errorWhileProxy'] = (_peer, _session, error) => error.setRetry(true);
  /** Answers the second connection only. */
  const second: UpstreamHandler = ({ body, connection }) =>
    connection.index === 0 ? 'reset' : { body: `${body.length} ${body.subarray(-3).toString()}` };

  test.each([
    ['with Content-Length', 'x'.repeat(REPLAY_BUFFER_BYTES - 3).concat('end')],
    ['in chunks', ['x'.repeat(30_000), 'y'.repeat(REPLAY_BUFFER_BYTES - 30_003), 'end']],
  ])('a body of 64 KiB %s is sent again', async (_how, body) => {
    const proxy = openProxy({ errorWhileProxy: again }, { upstream: second });
    expect(await proxy.inject({ method: 'POST', body })).toMatchObject({ status: 200, text: '65536 end' });
  });

  test('one byte more, and there is no second attempt', async () => {
    const proxy = openProxy({ errorWhileProxy: again }, { upstream: second });
    const body = ['x'.repeat(REPLAY_BUFFER_BYTES), 'y'];
    expect(await proxy.inject({ method: 'POST', body })).toMatchObject({ status: 502 });
    expect(proxy.upstream.attempts).toHaveLength(1);
  });

  test('an attempt that breaks in the middle of the body is repeated with all of it', async () => {
    const proxy = openProxy(
      { errorWhileProxy: again },
      { upstream: { early: ({ connection }) => (connection.index === 0 ? 'reset' : undefined), respond: second } },
    );
    const body = ['first ', 'second ', 'end'];
    expect(await proxy.inject({ method: 'POST', body })).toMatchObject({ status: 200, text: '16 end' });
  });

  test.each([
    ['synchronous', <T>(value: T): T => value],
    ['asynchronous', async <T>(value: T): Promise<T> => value],
  ])('a %s body filter sees the bytes again, with one end per attempt', async (_how, answer) => {
    const seen: string[] = [];
    const proxy = openProxy(
      {
        errorWhileProxy: again,
        upstreamRequestFilter: (_session, head) => {
          head.removeHeader('Content-Length');
          seen.push('attempt');
        },
        requestBodyFilter(_session, body, end) {
          seen.push(`${body?.toString() ?? '-'}${end ? ' end' : ''}`);
          return answer(body === undefined ? undefined : Buffer.from(body.toString().toUpperCase()));
        },
      },
      { upstream: second },
    );
    const response = await proxy.inject({ method: 'POST', body: ['ab', 'cd'] });
    expect(response).toMatchObject({ status: 200, text: '4 BCD' });
    expect(seen).toEqual(['attempt', 'ab', 'cd', '- end', 'attempt', 'abcd', '- end']);
  });

  test('a filter that throws while its attempt begins sees one end in the next one', async () => {
    const seen: string[] = [];
    const proxy = openProxy(
      {
        errorWhileProxy: again,
        async requestFilter(session) {
          await session.readBody();
        },
        upstreamRequestFilter(session) {
          if (session.requestHeader.method === 'PUT') seen.push('attempt');
        },
        requestBodyFilter(_session, body, end) {
          seen.push(`${body?.toString() ?? '-'}${end ? ' end' : ''}`);
          if (seen.length === 2) throw new Error('the first piece');
        },
      },
      { upstream: ({ method }) => (method === 'PUT' ? { body: 'put' } : { body: 'got', delayMs: 10 }) },
    );
    // Two idle connections: nothing has to be waited for between the attempts.
    const first = [proxy.inject(), proxy.inject()];
    await proxy.clock.advance(10);
    await Promise.all(first);
    seen.length = 0;
    expect(await proxy.inject({ method: 'PUT', body: 'abc' })).toMatchObject({ status: 200, text: 'put' });
    expect(seen).toEqual(['attempt', 'abc', 'attempt', 'abc', '- end']);
  });

  test('a body that a phase has read beforehand is replayed whatever its size', async () => {
    const proxy = openProxy(
      {
        errorWhileProxy: again,
        async requestFilter(session) {
          await session.readBody(1_000_000);
        },
      },
      { upstream: second },
    );
    const body = ['x'.repeat(300_000), 'end'];
    expect(await proxy.inject({ method: 'POST', body })).toMatchObject({ status: 200, text: '300003 end' });
  });

  test('an asynchronous filter gets the replayed bytes, later ones and the end one after another', async () => {
    const order: string[] = [];
    const gates: (() => void)[] = [];
    const proxy = openProxy(
      {
        errorWhileProxy: again,
        async requestBodyFilter(_session, body, end) {
          order.push(`in ${body?.toString() ?? '-'}${end ? ' end' : ''}`);
          await new Promise<void>((resolve) => gates.push(resolve));
          order.push('out');
        },
      },
      { upstream: { early: ({ connection }) => (connection.index === 0 ? 'reset' : undefined), respond: second } },
    );
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcend');
    await proxy.clock.settle();
    // The newest first, the attempt that broke last: whoever asks for the next piece too early would get them in the wrong order.
    while (gates.length > 0) {
      gates.pop()?.();
      await proxy.clock.settle();
    }
    expect(await response).toMatchObject({ status: 200, text: '6 end' });
    expect(order).toEqual(['in abcend', 'in abcend', 'out', 'in - end', 'out', 'out']);
  });
});
