import type { CirqueError } from '@cirque/error';
import { duplexPair } from '@cirque/testing';
import { describe, expect, test, vi } from 'vitest';
import { exchange, exchangeOn } from '../test/exchange.ts';
import { type MemoryNetwork, memoryNetwork, settle } from '../test/memory-network.ts';
import type { ClientSession } from './client-session.ts';
import { HttpConnector } from './http-connector.ts';
import { HttpPeer } from './peer.ts';
import {
  DEFAULT_PEER_OPTIONS,
  type PeerOptions,
  type ResolvedPeerOptions,
  resolvePeerOptions,
} from './peer-options.ts';
import { IDENTITY } from './reuse-key.ts';

const PEER = new HttpPeer('origin:80');

/** Takes a session and leaves it unused. */
async function hold(network: MemoryNetwork, peer: HttpPeer = PEER, signal?: AbortSignal): Promise<ClientSession> {
  return network.connector.getSession(peer, signal === undefined ? {} : { signal });
}

describe('HttpConnector: reuse', () => {
  test('a connection that was released serves the next request, without a promise', async () => {
    const network = memoryNetwork();
    expect(await exchange(network.connector, PEER)).toEqual({ status: 200, body: '', reused: false });
    const session = network.connector.getSession(PEER);
    expect(session).not.toBeInstanceOf(Promise);
    expect(await exchangeOn(session as ClientSession)).toMatchObject({ reused: true });
    expect(network.connections).toHaveLength(1);
    expect(network.connections[0]?.requests).toBe(2);
    expect(network.connector.stats).toEqual({
      idle: 1,
      reused: 1,
      misses: 1,
      evictions: 0,
      active: 0,
      connects: 1,
      waiting: 0,
      h2Connections: 0,
      h2Streams: 0,
      connectFailures: 0,
      tlsHandshakes: 0,
      peers: { 'origin:80': expect.objectContaining({ requests: 2, connects: 1 }) },
    });
    network.connector.close();
  });

  test('the newest comes first', async () => {
    const network = memoryNetwork();
    const sessions = [await hold(network), await hold(network), await hold(network)];
    expect(network.connector.stats.active).toBe(3);
    for (const session of sessions) await exchangeOn(session);
    expect(network.connector.stats).toMatchObject({ active: 0, idle: 3 });
    expect(network.connector.getSession(PEER)).toBe(sessions[2]);
    expect(network.connector.getSession(PEER)).toBe(sessions[1]);
    network.connector.close();
  });

  test('peers of different addresses share nothing', async () => {
    const network = memoryNetwork();
    for (const address of ['a:1', 'a:2', 'b:1', 'unix:/a']) {
      expect(await exchange(network.connector, new HttpPeer(address))).toMatchObject({ reused: false });
    }
    expect(network.connections).toHaveLength(4);
    network.connector.close();
  });

  const CERTIFICATE = '-----BEGIN CERTIFICATE-----';
  const KEY = '-----BEGIN PRIVATE KEY-----';

  /** One setting per option that differs from the default. */
  const CHANGED: { readonly [Option in keyof ResolvedPeerOptions]: PeerOptions } = {
    connectionTimeoutMs: { connectionTimeoutMs: 1_234 },
    totalConnectionTimeoutMs: { totalConnectionTimeoutMs: 1_234 },
    readTimeoutMs: { readTimeoutMs: 1_234 },
    writeTimeoutMs: { writeTimeoutMs: 1_234 },
    minSendRate: { minSendRate: 1_234 },
    idleTimeoutMs: { idleTimeoutMs: 1_234 },
    maxConnections: { maxConnections: 3 },
    maxPendingRequests: { maxPendingRequests: 3 },
    tcpKeepAlive: { tcpKeepAlive: { idleMs: 1_000 } },
    tcpUserTimeoutMs: { tcpUserTimeoutMs: 1_234 },
    tcpFastOpen: { tcpFastOpen: true },
    dscp: { dscp: 10 },
    sendBufferBytes: { sendBufferBytes: 12_345 },
    receiveBufferBytes: { receiveBufferBytes: 12_345 },
    bindTo: { bindTo: { address: '127.0.0.7' } },
    groupKey: { groupKey: 'blue' },
    proxy: { proxy: { nextHop: { host: 'proxy', port: 3128 } } },
    customConnect: { customConnect: () => Promise.reject(new Error('apart')) },
    proxyProtocol: { proxyProtocol: { version: 2 } },
    tracer: { tracer: {} },
    limits: { limits: { maxFields: 7 } },
    maxH2Streams: { maxH2Streams: 7 },
    h2PingIntervalMs: { h2PingIntervalMs: 1_234 },
    h2PingTimeoutMs: { h2PingTimeoutMs: 1_234 },
    h2StreamWindowBytes: { h2StreamWindowBytes: 1_234 },
    h2ConnectionWindowBytes: { h2ConnectionWindowBytes: 123_456 },
    h2DowngradeMs: { h2DowngradeMs: 1_234 },
    tls: { tls: true },
    sni: { tls: true, sni: 'other' },
    verifyCert: { tls: true, verifyCert: false },
    verifyHostname: { tls: true, verifyHostname: false },
    alternativeCn: { tls: true, alternativeCn: 'other' },
    ca: { tls: true, ca: CERTIFICATE },
    clientCert: { tls: true, clientCert: { cert: CERTIFICATE, key: KEY } },
    alpn: { alpn: 'h2h1' },
    alpnProtocols: { tls: true, alpnProtocols: ['mine'] },
    minTlsVersion: { tls: true, minTlsVersion: 'TLSv1.3' },
    maxTlsVersion: { tls: true, maxTlsVersion: 'TLSv1.2' },
    ciphers: { tls: true, ciphers: 'AES128-SHA' },
    curves: { tls: true, curves: 'X25519' },
    sessionResumption: { tls: true, sessionResumption: false },
    stripHopByHop: { requestPolicy: { stripHopByHop: false } },
    stripConnectionNominated: { requestPolicy: { stripConnectionNominated: false } },
    upgrade: { requestPolicy: { upgrade: 'deny' } },
  };

  test.each(Object.entries(CHANGED))('of a peer that differs in %s', async (name, options) => {
    const network = memoryNetwork();
    const peer = new HttpPeer('origin:80', options);
    expect(peer.options).not.toEqual(DEFAULT_PEER_OPTIONS);
    await exchange(network.connector, PEER);
    const stop = new AbortController();
    const session = network.connector.getSession(peer, { signal: stop.signal });
    // Who opens another connection for TLS finds nobody there to talk to.
    void settle().then(() => stop.abort());
    const shared = IDENTITY[name as keyof ResolvedPeerOptions] === 'none';
    // Capped peers wait for their slot in a promise. Whoever does not share opens another connection, or fails to.
    const reused = await Promise.resolve(session).then(
      (one) => one.reused,
      () => false,
    );
    expect(reused).toBe(shared);
    network.connector.close();
  });

  test('uses the timeouts of the peer that asks, not of the one that opened', async () => {
    const network = memoryNetwork();
    await exchange(network.connector, PEER);
    network.answer = () => undefined;
    const attempt = exchange(network.connector, new HttpPeer('origin:80', { readTimeoutMs: 100 }));
    const failed = expect(attempt).rejects.toMatchObject({ type: 'ReadTimedout' });
    await settle();
    network.clock.advance(140);
    await failed;
  });
});

