/**
 * The connector over real sockets: what only the kernel can show.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeaderMap, RequestHeader } from '@cirque/http';
import { LeakCheck, type OriginScript, TestOrigin, type TestOriginOptions } from '@cirque/testing';
import { Lease } from '@cirque/transport';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ClientSession, HttpConnectorOptions } from '../src/index.ts';
import { HttpConnector, HttpPeer } from '../src/index.ts';
import { closeAll, closeLater } from './closing.ts';
import { startClosingOrigin } from './closing-origin.ts';
import { exchange, exchangeOn } from './exchange.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start({ ignore: ['MessagePort'] });
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const ANSWERING: OriginScript = [{ repeat: [{ expect: '\r\n\r\n' }, { send: OK }] }];

async function openOrigin(
  scripts: OriginScript | readonly OriginScript[] = ANSWERING,
  options: TestOriginOptions = {},
): Promise<TestOrigin> {
  const origin = await TestOrigin.listen(scripts, options);
  closeLater(() => origin.close());
  return origin;
}

function openConnector(options: HttpConnectorOptions = {}): HttpConnector {
  const connector = new HttpConnector(options);
  closeLater(() => connector.close());
  return connector;
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('the condition was not met within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('HttpConnector: 100 requests use one connection', async () => {
  const origin = await openOrigin();
  const connector = openConnector();
  const peer = new HttpPeer(origin.address);
  for (let i = 0; i < 100; i += 1) {
    expect(await exchange(connector, peer)).toEqual({ status: 200, body: 'ok', reused: i > 0 });
  }
  expect(origin.connections).toHaveLength(1);
  expect(connector.stats).toMatchObject({ connects: 1, reused: 99, misses: 1, idle: 1, active: 0 });
});

test('HttpConnector: works over a unix socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cirque-'));
  closeLater(() => rmSync(folder, { recursive: true }));
  const origin = await openOrigin(ANSWERING, { path: join(folder, 'origin') });
  const connector = openConnector();
  for (const reused of [false, true]) {
    expect(await exchange(connector, new HttpPeer(origin.address))).toEqual({ status: 200, body: 'ok', reused });
  }
});

test('HttpConnector: works through a tunnel, and reuses it', async () => {
  const proxy = await openOrigin([
    { expect: '\r\n\r\n' },
    { send: 'HTTP/1.1 200 OK\r\n\r\n' },
    { repeat: [{ expect: 'GET / HTTP/1.1\r\nHost: origin\r\n\r\n' }, { send: OK }] },
  ]);
  const connector = openConnector();
  const peer = new HttpPeer('inner:80', { proxy: { nextHop: proxy.address } });
  for (const reused of [false, true]) expect(await exchange(connector, peer)).toMatchObject({ status: 200, reused });
  expect(proxy.connections).toHaveLength(1);
});

test('HttpConnector: an idle connection that the upstream closes leaves the pool', async () => {
  const origin = await openOrigin();
  const connector = openConnector();
  const peer = new HttpPeer(origin.address);
  for (const how of ['end', 'reset'] as const) {
    await exchange(connector, peer);
    expect(connector.stats.idle).toBe(1);
    origin.connections.at(-1)?.[how]();
    await until(() => connector.stats.idle === 0);
  }
  expect(await exchange(connector, peer)).toMatchObject({ reused: false });
});

test('HttpConnector: an unasked response while idle never answers the next request', async () => {
  const origin = await openOrigin();
  const connector = openConnector();
  const peer = new HttpPeer(origin.address);
  await exchange(connector, peer);
  await origin.connections[0]?.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
  await until(() => connector.stats.idle === 0);
  expect(await exchange(connector, peer)).toEqual({ status: 200, body: 'ok', reused: false });
});

test('HttpConnector: a small request is one write, a head with a small body as well', async () => {
  const origin = await openOrigin();
  const connector = openConnector();
  const session = await connector.getSession(new HttpPeer(origin.address));
  const socket = socketOf(session);
  let writes = 0;
  const write = socket._writeGeneric.bind(socket);
  socket._writeGeneric = (...values) => {
    writes += 1;
    return write(...values);
  };
  await exchangeOn(session);
  expect(writes).toBe(1);
  const again = await connector.getSession(new HttpPeer(origin.address));
  await exchangeOn(again, { method: 'POST', body: 'x'.repeat(1_000) });
  expect(writes).toBe(2);
});

/** The socket under a session, with the method that Node calls once per write to the system. */
function socketOf(session: ClientSession): Socket & { _writeGeneric(...values: unknown[]): unknown } {
  let found: unknown;
  const destroy = session.digest;
  for (const socket of (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles()) {
    if ((socket as Socket).localPort === destroy.socket.localPort) found = socket;
  }
  return found as Socket & { _writeGeneric(...values: unknown[]): unknown };
}

test.each([
  ['chunked', 'Transfer-Encoding: chunked\r\n'],
  ['with a length', 'Content-Length: 8000000\r\n'],
  ['until close', ''],
])('HttpConnector: 8 MB %s with pauses arrive whole, and leased buffers may be kept', async (_, field) => {
  const body = Buffer.from(Array.from({ length: 80_000 }, (__, i) => i % 253));
  const sent = createHash('sha256');
  const origin = await openOrigin(async (connection) => {
    await connection.expect('\r\n\r\n');
    await connection.send(`HTTP/1.1 200 OK\r\n${field}\r\n`);
    for (let i = 0; i < 100; i += 1) {
      sent.update(body);
      if (field.startsWith('T')) await connection.send(`${body.length.toString(16)}\r\n`);
      await connection.send(body);
      if (field.startsWith('T')) await connection.send('\r\n');
    }
    if (field.startsWith('T')) await connection.send('0\r\n\r\n');
    if (field === '') connection.end();
  });
  const connector = openConnector();
  const session = await connector.getSession(new HttpPeer(origin.address));
  const received = createHash('sha256');
  let reports = 0;
  let paused = false;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  session.handler = {
    onResponseHead() {},
    onResponseBody(buffer, start, end, lease) {
      expect(paused).toBe(false);
      // A lease that is held must not be read into: look at the bytes a little later.
      lease?.retain();
      const slice = lease === undefined ? Buffer.from(buffer.subarray(start, end)) : buffer.subarray(start, end);
      const use = (): void => {
        received.update(slice);
        lease?.release();
      };
      reports += 1;
      if (reports % 7 !== 0) {
        use();
        return;
      }
      session.pause();
      paused = true;
      setImmediate(() => {
        use();
        paused = false;
        session.resume();
      });
    },
    onResponseEnd: () => {
      session.release();
      resolve();
    },
    onUpstreamFlush() {},
    onUpstreamDrain() {},
    onUpstreamError: reject,
  };
  session.writeHead(new RequestHeader('GET', '/', HeaderMap.from({ Host: 'origin' })), 0);
  await promise;
  expect(received.digest('hex')).toBe(sent.digest('hex'));
  expect(session.bodyBytesReceived).toBe(8_000_000);
  expect(connector.stats).toMatchObject({ active: 0, idle: field === '' ? 0 : 1 });
});

test('HttpConnector: every leased buffer comes back, whatever becomes of the exchange', async () => {
  const head = { send: 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n' };
  const origin = await openOrigin([{ repeat: [{ expect: '\r\n\r\n' }, head, { send: Buffer.alloc(1_000_000) }] }]);
  const taken = new Set<Lease>();
  const take = vi.spyOn(Lease, 'take').mockImplementation(() => {
    const lease = original();
    taken.add(lease);
    return lease;
  });
  const connector = openConnector();
  const peer = new HttpPeer(origin.address);
  for (let i = 0; i < 20; i += 1) {
    const session = await connector.getSession(peer);
    const answer = exchangeOn(session);
    if (i % 4 < 3) {
      expect((await answer).body).toHaveLength(1_000_000);
      continue;
    }
    await until(() => session.bodyBytesReceived > 100_000);
    answer.catch(() => undefined);
    session.abort();
  }
  connector.close();
  await until(() => origin.connections.every(({ closeKind }) => closeKind !== undefined));
  take.mockRestore();
  expect(taken.size).toBeGreaterThan(0);
  expect(taken.size).toBeLessThan(10);
  // What came back last is taken first: so many are all of them.
  const free = Array.from(taken, () => Lease.take());
  expect(new Set(free)).toEqual(taken);
  for (const lease of free) lease.release();
});

const original = Lease.take.bind(Lease);

test('HttpConnector: 8 MB go up chunked, with back-pressure from a slow origin', async () => {
  const hash = createHash('sha256');
  let size = 0;
  const origin = await openOrigin(async (connection) => {
    await connection.expect('\r\n\r\n');
    connection.socket.pause();
    await connection.delay(50);
    connection.socket.resume();
    await connection.expect('\r\n0\r\n\r\n', 20_000);
    await connection.send(OK);
  });
  const connector = openConnector();
  const session = await connector.getSession(new HttpPeer(origin.address));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const piece = Buffer.alloc(100_000, 'u');
  let held = 0;
  const write = (): void => {
    while (size < 8_000_000) {
      hash.update(piece);
      size += piece.length;
      if (!session.writeBody(piece, 0, piece.length)) {
        held += 1;
        return;
      }
    }
    session.end();
  };
  session.handler = {
    onResponseHead() {},
    onResponseBody() {},
    onResponseEnd: () => resolve(),
    onUpstreamFlush() {},
    onUpstreamDrain: write,
    onUpstreamError: reject,
  };
  session.writeHead(new RequestHeader('POST', '/', HeaderMap.from({ Host: 'origin' })), undefined);
  write();
  await promise;
  session.release();
  expect(held).toBeGreaterThan(0);
  expect(session.bodyBytesSent).toBe(8_000_000);
  const received = origin.connections[0]?.received as Buffer;
  expect(received.includes('u'.repeat(60_000))).toBe(true);
  expect(received.length).toBeGreaterThan(8_000_000);
  expect(connector.stats.idle).toBe(1);
});

test('HttpConnector: an early response to an upload is delivered, and the connection not used again', async () => {
  const origin = await openOrigin([
    { expect: '\r\n\r\n' },
    { send: 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig' },
  ]);
  const connector = openConnector();
  const session = await connector.getSession(new HttpPeer(origin.address));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let status = 0;
  session.handler = {
    onResponseHead: (header) => {
      status = header.status;
    },
    onResponseBody() {},
    onResponseEnd: () => resolve(status),
    onUpstreamFlush() {},
    onUpstreamDrain() {},
    onUpstreamError: reject,
  };
  session.writeHead(new RequestHeader('POST', '/', HeaderMap.from({ Host: 'origin' })), 1_000_000);
  session.writeBody(Buffer.alloc(10_000), 0, 10_000);
  session.flush();
  expect(await promise).toBe(413);
  session.release();
  expect(connector.stats).toMatchObject({ idle: 0, active: 0 });
});

/** Keeps this thread busy, so that what the kernel has received is not looked at. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('HttpConnector: taken carefully, a connection whose FIN has arrived unseen is not used', async () => {
  const origin = await startClosingOrigin(5);
  closeLater(() => origin.close());
  const connector = openConnector();
  const peer = new HttpPeer(origin.address);
  for (const careful of [false, true, false, true]) {
    await exchange(connector, peer);
    block(40);
    const session = await connector.getSession(peer, { careful });
    expect(session.reused).toBe(!careful);
    // Without care the race is lost, and the failure says that the request may be tried again.
    if (careful) expect(await exchangeOn(session)).toMatchObject({ status: 200 });
    else await expect(exchangeOn(session)).rejects.toMatchObject({ source: 'Upstream', retry: 'ReusedOnly' });
    await until(() => connector.stats.idle === 0);
  }
});

test('HttpConnector: taken carefully, a healthy connection is used all the same', async () => {
  const origin = await openOrigin();
  const connector = openConnector();
  const peer = new HttpPeer(origin.address);
  await exchange(connector, peer);
  expect(await exchange(connector, peer, { careful: true })).toMatchObject({ reused: true });
  expect(origin.connections).toHaveLength(1);
});
