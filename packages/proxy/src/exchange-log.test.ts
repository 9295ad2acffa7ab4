import { CirqueError } from '@cirque/error';
import { describe, expect, test } from 'vitest';
import { openProxy, peer } from '../test/open-proxies.ts';

describe('logFailure', () => {
  test('writes one line at error: the chain of causes, the status sent, the tries, whose request', async () => {
    const proxy = openProxy({}, { upstream: ['refuse'] });
    await proxy.inject({ target: '/a?b=c' });
    expect(proxy.logs).toEqual([
      {
        level: 'error',
        message: 'fail to proxy',
        facts: {
          requestId: expect.any(String),
          error:
            'Upstream ConnectRefused context: connecting to 10.0.0.1:80 cause: Error: connect ECONNREFUSED 10.0.0.1:80',
          status: 502,
          tries: 1,
          retry: false,
          request: 'GET /a, Host: test',
        },
      },
    ]);
  });

  test('names the peer of an attempt that broke', async () => {
    const proxy = openProxy({}, { upstream: ['close'] });
    await proxy.inject();
    expect(String(proxy.logs[0]?.facts.error)).toContain('context: Peer: 10.0.0.1:80');
  });

  test('writes what clients do at info', async () => {
    const proxy = openProxy({}, { upstream: ['hang'] });
    const client = proxy.connect();
    const response = client.inject().catch(() => undefined);
    await proxy.clock.settle();
    client.close();
    await response;
    await proxy.clock.settle();
    expect(proxy.logs).toMatchObject([{ level: 'info', message: 'fail to proxy', facts: { status: 0 } }]);
  });

  test('keeps quiet when suppressErrorLog says so, and asks with the error', async () => {
    const asked: CirqueError[] = [];
    const proxy = openProxy(
      {
        suppressErrorLog(_session, _ctx, error) {
          asked.push(error);
          return true;
        },
        requestSummary: () => 'never asked',
      },
      { upstream: ['refuse'] },
    );
    await proxy.inject();
    expect(proxy.logs).toEqual([]);
    expect(asked).toMatchObject([{ type: 'ConnectRefused' }]);
    expect(proxy.phases).not.toContain('requestSummary');
  });

  test('does not keep quiet about retries', async () => {
    const proxy = openProxy(
      {
        suppressErrorLog: () => true,
        requestSummary: () => 'mine',
        failToConnect: (_session, _peer, _ctx, error) => error.setRetry(true),
      },
      { upstream: ['refuse', {}] },
    );
    await proxy.inject();
    expect(proxy.logs).toMatchObject([{ level: 'warn', facts: { tries: 1, retry: true, request: 'mine' } }]);
  });

  test('escapes what strangers and phases put into it', async () => {
    const proxy = openProxy({
      requestSummary: (session) => decodeURIComponent(session.requestHeader.path),
      upstreamPeer: (session) => {
        throw CirqueError.http(503, `no peer for ${decodeURIComponent(session.requestHeader.path)}`);
      },
    });
    await proxy.inject({ target: '/a%0Ainjected%1B[31m' });
    const { error, request } = proxy.logs[0]?.facts ?? {};
    for (const text of [error, request]) {
      expect(text).toContain('injected');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      expect(text).not.toMatch(/[\x00-\x1f\x7f]/);
    }
  });
});

