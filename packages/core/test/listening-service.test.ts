import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CirqueError } from '@cirque/error';
import { LeakCheck, RawClient } from '@cirque/testing';
import type { Stream } from '@cirque/transport';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ListeningService, Server, type ServerApp, silentLogger } from '../src/index.ts';
import { RunningServer } from './running-server.ts';

let leaks: LeakCheck;
const closers: (() => Promise<void>)[] = [];

beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await leaks.assertClean();
});

async function serve(service: ListeningService, configuration = {}): Promise<RunningServer> {
  const running = await RunningServer.start([service], configuration);
  closers.push(() => running.stopFast());
  return running;
}

async function client(service: ListeningService, endpoint = 0): Promise<RawClient> {
  const address = service.endpoints[endpoint];
  if (address === undefined) throw new Error('no such endpoint');
  const raw = await RawClient.connect(address);
  closers.push(() => raw.close());
  return raw;
}

const echo: ServerApp = {
  processNew: ({ duplex }) => {
    duplex.pipe(duplex);
  },
};

/** Reads by callback, which is what HTTP does. */
const callbackEcho: ServerApp = {
  reads: 'callback',
  processNew: (stream) =>
    stream.start({
      onRead: (buffer, length) => void stream.writeSlice(buffer, 0, length, undefined),
      onReadEnd: () => stream.end(),
      onDrain: () => {},
      onClose: () => {},
    }),
};

