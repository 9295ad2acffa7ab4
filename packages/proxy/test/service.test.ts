import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverConfiguration } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { RawClient, TestOrigin } from '@cirque/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { defineProxy } from '../src/proxy-http.ts';
import { httpProxyService } from '../src/service.ts';
import { listen } from './listening-proxy.ts';

const phases = defineProxy({ upstreamPeer: () => new HttpPeer('127.0.0.1:1') });

test('httpProxyService has a name, and refuses wrong options', () => {
  const configuration = serverConfiguration();
  expect(httpProxyService(configuration, phases).name).toBe('HTTP proxy');
  expect(httpProxyService(configuration, phases, { name: 'gateway', maxConnections: 5 }).name).toBe('gateway');
  expect(() => httpProxyService(configuration, phases, { maxConnections: 0 })).toThrow(RangeError);
  const limits = { maxConnectionsPerClient: 2, clientPrefix: { v4: 24 }, overLimit: 'close', threads: 2 } as const;
  expect(httpProxyService(configuration, phases, limits).threads).toBe(2);
  expect(() => httpProxyService(configuration, phases, { maxConnectionsPerClient: 0 })).toThrow(RangeError);
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

describe('httpProxyService: access log files', () => {
  let folder: string | undefined;
  afterEach(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
    folder = undefined;
  });

  const answering = defineProxy({
    upstreamPeer: () => new HttpPeer('127.0.0.1:1'),
    requestFilter(session) {
      session.respond(200, 'hello');
      return true;
    },
  });

  /** Asks once for each target, on one connection. */
  async function ask(port: number, targets: readonly string[]): Promise<void> {
    const client = await RawClient.connect({ port });
    for (const target of targets) {
      await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nUser-Agent: test "1"\r\n\r\n`);
      await client.waitFor('hello');
    }
    await client.close();
  }

  test('have whole lines in order once the server has stopped', async () => {
    folder = await mkdtemp(join(tmpdir(), 'cirque-proxy-'));
    const accessLog = join(folder, 'access.log');
    const proxy = await listen(answering, {}, { accessLog });
    const targets = Array.from({ length: 200 }, (_, n) => `/${n}`);
    await ask(proxy.port, targets);
    await proxy.close();
    const lines = (await readFile(accessLog, 'utf8')).trimEnd().split('\n');
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.map(({ target }) => target)).toEqual(targets);
    expect(records[0]).toMatchObject({ client: '127.0.0.1', status: 200, responseBytes: 5, userAgent: 'test "1"' });
    expect(new Set(records.map(({ requestId }) => requestId)).size).toBe(targets.length);
    expect(proxy.logs.map(({ message }) => message)).not.toContain('access');
  });

  test('are in the combined format when asked', async () => {
    folder = await mkdtemp(join(tmpdir(), 'cirque-proxy-'));
    const accessLog = join(folder, 'access.log');
    const proxy = await listen(answering, { accessLog, accessLogFormat: 'combined' });
    await ask(proxy.port, ['/a?token=secret']);
    await proxy.close();
    expect(await readFile(accessLog, 'utf8')).toMatch(
      /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/a\?token=\[redacted\] HTTP\/1\.1" 200 5 "-" "test \\x221\\x22"\n$/,
    );
  });

  test('that cannot be opened keep the service from starting, and the error says which', async () => {
    folder = await mkdtemp(join(tmpdir(), 'cirque-proxy-'));
    const accessLog = join(folder, 'absent', 'access.log');
    await expect(listen(answering, { accessLog })).rejects.toThrow(`accessLog ${accessLog} cannot be opened: ENOENT`);
  });

  test('are switched on and off by a new configuration, unless code has decided', async () => {
    const proxies = [await listen(answering), await listen(answering, { accessLog: false })];
    for (const { port, service } of proxies) {
      await ask(port, ['/before']);
      service.reconfigure(serverConfiguration({ accessLog: true }));
      await ask(port, ['/during']);
      service.reconfigure(serverConfiguration({ accessLog: false }));
      await ask(port, ['/after']);
    }
    for (const proxy of proxies) await proxy.close();
    const [following, decided] = proxies.map(({ logs }) => logs.filter(({ message }) => message === 'access'));
    expect(following?.map(({ facts }) => facts.target)).toEqual(['/during']);
    expect(decided).toEqual([]);
  });
});

test('httpProxyService follows maxRetries of a new configuration', async () => {
  const proxy = await listen(
    defineProxy({
      upstreamPeer: () => new HttpPeer('127.0.0.1:1'),
      failToConnect: (_session, _peer, _ctx, error) => error.setRetry(true),
    }),
    {},
    { maxRetries: 3 },
  );
  const retriesOfOne = async (): Promise<number> => {
    const before = proxy.stats.retries;
    const client = await RawClient.connect({ port: proxy.port });
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.waitFor('502');
    await client.close();
    return proxy.stats.retries - before;
  };
  expect(await retriesOfOne()).toBe(3);
  proxy.service.reconfigure(serverConfiguration({ maxRetries: 1 }));
  expect(await retriesOfOne()).toBe(1);
  await proxy.close();
});

test('httpProxyService counts connections and requests in one tree of plain data', async () => {
  const origin = await TestOrigin.listen([
    { repeat: [{ expect: '\r\n\r\n' }, { send: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' }] },
  ]);
  const address = `127.0.0.1:${origin.port}`;
  const proxy = await listen(defineProxy({ upstreamPeer: () => new HttpPeer(address) }));
  const client = await RawClient.connect({ port: proxy.port });
  await client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.waitFor('\r\n\r\nok');
  const stats = proxy.service.stats();
  expect(stats).toMatchObject({
    connections: { open: 1 },
    requests: 1,
    responses: { '2xx': 1 },
    upstream: { connects: 1, peers: { [address]: { requests: 1, connections: 1 } } },
  });
  expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
  await client.close();
  await proxy.close();
  await origin.close();
});