describe('logAccess', () => {
  const logged = { options: { accessLog: true } };

  test('writes one line per request, with what there is to know', async () => {
    const proxy = openProxy({}, { ...logged, upstream: () => ({ body: 'hello' }) });
    const client = proxy.connect({ address: '192.0.2.1' });
    const headers = { 'User-Agent': 'curl/8.5.0', Referer: 'https://example.com/?code=1' };
    await client.inject({ method: 'POST', target: '/a?token=secret&b=1', body: 'abc', headers });
    await client.inject();
    const record = {
      requestId: expect.any(String),
      client: '192.0.2.1',
      method: 'POST',
      target: '/a?token=[redacted]&b=1',
      host: 'test',
      version: '1.1',
      status: 200,
      requestBytes: 3,
      responseBytes: 5,
      durationMs: expect.any(Number),
      upstream: '10.0.0.1:80',
      reused: false,
    };
    expect(proxy.logs.map(({ facts }) => facts)).toEqual([
      { ...record, referer: 'https://example.com/?code=[redacted]', userAgent: 'curl/8.5.0' },
      { ...record, method: 'GET', target: '/', requestBytes: 0, reused: true },
    ]);
    expect(proxy.logs).toMatchObject([{ level: 'info', message: 'access' }, { message: 'access' }]);
  });

  test('has no upstream for a request that was answered here', async () => {
    const proxy = openProxy({ proxyUpstreamFilter: () => false }, logged);
    await proxy.inject();
    expect(proxy.logs[0]?.facts).toMatchObject({ status: 502 });
    expect(Object.keys(proxy.logs[0]?.facts ?? {})).not.toContain('upstream');
  });

  test('counts retries and has the error', async () => {
    const proxy = openProxy(
      { errorWhileProxy: (_peer, _session, error) => error.setRetry(true) },
      { ...logged, upstream: ['reset', { body: 'half', cut: 'close' }] },
    );
    await proxy.inject();
    expect(proxy.logs.at(-1)?.facts).toMatchObject({ status: 200, retries: 1, responseBytes: 4 });
    expect(String(proxy.logs.at(-1)?.facts.error)).toContain('ConnectionClosed');
  });

  test('writes nothing unless asked', async () => {
    const proxy = openProxy();
    await proxy.inject();
    expect(proxy.logs).toEqual([]);
  });
});

test('HttpProxy logs a head that cannot be parsed once, counts it, and calls no phase', async () => {
  const proxy = openProxy({}, { options: { accessLog: true } });
  const client = proxy.connect({ address: '192.0.2.1' });
  const response = client.response();
  await client.send('GET / HTTP/1.1\r\nHost : a\r\n\r\n');
  expect(await response).toMatchObject({ status: 400, connectionClosed: true });
  expect(proxy.phases).toEqual([]);
  expect(proxy.stats).toMatchObject({ refused: 1, requests: 0 });
  expect(proxy.logs).toMatchObject([
    { level: 'info', message: 'request refused', facts: { status: 400, client: '192.0.2.1' } },
  ]);
});

test('Session counts what was sent and received', async () => {
  const seen: unknown[] = [];
  const proxy = openProxy(
    {
      errorWhileProxy: (_peer, _session, error) => error.setRetry(true),
      logging: ({ bodyBytesReceived, bodyBytesSent, upstreamBodyBytesReceived }) => {
        seen.push(bodyBytesReceived, bodyBytesSent, upstreamBodyBytesReceived);
      },
      responseBodyFilter: (session, _body, end) => {
        if (end) seen.push(session.upstreamBodyBytesReceived);
        return end ? Buffer.from('!') : undefined;
      },
      responseFilter: (_session, header) => {
        header.removeHeader('Content-Length');
      },
    },
    { upstream: () => ({ body: 'hello' }) },
  );
  await proxy.inject({ method: 'POST', body: 'abc' });
  expect(seen).toEqual([5, 3, 6, 5]);
});

test('Session knows the response that was sent, also after the request', async () => {
  const seen: unknown[] = [];
  const proxy = openProxy({
    responseFilter: (session) => {
      seen.push(session.responseStarted, session.responseHeader);
    },
    logging: (session) => {
      seen.push(session.responseStarted, session.responseHeader?.status);
    },
    upstreamPeer: (session) => {
      seen.push(session.isProcessShuttingDown, session.requestSummary());
      return peer;
    },
  });
  await proxy.inject();
  expect(seen).toEqual([false, 'GET /, Host: test', false, undefined, true, 200]);
});