describe('ListeningService', () => {
  test.each([
    ['duplex', echo],
    ['callback', callbackEcho],
  ])('ListeningService hands connections to an application that reads by %s', async (_how, app) => {
    const service = new ListeningService('echo', app).addTcp('127.0.0.1:0');
    await serve(service);
    const [one, two] = [await client(service), await client(service)];
    await one.send('one');
    await two.send('two');
    expect(await one.waitFor('one')).toBe('one');
    expect(await two.waitFor('two')).toBe('two');
    await vi.waitFor(() => expect(service.openConnections).toBe(2));
    one.end();
    expect(await one.waitForClose()).toBe('end');
    await vi.waitFor(() => expect(service.openConnections).toBe(1));
  });

  test('ListeningService listens on several TCP and unix endpoints', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-core-'));
    const path = join(folder, 'a.sock');
    const service = new ListeningService('echo', echo).addTcp('127.0.0.1:0').addTcp('localhost:0').addUds(path);
    expect(service.endpoints.map(({ text }) => text)).toEqual(['127.0.0.1:0', 'localhost:0', `unix:${path}`]);
    const running = await serve(service);
    const texts = service.endpoints.map(({ text }) => text);
    expect(texts[0]).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    expect(texts[1]).toMatch(/^(127\.0\.0\.1|\[::1\]):[1-9]\d*$/);
    expect(texts[2]).toBe(`unix:${path}`);
    for (const endpoint of [0, 1, 2]) {
      const raw = await client(service, endpoint);
      await raw.send('x');
      await raw.waitFor('x');
    }
    await running.stopFast();
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test('ListeningService with ipv6Only leaves the IPv4 port alone', async ({ skip }) => {
    const probe = createServer();
    const hasIpv6 = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(0, '::1', () => probe.close(() => resolve(true)));
    });
    skip(!hasIpv6, 'this machine has no IPv6');
    const service = new ListeningService('echo', echo).addTcp('[::]:0', {
      ipv6Only: true,
      keepAlive: { idleMs: 60_000 },
    });
    await serve(service);
    const { port } = service.endpoints[0] as { port: number };
    await expect(RawClient.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const raw = await RawClient.connect({ host: '::1', port });
    await raw.close();
  });

  test('ListeningService asks its filter with the address of the client', async () => {
    const seen: unknown[] = [];
    const folder = mkdtempSync(join(tmpdir(), 'cirque-core-'));
    const service = new ListeningService('echo', echo)
      .addTcp('127.0.0.1:0')
      .addUds(join(folder, 'a.sock'))
      .setConnectionFilter((address) => {
        seen.push(address);
        return address === undefined;
      });
    const running = await serve(service);
    const tcp = await client(service);
    expect(await tcp.waitForClose()).not.toBe('local');
    const unix = await client(service, 1);
    await unix.send('x');
    await unix.waitFor('x');
    expect(seen).toEqual([{ host: '127.0.0.1', port: tcp.socket.localPort }, undefined]);
    await running.stopFast();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['duplex', echo],
    ['callback', callbackEcho],
  ])('ListeningService loses no bytes while a filter decides later (%s)', async (_how, app) => {
    const verdict = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<void>();
    const service = new ListeningService('echo', app).addTcp('127.0.0.1:0').setConnectionFilter({
      shouldAccept: () => {
        asked.resolve();
        return verdict.promise;
      },
    });
    await serve(service);
    const raw = await client(service);
    await raw.send('early');
    await asked.promise;
    expect(service.openConnections).toBe(1);
    verdict.resolve(true);
    expect(await raw.waitFor('early')).toBe('early');
    await raw.send(' late');
    expect(await raw.waitFor(' late')).toBe(' late');
  });

  test.each([
    ['answers false later', () => Promise.resolve(false)],
    ['rejects', () => Promise.reject(new Error('filter broke'))],
    [
      'throws',
      () => {
        throw new Error('filter broke');
      },
    ],
  ])('ListeningService refuses a connection when the filter %s', async (_what, shouldAccept) => {
    const processNew = vi.fn();
    const service = new ListeningService('echo', { processNew })
      .addTcp('127.0.0.1:0')
      .setConnectionFilter(shouldAccept);
    const running = await serve(service);
    const raw = await client(service);
    await raw.waitForClose();
    expect(processNew).not.toHaveBeenCalled();
    await vi.waitFor(() => expect(service.openConnections).toBe(0));
    const broke = running.logged('warn', 'its filter failed').map(({ facts }) => String(facts.err));
    expect(broke.every((text) => text.includes('filter broke'))).toBe(true);
    expect(broke.length).toBe(_what === 'answers false later' ? 0 : 1);
  });

  test('ListeningService refuses more than maxConnections, and accepts again when one is gone', async () => {
    const service = new ListeningService('echo', echo, { maxConnections: 1 }).addTcp('127.0.0.1:0');
    const running = await serve(service);
    const first = await client(service);
    await first.send('a');
    await first.waitFor('a');
    const second = await client(service);
    await second.waitForClose();
    expect(running.logged('warn', 'as many as it may')).toHaveLength(1);
    await first.close();
    await vi.waitFor(() => expect(service.openConnections).toBe(0));
    const third = await client(service);
    await third.send('c');
    await third.waitFor('c');
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('app broke'))],
    [
      'throws',
      () => {
        throw new Error('app broke');
      },
    ],
  ])('ListeningService logs an application that %s, and goes on', async (_how, processNew) => {
    const service = new ListeningService('bad', { processNew }).addTcp('127.0.0.1:0');
    const running = await serve(service);
    for (const round of [1, 2]) {
      const raw = await client(service);
      await raw.waitForClose();
      await vi.waitFor(() =>
        expect(running.logged('error', 'the application failed on a connection')).toHaveLength(round),
      );
    }
    expect(running.lines.at(-1)?.facts).toMatchObject({ service: 'bad', client: '127.0.0.1' });
    expect(service.openConnections).toBe(0);
  });

  test('ListeningService does not shout about clients that go away', async () => {
    const error = CirqueError.downstream('ConnectionClosed', 'gone');
    const service = new ListeningService('quiet', { processNew: () => Promise.reject(error) }).addTcp('127.0.0.1:0');
    const running = await serve(service);
    const raw = await client(service);
    await raw.waitForClose();
    await vi.waitFor(() => expect(running.logged('debug', 'ended with an error')).toHaveLength(1));
    expect(running.logged('error', '')).toEqual([]);
  });

  test('ListeningService stops in order: listeners, connections told, cleanup, drained', async () => {
    const events: string[] = [];
    const service: ListeningService = new ListeningService('ordered', {
      setUp: ({ configuration }) => void events.push(`setUp ${configuration.maxRetries}`),
      processNew: (_stream, shutdown) => {
        shutdown.addEventListener('abort', () => events.push('signal'));
      },
      shutdownConnection: (stream) => {
        events.push('shutdownConnection');
        setTimeout(() => stream.destroy(), 20);
      },
      cleanup: () => void events.push(`cleanup with ${service.openConnections} open`),
    }).addTcp('127.0.0.1:0');
    const running = await serve(service, { maxRetries: 7 });
    const raw = await client(service);
    await vi.waitFor(() => expect(service.openConnections).toBe(1));
    await running.stopGracefully();
    expect(events).toEqual(['setUp 7', 'signal', 'shutdownConnection', 'cleanup with 1 open']);
    await raw.waitForClose();
    await expect(RawClient.connect(service.endpoints[0] as never)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('ListeningService survives a failing shutdownConnection and a failing cleanup', async () => {
    const service = new ListeningService('bad', {
      processNew: () => {},
      shutdownConnection: () => {
        throw new Error('one');
      },
      cleanup: () => Promise.reject(new Error('two')),
    }).addTcp('127.0.0.1:0');
    const running = await serve(service);
    const raw = await client(service);
    await vi.waitFor(() => expect(service.openConnections).toBe(1));
    await running.stopGracefully();
    expect(running.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'a connection could not be shut down',
      'cleanup of the application failed',
    ]);
    await raw.waitForClose();
  });

  test('ListeningService serves a connection whose filter decides after the stop, and ends it at once', async () => {
    const verdict = Promise.withResolvers<boolean>();
    const events: string[] = [];
    const service = new ListeningService('late', {
      processNew: () => void events.push('new'),
      shutdownConnection: (stream) => {
        events.push('shutdown');
        stream.destroy();
      },
    })
      .addTcp('127.0.0.1:0')
      .setConnectionFilter(() => verdict.promise);
    const running = await serve(service);
    const raw = await client(service);
    await vi.waitFor(() => expect(service.openConnections).toBe(1));
    const stopped = running.stopGracefully();
    await vi.waitFor(() => expect(running.phases.at(-1)).not.toBe('Running'));
    expect(events).toEqual([]);
    verdict.resolve(true);
    await stopped;
    await raw.waitForClose();
    expect(events).toEqual(['new', 'shutdown']);
  });

  test('ListeningService that cannot bind takes nothing else with it', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const cleanup = vi.fn();
    const service = new ListeningService('web', { ...echo, cleanup }).addTcp('127.0.0.1:0').addTcp(`127.0.0.1:${port}`);
    const failed = RunningServer.start([service]);
    await expect(failed).rejects.toMatchObject({
      type: 'BindError',
      context: `service web cannot listen on 127.0.0.1:${port} (EADDRINUSE): something listens there already; stop it or choose another address`,
    });
    expect(cleanup).toHaveBeenCalledTimes(1);
    taken.close();
  });

  test('ListeningService without endpoint cannot start', async () => {
    await expect(RunningServer.start([new ListeningService('empty', echo)])).rejects.toThrow(
      'service empty has no endpoint: call addTcp(), addUds() or addTls() before the server starts',
    );
  });

  test('ListeningService cannot start when setUp rejects', async () => {
    const app = { processNew: () => {}, setUp: () => Promise.reject(new Error('no database')) };
    const service = new ListeningService('web', app).addTcp('127.0.0.1:0');
    await expect(RunningServer.start([service])).rejects.toThrow('no database');
  });

  test('ListeningService is fixed once it runs', async () => {
    const service = new ListeningService('echo', echo).addTcp('127.0.0.1:0');
    await serve(service);
    expect(() => service.addTcp('127.0.0.1:0')).toThrow('addTcp() of service echo must come before the server starts');
    expect(() => service.addUds('/x')).toThrow('must come before');
    expect(() => service.setConnectionFilter(() => true)).toThrow('must come before');
  });

  test.each([
    ['', echo, {}, /a service needs a name/],
    ['x', {}, {}, /needs a processNew\(\) function/],
    ['x', undefined, {}, /needs a processNew\(\) function/],
    ['x', echo, { maxConnections: 0 }, /maxConnections must be a whole number above 0, got 0/],
  ])('ListeningService refuses name %j with %j and %j', (name, app, options, message) => {
    expect(() => new ListeningService(name, app as ServerApp, options)).toThrow(message);
  });

  test('ListeningService accepts a thousand connections and lets go of all', async () => {
    const streams = new Set<Stream>();
    const service = new ListeningService('many', {
      reads: 'callback',
      processNew: (stream) => void streams.add(stream),
    }).addTcp('127.0.0.1:0');
    const running = await serve(service);
    const clients: RawClient[] = [];
    for (let batch = 0; batch < 10; batch += 1) {
      clients.push(
        ...(await Promise.all(Array.from({ length: 100 }, () => RawClient.connect(service.endpoints[0] as never)))),
      );
    }
    await vi.waitFor(() => expect(service.openConnections).toBe(1_000));
    await running.stopFast();
    expect(service.openConnections).toBe(0);
    expect([...streams].every((stream) => stream.destroyed)).toBe(true);
    await Promise.all(clients.map((raw) => raw.close()));
  });
});

