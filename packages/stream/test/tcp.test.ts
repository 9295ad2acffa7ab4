/**
 * TCP proxies between real sockets: what passes, how it ends, and what is left behind.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CirqueError } from '@cirque/error';
import { LeakCheck, RawClient, TestOrigin } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { defineStream, StreamPeer, type StreamPhases, type StreamSession } from '../src/index.ts';
import { RunningStream, type Site } from './running-stream.ts';

const until = { timeout: 15_000, interval: 5 };

let check: LeakCheck;
let opened: { close(): unknown }[];
beforeEach(() => {
  check = LeakCheck.start();
  opened = [];
});
afterEach(async () => {
  for (const one of opened.reverse()) await one.close();
  await check.assertClean(5_000);
});

function keep<T extends { close(): unknown }>(one: T): T {
  opened.push(one);
  return one;
}

/** What `logging` was told, one line per connection. */
type Lines = string[];

function noted(lines: Lines, phases: Omit<StreamPhases<undefined>, 'newCtx'>): StreamPhases<undefined> {
  return defineStream({
    ...phases,
    logging: ({ reason }, error) => {
      lines.push(`${reason} ${error?.type ?? 'ok'}`);
    },
  });
}

async function origin(...script: Parameters<typeof TestOrigin.listen>): Promise<TestOrigin> {
  return keep(await TestOrigin.listen(...script));
}

async function proxy<Ctx>(phases: StreamPhases<Ctx>, site?: Site): Promise<RunningStream<Ctx>> {
  return keep(await RunningStream.start(phases, site));
}

async function client(address: Parameters<typeof RawClient.connect>[0]): Promise<RawClient> {
  const one = await RawClient.connect(address);
  keep({ close: () => one.socket.destroy() });
  return one;
}

/** A proxy in front of one origin that says nothing by itself, and a client behind it. */
async function site(options: Site = {}): Promise<{
  lines: Lines;
  sessions: StreamSession[];
  upstream: TestOrigin;
  running: RunningStream<undefined>;
  one: RawClient;
}> {
  const lines: Lines = [];
  const upstream = await origin([]);
  const peer = new StreamPeer(upstream.address);
  const sessions: StreamSession[] = [];
  const upstreamPeer = (session: StreamSession): StreamPeer => {
    sessions.push(session);
    return peer;
  };
  const running = await proxy(noted(lines, { upstreamPeer }), options);
  return { lines, sessions, upstream, running, one: await client(running.address) };
}