describe('HttpConnector: the pool', () => {
  test('keeps poolSize connections over all peers, the least recently used goes first', async () => {
    const network = memoryNetwork({ poolSize: 2 });
    for (const address of ['a:1', 'b:1', 'a:1', 'c:1']) await exchange(network.connector, new HttpPeer(address));
    await settle();
    expect(network.connector.stats).toMatchObject({ idle: 2, evictions: 1 });
    expect(network.connections.map((far) => far.closed)).toEqual([false, true, false]);
    network.connector.close();
  });

  test('of size 0 keeps nothing', async () => {
    const network = memoryNetwork({ poolSize: 0 });
    await exchange(network.connector, PEER);
    await settle();
    expect(network.connections[0]?.closed).toBe(true);
    expect(network.connector.stats).toMatchObject({ idle: 0, active: 0 });
  });

  test.each([-1, 1.5, Number.NaN])('refuses a poolSize of %d', (poolSize) => {
    expect(() => new HttpConnector({ poolSize })).toThrow(RangeError);
    expect(() => new HttpConnector({ poolSize })).toThrow(`poolSize is ${poolSize}: expected an integer of at least 0`);
  });

  test.each([
    ['bytes', (network: MemoryNetwork) => void network.connections[0]?.stream.write('HTTP/1.1 408 X\r\n\r\n')],
    ['FIN', (network: MemoryNetwork) => void network.connections[0]?.stream.end()],
    ['RST', (network: MemoryNetwork) => void network.connections[0]?.stream.destroy(new Error('reset'))],
  ])('gives a connection up when %s come while it is idle', async (_, disturb) => {
    const network = memoryNetwork();
    await exchange(network.connector, PEER);
    disturb(network);
    await settle();
    expect(network.connector.stats).toMatchObject({ idle: 0, evictions: 0 });
    expect(await exchange(network.connector, PEER)).toMatchObject({ reused: false });
    network.connector.close();
  });

  test.each([
    ['the peer', 5_000, '', 5_000],
    ['the upstream, half a second early', 60_000, 'Keep-Alive: timeout=5\r\n', 4_500],
    ['the peer, where that is less', 2_000, 'Keep-Alive: timeout=5\r\n', 2_000],
    ['the upstream, however short', 60_000, 'Keep-Alive: timeout=1\r\n', 500],
  ])('keeps a connection as long as %s says', async (_, idleTimeoutMs, fields, expected) => {
    const network = memoryNetwork();
    network.answer = () => `HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`;
    await exchange(network.connector, new HttpPeer('origin:80', { idleTimeoutMs }));
    network.clock.advance(expected - 1);
    expect(network.connector.stats.idle).toBe(1);
    network.clock.advance(40);
    expect(network.connector.stats.idle).toBe(0);
    expect(network.wheel.size).toBe(0);
  });

  test('keeps a connection as long as the peer says that used it last', async () => {
    const network = memoryNetwork();
    await exchange(network.connector, PEER);
    await exchange(network.connector, new HttpPeer('origin:80', { idleTimeoutMs: 1_000 }));
    network.clock.advance(1_040);
    expect(network.connector.stats).toMatchObject({ connects: 1, idle: 0 });
  });

  test.each([
    ['the peer says idleTimeoutMs: 0', 0, ''],
    ['the upstream says timeout=0', 60_000, 'Keep-Alive: timeout=0\r\n'],
  ])('keeps nothing when %s', async (_, idleTimeoutMs, fields) => {
    const network = memoryNetwork();
    network.answer = () => `HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`;
    await exchange(network.connector, new HttpPeer('origin:80', { idleTimeoutMs }));
    expect(network.connector.stats).toMatchObject({ idle: 0, active: 0 });
  });

  test('keeps a session that was released untouched', async () => {
    const network = memoryNetwork();
    (await hold(network)).release();
    expect(network.connector.stats).toMatchObject({ idle: 1, active: 0 });
    expect(await exchange(network.connector, PEER)).toMatchObject({ reused: false });
    expect(network.connections).toHaveLength(1);
    network.connector.close();
  });

  test('does not hand out a connection that broke in this very turn', async () => {
    const network = memoryNetwork();
    let stream: { destroy(): void } | undefined;
    const peer = new HttpPeer('origin:80', {
      customConnect: async () => {
        const [near, far] = duplexPair();
        far.on('data', () => far.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')).on('error', () => undefined);
        stream = near;
        return near;
      },
    });
    await exchange(network.connector, peer);
    // Its close is announced in a later turn only.
    stream?.destroy();
    expect(network.connector.stats.idle).toBe(1);
    const next = network.connector.getSession(peer);
    expect(next).toBeInstanceOf(Promise);
    expect((await next).reused).toBe(false);
    (await next).abort();
  });
});

describe('HttpConnector: close', () => {
  test('closes what is idle, and later what becomes idle', async () => {
    const network = memoryNetwork();
    const busy = await hold(network);
    await exchange(network.connector, PEER);
    network.connector.close();
    await settle();
    expect(network.connections.map((far) => far.closed)).toEqual([false, true]);
    expect(await exchangeOn(busy)).toMatchObject({ status: 200 });
    await settle();
    expect(network.connections.map((far) => far.closed)).toEqual([true, true]);
    expect(network.connector.stats).toMatchObject({ idle: 0, active: 0 });
    expect(network.wheel.size).toBe(0);
  });

  test('is what disposing does', async () => {
    const network = memoryNetwork();
    await exchange(network.connector, PEER);
    await network.connector[Symbol.asyncDispose]();
    expect(network.connector.stats.idle).toBe(0);
  });
});

describe('HttpConnector: failure to connect', () => {
  test('is passed on, and leaves nothing behind', async () => {
    const network = memoryNetwork();
    network.beforeConnect = () => Promise.reject(new Error('broken'));
    await expect(hold(network)).rejects.toMatchObject({ type: 'ConnectError', source: 'Upstream' });
    expect(network.connector.stats).toMatchObject({ active: 0, idle: 0, connects: 0 });
    expect(network.wheel.size).toBe(0);
  });

  test('a signal ends it', async () => {
    const network = memoryNetwork();
    network.beforeConnect = () => new Promise(() => undefined);
    const controller = new AbortController();
    const attempt = hold(network, PEER, controller.signal);
    controller.abort();
    await expect(attempt).rejects.toMatchObject({ type: 'ConnectError' });
    expect(network.wheel.size).toBe(0);
  });
});

describe('HttpConnector: maxConnections', () => {
  const capped = (options: PeerOptions = {}): HttpPeer => new HttpPeer('origin:80', { maxConnections: 2, ...options });

  test('lets the others wait, and serves them in order', async () => {
    const network = memoryNetwork();
    const peer = capped();
    const order: number[] = [];
    const all = Array.from({ length: 6 }, async (_, i) => {
      const session = await network.connector.getSession(peer);
      order.push(i);
      expect(network.connector.stats.active).toBeLessThanOrEqual(2);
      await exchangeOn(session);
    });
    await settle();
    await Promise.all(all);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect(network.connections).toHaveLength(2);
    expect(network.connector.stats).toMatchObject({ active: 0, waiting: 0, idle: 2 });
    network.connector.close();
  });

  test('more than maxPendingRequests get 503', async () => {
    const network = memoryNetwork();
    const peer = capped({ maxConnections: 1, maxPendingRequests: 1 });
    const busy = await hold(network, peer);
    const waiting = hold(network, peer);
    await expect(hold(network, peer)).rejects.toMatchObject({ type: 'HTTPStatus', status: 503, source: 'Upstream' });
    expect(network.connector.stats.waiting).toBe(1);
    busy.release();
    (await waiting).release();
    network.connector.close();
  });

  const ENDS: [name: string, end: (network: MemoryNetwork, session: ClientSession) => unknown][] = [
    ['release', (_, session) => session.release()],
    ['abort', (_, session) => session.abort()],
    ['a response', (_, session) => exchangeOn(session)],
    [
      'a response that closes',
      (network, session) => {
        network.answer = () => 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
        return exchangeOn(session);
      },
    ],
    [
      'a broken connection',
      (network, session) => {
        network.answer = ({ stream }) => void stream.destroy(new Error('reset'));
        return exchangeOn(session).catch(() => undefined);
      },
    ],
    [
      'a read deadline',
      async (network, session) => {
        network.answer = () => undefined;
        const failed = exchangeOn(session).catch(() => undefined);
        network.clock.advance(60_100);
        await failed;
      },
    ],
    ['FIN before the request', (network) => network.connections[0]?.stream.end()],
  ];

  test.each(ENDS)('gives the slot back after %s', async (_, end) => {
    const network = memoryNetwork();
    const peer = capped({ maxConnections: 1 });
    const first = await hold(network, peer);
    const second = hold(network, peer);
    await settle();
    expect(network.connector.stats).toMatchObject({ active: 1, waiting: 1 });
    await end(network, first);
    (await second).abort();
    expect(network.connector.stats).toMatchObject({ active: 0, waiting: 0 });
    network.connector.close();
  });

  test('gives the slot back when connecting fails', async () => {
    const network = memoryNetwork();
    const peer = capped({ maxConnections: 1 });
    network.beforeConnect = () => Promise.reject(new Error('broken'));
    for (let i = 0; i < 3; i += 1) await expect(hold(network, peer)).rejects.toMatchObject({ type: 'ConnectError' });
    network.beforeConnect = () => Promise.resolve();
    (await hold(network, peer)).release();
    network.connector.close();
  });

  test('gives the slot back when connecting takes too long, or is cancelled', async () => {
    const network = memoryNetwork();
    const peer = capped({ maxConnections: 1, connectionTimeoutMs: 100 });
    network.beforeConnect = () => new Promise(() => undefined);
    const controller = new AbortController();
    const cancelled = hold(network, peer, controller.signal);
    const late = hold(network, peer);
    const outcomes = Promise.allSettled([cancelled, late]);
    await settle();
    controller.abort();
    await settle();
    network.clock.advance(140);
    expect((await outcomes).map((one) => ((one as PromiseRejectedResult).reason as CirqueError).type)).toEqual([
      'ConnectError',
      'ConnectTimedout',
    ]);
    network.beforeConnect = () => Promise.resolve();
    (await hold(network, peer)).release();
    network.connector.close();
  });

  test('one that leaves while it waits takes no slot', async () => {
    const network = memoryNetwork();
    const peer = capped({ maxConnections: 1 });
    const first = await hold(network, peer);
    const controller = new AbortController();
    const second = hold(network, peer, controller.signal);
    const third = hold(network, peer);
    controller.abort();
    await expect(second).rejects.toMatchObject({ type: 'ConnectError' });
    first.release();
    (await third).release();
    expect(network.connector.stats).toMatchObject({ active: 0, waiting: 0 });
    network.connector.close();
  });

  test('totalConnectionTimeoutMs counts the waiting', async () => {
    const network = memoryNetwork();
    const peer = capped({ maxConnections: 1, totalConnectionTimeoutMs: 1_000 });
    const first = await hold(network, peer);
    const second = hold(network, peer);
    await settle();
    network.clock.advance(1_040);
    await expect(second).rejects.toMatchObject({ type: 'ConnectTimedout', source: 'Upstream' });
    first.release();
    network.connector.close();
  });

  test('and what is left of it is for connecting', async () => {
    const network = memoryNetwork();
    const peer = capped({ maxConnections: 1, totalConnectionTimeoutMs: 1_000, connectionTimeoutMs: 0 });
    const first = await hold(network, peer);
    const settled = vi.fn();
    const second = hold(network, peer);
    second.catch(settled);
    await settle();
    network.clock.advance(600);
    network.beforeConnect = () => new Promise(() => undefined);
    first.abort();
    await settle();
    network.clock.advance(360);
    await settle();
    expect(settled).not.toHaveBeenCalled();
    network.clock.advance(80);
    await expect(second).rejects.toMatchObject({ type: 'ConnectTimedout' });
    network.connector.close();
  });

  test('idle connections do not count, and are taken first', async () => {
    const network = memoryNetwork();
    const peer = capped({ maxConnections: 1 });
    await exchange(network.connector, new HttpPeer('origin:80'));
    expect(network.connector.stats.idle).toBe(1);
    expect(await exchange(network.connector, peer)).toMatchObject({ reused: true });
    expect(network.connections).toHaveLength(1);
    network.connector.close();
  });

  test('counts per identity', async () => {
    const network = memoryNetwork();
    const blue = await hold(network, capped({ maxConnections: 1, groupKey: 'blue' }));
    const green = await hold(network, capped({ maxConnections: 1, groupKey: 'green' }));
    expect(network.connector.stats).toMatchObject({ active: 2, waiting: 0 });
    blue.release();
    green.release();
    network.connector.close();
  });
});

test('HttpConnector: peers of somebody’s own making work', async () => {
  const network = memoryNetwork();
  const peer = { address: { host: 'own', port: 1 }, options: resolvePeerOptions({}), reuseKey: 'anything' };
  await exchange(network.connector, peer);
  expect(await exchange(network.connector, { ...peer })).toMatchObject({ reused: true });
  network.connector.close();
});