test('ListeningService: what was accepted before another endpoint failed may finish', async () => {
  const [free, taken] = [await listeningServer(), await listeningServer()];
  const port = portOf(free);
  await new Promise((resolve) => free.close(resolve));
  const answered = Promise.withResolvers<void>();
  const service = new ListeningService('half', {
    processNew: ({ duplex }) => void answered.promise.then(() => duplex.end('late answer')),
  });
  service.addTcp(`127.0.0.1:${port}`).addTcp(`127.0.0.1:${portOf(taken)}`);
  const server = new Server({ logger: silentLogger });
  server.addService(service);
  const run = server.run();
  run.catch(() => {});
  const client = await connectPatiently(port);
  const text = readAll(client);
  await expect.poll(() => service.openConnections).toBe(1);
  setTimeout(() => answered.resolve(), 1_500); // after the last attempt at the address that is taken
  expect(await text).toBe('late answer');
  await expect(run).rejects.toThrow('something listens there already');
  taken.close();
});

function listeningServer(): Promise<NetServer> {
  const server = createServer();
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

function portOf(server: NetServer): number {
  return (server.address() as AddressInfo).port;
}

async function connectPatiently(port: number): Promise<Socket> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const [outcome] = await Promise.race([once(socket, 'connect').then(() => ['open']), once(socket, 'close')]).catch(
      () => ['failed'],
    );
    if (outcome === 'open') return socket;
  }
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}