/** Echoes everything, and ends when the client does. */
async function echo(): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return keep({
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

describe('a TCP proxy', () => {
  test('passes bytes both ways, and the server may speak first', async () => {
    const { upstream, one, lines } = await site();
    const at = await upstream.connection();
    await at.send('220 ready\r\n');
    await one.waitFor('220 ready\r\n');
    await one.send('HELO\r\n');
    await at.expect('HELO\r\n');
    one.socket.end();
    expect(await at.waitForClose()).toBe('end');
    await at.send('bye');
    at.end();
    await one.waitFor('bye');
    expect(await one.waitForClose()).toBe('end');
    await vi.waitFor(() => expect(lines).toEqual(['client ok']), until);
  });

  test('keeps the half-closed connection of an upstream that has ended', async () => {
    const { upstream, one, lines } = await site();
    const at = await upstream.connection();
    await at.send('all');
    at.end();
    await one.waitFor('all');
    expect(await one.waitForClose()).toBe('end');
    await one.send('and more');
    await at.expect('and more');
    one.socket.end();
    expect(await at.waitForClose()).toBe('end');
    await vi.waitFor(() => expect(lines).toEqual(['upstream ok']), until);
  });

  test('passes resets on, from either side', async () => {
    const { upstream, running, one, lines } = await site();
    const first = await upstream.connection();
    await one.send('x');
    await first.expect('x');
    one.socket.resetAndDestroy();
    expect(await first.waitForClose()).toBe('reset');

    const two = await client(running.address);
    const second = await upstream.connection(2);
    await two.send('x');
    await second.expect('x');
    second.reset();
    expect(await two.waitForClose()).toBe('reset');
    await vi.waitFor(() => expect(lines).toEqual(['client ReadError', 'upstream ReadError']), until);
  });

  test('is as exact with much data both ways as with little', async () => {
    const { port } = await echo();
    const running = await proxy(defineStream({ upstreamPeer: () => new StreamPeer(`127.0.0.1:${port}`) }));
    const bytes = randomBytes(16 * 1_048_576);
    const one = async (): Promise<string> => {
      const hash = createHash('sha256');
      const socket = connect({ ...running.address, allowHalfOpen: true });
      socket.on('data', (chunk) => hash.update(chunk));
      socket.end(bytes);
      await new Promise((resolve, reject) => socket.on('end', resolve).on('error', reject));
      return hash.digest('hex');
    };
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect(await Promise.all([one(), one(), one()])).toEqual([expected, expected, expected]);
    await vi.waitFor(() => expect(running.stats.active).toBe(0), until);
    const total = 3 * bytes.length;
    expect(running.stats).toMatchObject({
      bytesFromClient: total,
      bytesToUpstream: total,
      bytesFromUpstream: total,
      bytesToClient: total,
    });
  });

  test('holds little of what a slow reader does not take', async () => {
    const { upstream, one, running, sessions } = await site();
    one.socket.pause();
    const { socket } = await upstream.connection();
    const piece = Buffer.alloc(1_048_576);
    let given = 0;
    const feed = (): void => {
      while (given < 256) {
        given += 1;
        if (!socket.write(piece)) return void socket.once('drain', feed);
      }
    };
    feed();
    await vi.waitFor(() => expect(socket.writableLength).toBeGreaterThan(0), until);
    // No more moves: what was sent fills the buffers of the system.
    let before = -1;
    await vi.waitFor(
      () => {
        const now = socket.bytesWritten - socket.writableLength;
        const same = now === before;
        before = now;
        expect(same).toBe(true);
      },
      { timeout: 15_000, interval: 200 },
    );
    const { bytesFromUpstream = 0, bytesToClient = 0 } = sessions[0] ?? {};
    expect(bytesFromUpstream).toBeGreaterThan(100_000);
    expect(bytesFromUpstream - bytesToClient).toBeLessThanOrEqual(2 * 131_072);
    one.socket.resume();
    await vi.waitFor(() => expect(socket.writableLength).toBe(0), until);
    expect(running.stats.active).toBe(1);
  });

  test('tries another backend when one is down', async () => {
    const dead = await origin([]);
    const { port } = dead;
    await dead.stopListening();
    const alive = await origin([]);
    const lines: Lines = [];
    const running = await proxy(
      noted(lines, {
        upstreamPeer: ({ attempts }) => new StreamPeer(`127.0.0.1:${attempts === 1 ? port : alive.port}`),
        failToConnect: (_session, _peer, _ctx, error) => error.setRetry(true),
      }),
    );
    const one = await client(running.address);
    await one.send('hello');
    await (await alive.connection()).expect('hello');
    expect(running.stats).toMatchObject({
      retries: 1,
      connectFailures: 1,
      upstreams: {
        [`127.0.0.1:${port}`]: { connectFailures: 1, connects: 0 },
        [`127.0.0.1:${alive.port}`]: { connections: 1, connects: 1 },
      },
    });
  });

  test('closes the client when nobody answers, and says why once', async () => {
    const dead = await origin([]);
    const { port } = dead;
    await dead.stopListening();
    const lines: Lines = [];
    const running = await proxy(noted(lines, { upstreamPeer: () => new StreamPeer(`127.0.0.1:${port}`) }));
    const one = await client(running.address);
    expect(await one.waitForClose()).toBe('end');
    await vi.waitFor(() => expect(lines).toEqual(['connect ConnectRefused']), until);
    expect(running.logs.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({
        message: 'connection failed',
        facts: expect.objectContaining({ reason: 'connect', attempts: 1 }),
      }),
    ]);
  });

  test('gives up at connectionTimeoutMs', async () => {
    const lines: Lines = [];
    // Never answers, as its backlog is full of nobody: a peer that makes its connections itself, and does not.
    const peer = new StreamPeer('127.0.0.1:9', {
      connectionTimeoutMs: 50,
      customConnect: () => new Promise(() => {}),
    });
    const running = await proxy(noted(lines, { upstreamPeer: () => peer }));
    const one = await client(running.address);
    expect(await one.waitForClose()).toBe('end');
    await vi.waitFor(() => expect(lines).toEqual(['connect ConnectTimedout']), until);
  });

  test('connectionFilter decides before anything else happens', async () => {
    const { upstream } = await site();
    const asked: (string | undefined)[] = [];
    const running = await proxy(
      defineStream({
        connectionFilter: async (address) => {
          asked.push(address?.host);
          return asked.length > 1;
        },
        upstreamPeer: () => new StreamPeer(upstream.address),
      }),
    );
    expect(await (await client(running.address)).waitForClose()).toBe('end');
    const second = await client(running.address);
    await second.send('in');
    await (await upstream.connection(2)).expect('in');
    expect([asked, running.stats.sessions]).toEqual([['127.0.0.1', '127.0.0.1'], 1]);
  });

  test('maxConnections turns clients away', async () => {
    const { one, running } = await site({ options: { maxConnections: 1 } });
    await vi.waitFor(() => expect(running.stats.active).toBe(1), until);
    expect(await (await client(running.address)).waitForClose()).toBe('end');
    expect(one.closeKind).toBeUndefined();
  });

  test('goes from unix socket to unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-unix-'));
    keep({ close: () => rmSync(folder, { recursive: true, force: true }) });
    const upstream = await origin([], { path: join(folder, 'origin') });
    const path = join(folder, 'proxy');
    const lines: Lines = [];
    const seen: unknown[] = [];
    const peer = new StreamPeer(`unix:${join(folder, 'origin')}`);
    await proxy(
      noted(lines, {
        upstreamPeer: (session) => {
          seen.push(session.clientAddress);
          return peer;
        },
      }),
      { path },
    );
    const one = await client({ path });
    await one.send('over a file');
    const at = await upstream.connection();
    await at.expect('over a file');
    at.close();
    expect(await one.waitForClose()).toBe('end');
    one.socket.end();
    await vi.waitFor(() => expect(lines).toEqual(['upstream ok']), until);
    expect(seen).toEqual([undefined]);
  });

  test('the answer of an upstream that closes before it has everything reaches the client', async () => {
    const upstream = await origin(async (connection) => {
      await connection.expect('begin');
      await connection.send('413 too large\n');
      // With unread data: a reset follows what was sent.
      connection.socket.pause();
      setImmediate(() => connection.close());
    });
    const lines: Lines = [];
    const peer = new StreamPeer(upstream.address);
    const running = await proxy(noted(lines, { upstreamPeer: () => peer }));
    const one = await client(running.address);
    one.socket.on('error', () => {});
    one.socket.write('begin');
    for (let piece = 0; piece < 64; piece += 1) one.socket.write(Buffer.alloc(65_536));
    await one.waitFor('413 too large\n', 10_000);
    one.socket.destroy();
    await vi.waitFor(() => expect(lines).toHaveLength(1), until);
  });

  test('leaves nothing behind after 10,000 connections', async () => {
    const { port } = await echo();
    const peer = new StreamPeer(`127.0.0.1:${port}`);
    const running = await proxy(defineStream({ upstreamPeer: () => peer }));
    const visit = (kind: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = connect(running.address);
        socket.on('close', () => resolve()).on('error', reject);
        socket.on('data', () => {
          if (kind === 0) socket.end();
          else if (kind === 1) socket.destroy();
          else socket.resetAndDestroy();
        });
        socket.write('hello');
      });
    const visits = async (count: number): Promise<void> => {
      for (let done = 0; done < count; done += 1) await visit(done % 3);
    };
    await Promise.all(Array.from({ length: 20 }, () => visits(500)));
    await vi.waitFor(() => expect(running.stats.active).toBe(0), until);
    expect(running.stats).toMatchObject({ sessions: 10_000, upstreams: { [`127.0.0.1:${port}`]: { connections: 0 } } });
    expect(running.service.openConnections).toBe(0);
    // Handles are counted after each test.
  }, 120_000);
});

describe('stopping', () => {
  test('connections go on until the time of tunnels is over, then both sides see a reset', async () => {
    const { lines, upstream, running, one } = await site({
      configuration: { tunnelGracePeriodSeconds: 1, gracePeriodSeconds: 60 },
    });
    const at = await upstream.connection();
    const stopped = running.stop();
    await one.send('still');
    await at.expect('still');
    expect(await one.waitForClose(10_000)).toBe('reset');
    expect(await at.waitForClose()).toBe('reset');
    await stopped;
    expect(lines).toEqual(['shutdown ConnectionClosed']);
  });

  test('ends as soon as the last connection does', async () => {
    const { lines, upstream, running, one } = await site();
    await upstream.connection();
    const stopped = running.stop();
    one.socket.end();
    const at = await upstream.connection();
    await at.waitForClose();
    at.end();
    await stopped;
    expect(lines).toEqual(['client ok']);
  });

  test('at once cuts what is open', async () => {
    const { lines, upstream, running, one } = await site();
    const at = await upstream.connection();
    await running.close();
    await one.waitForClose();
    expect(await at.waitForClose()).toBe('reset');
    expect(lines).toEqual(['shutdown ok']);
  });
});

describe('the access log', () => {
  const members = (line: Record<string, unknown>): string[] => Object.keys(line).sort();

  test('has one line per connection, in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-log-'));
    keep({ close: () => rmSync(folder, { recursive: true, force: true }) });
    const path = join(folder, 'stream.log');
    const { upstream, running, one } = await site({ options: { accessLog: path } });
    const from = `127.0.0.1:${one.socket.localPort}`;
    const at = await upstream.connection();
    await one.send('12345');
    await at.expect('12345');
    await at.send('123');
    await one.waitFor('123');
    one.socket.end();
    at.end();
    await vi.waitFor(() => expect(running.stats.active).toBe(0), until);
    await running.close();
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1);
    const line = JSON.parse(lines[0] as string) as Record<string, unknown>;
    expect(line).toMatchObject({
      client: from,
      local: `127.0.0.1:${running.address.port}`,
      upstream: `127.0.0.1:${upstream.port}`,
      attempts: 1,
      bytesFromClient: 5,
      bytesToUpstream: 5,
      bytesFromUpstream: 3,
      bytesToClient: 3,
      reason: 'client',
    });
    expect(members(line)).toEqual(
      [
        ...[
          'time',
          'id',
          'client',
          'local',
          'upstream',
          'attempts',
          'reason',
          'connectMs',
          'firstByteMs',
          'durationMs',
        ],
        ...['bytesFromClient', 'bytesToClient', 'bytesFromUpstream', 'bytesToUpstream'],
      ].sort(),
    );
  });

  test('goes to the logger with true, as the configuration says, and follows it', async () => {
    const failing: StreamPhases<undefined> = defineStream({
      upstreamPeer: () => {
        throw CirqueError.upstream('ConnectNoRoute', 'no backend in rotation');
      },
    });
    const running = await proxy(failing, { configuration: { accessLog: true } });
    await (await client(running.address)).waitForClose();
    const lines = (): unknown[] =>
      running.logs.filter(({ message }) => message === 'connection').map(({ facts }) => facts);
    await vi.waitFor(() => expect(lines()).toHaveLength(1), until);
    expect(lines()[0]).toMatchObject({
      reason: 'connect',
      error: expect.stringContaining('no backend in rotation'),
      attempts: 1,
    });
  });
});

describe('sessions', () => {
  test('know both ends', async () => {
    const upstream = await origin([]);
    const sessions: StreamSession[] = [];
    const running = await proxy(
      defineStream({
        upstreamPeer: () => new StreamPeer(upstream.address),
        connectedToUpstream: (session) => {
          sessions.push(session);
        },
      }),
    );
    const one = await client(running.address);
    await upstream.connection();
    await vi.waitFor(() => expect(sessions).toHaveLength(1), until);
    const [session] = sessions;
    expect(session).toMatchObject({
      clientAddress: { host: '127.0.0.1', port: one.socket.localPort },
      localAddress: { host: '127.0.0.1', port: running.address.port },
      upstream: { address: upstream.address },
      attempts: 1,
      serverName: undefined,
      proxyHeader: undefined,
      reason: undefined,
    });
    expect(session?.upstream?.digest.socket.remotePort).toBe(upstream.port);
    expect(session?.id).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/);
    expect(Math.abs(Date.now() - (session?.startedAt ?? 0))).toBeLessThan(60_000);
    expect(session?.connectMs).toBeLessThan(60_000);
  });
});
