import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { BoundDatagram, Logger, ServiceContext } from '@cirque/core';
import { afterEach, describe, expect, test } from 'vitest';
import type { LocalEnd } from '../src/udp/connected-socket.ts';
import { Flows } from '../src/udp/flows.ts';
import { resolveUdpHooks } from '../src/udp/udp-hooks.ts';
import { UdpListener } from '../src/udp/udp-listener.ts';
import { resolveUdpOptions } from '../src/udp-options.ts';
import { defineUdp, type UdpPhases } from '../src/udp-proxy.ts';
import { udpProxyService } from '../src/udp-service.ts';
import { DEADLINE_MS, Peer, until } from './udp-site.ts';

const LIMIT = { timeout: 2 * DEADLINE_MS };
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function peer(): Promise<Peer> {
  const made = await Peer.bind();
  cleanups.push(() => made.close());
  return made;
}

/** A socket that nobody may share the address of, as those of a service manager. */
async function unshared(): Promise<BoundDatagram> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { address: host, port } = socket.address();
  return { socket, address: { host, port }, close: () => void socket.close() };
}

/** A logger that keeps its warnings. */
function warnings(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const ignore = (): void => {};
  const warn = (facts: object | string, message?: string): void => void lines.push(message ?? String(facts));
  const logger: Logger = { debug: ignore, info: ignore, error: ignore, warn, child: () => logger };
  return { lines, logger };
}

describe('sessions that can have no sockets of their own', LIMIT, () => {
  test('go on without, the log says so once, and a stop lets them finish', async () => {
    const upstream = (await peer()).answering((bytes) => `echo ${bytes}`);
    const bound = await unshared();
    const { lines, logger } = warnings();
    const [graceful, fast, ready] = [new AbortController(), new AbortController(), Promise.withResolvers<void>()];
    const phases = defineUdp({ upstreamPeer: () => upstream.address });
    const service = udpProxyService({ clientBindToIpv4: [], clientBindToIpv6: [] }, phases, { idleTimeoutMs: 500 });
    service.addUdp('127.0.0.1:0');
    const context = {
      shutdown: graceful.signal,
      fast: fast.signal,
      logger,
      thread: { index: 0, count: 1, row: 0, rows: 1, shared: {} },
      sockets: { udp: () => Promise.resolve(bound) },
      ready: ready.resolve,
    } as unknown as ServiceContext;
    const stopped = service.start(context);
    cleanups.push(() => fast.abort());
    await ready.promise;
    const clients = await Promise.all([peer(), peer(), peer()]);
    for (const text of ['a', 'b', 'c']) {
      for (const client of clients) expect(await client.ask(text, bound.address)).toBe(`echo ${text}`);
    }
    expect(lines).toEqual([
      'clients get no sockets of their own: a restart of threads, or an upgrade, moves their sessions',
    ]);
    expect(service.stats()).toMatchObject({ sessions: { open: 3, ownSockets: 0, ownSocketsFailed: 1 } });
    graceful.abort();
    expect(await (clients[0] as Peer).ask('d', bound.address)).toBe('echo d');
    await stopped;
    expect(service.stats()).toMatchObject({ sessions: { open: 0, closed: { idle: 3, shutdown: 0 } } });
  });
});

describe('ports for upstream sockets', LIMIT, () => {
  /** All upstream sockets are bound to one port: there is room for a single session. */
  class OnePort<Ctx> extends Flows<Ctx> {
    port = 0;

    override sourceFor(): LocalEnd {
      return { host: '127.0.0.1', port: this.port, reusePort: false };
    }
  }

  async function onePort(phases: UdpPhases<undefined>): Promise<{ flows: OnePort<undefined>; at: BoundDatagram }> {
    const flows = new OnePort({
      service: 'udp',
      options: resolveUdpOptions({}),
      hooks: resolveUdpHooks(phases),
      plan: { maxSessions: 10, maxSockets: 10, ownSockets: false, ownSocketFrom: 2 },
      logger: warnings().logger,
    });
    const free = await Peer.bind();
    flows.port = free.address.port;
    free.close();
    const at = await unshared();
    const listener = new UdpListener(at, false, flows);
    cleanups.push(() => {
      listener.close();
      flows.finishAll('shutdown');
    });
    return { flows, at };
  }

  test('run out: the session that was idle the longest makes room', async () => {
    const upstream = (await peer()).answering((bytes) => `echo ${bytes}`);
    const asked: string[] = [];
    const upstreamPeer = ({ id }: { id: string }) => {
      asked.push(id);
      return upstream.address;
    };
    const { flows, at } = await onePort(defineUdp({ upstreamPeer }));
    const [first, second] = [await peer(), await peer()];
    expect(await first.ask('a', at.address)).toBe('echo a');
    expect(await second.ask('b', at.address)).toBe('echo b');
    expect(flows.stats()).toMatchObject({ sessions: { open: 1, opened: 2, retries: 0, closed: { evicted: 1 } } });
    expect(new Set(asked).size).toBe(2);
    expect(asked).toHaveLength(2); // the phase was not asked again for the second attempt
  });

  test('are taken by others: the session fails, once', async () => {
    const upstream = await peer();
    const ends: string[] = [];
    const logging = ({ reason }: { reason: string | undefined }, error: unknown): void =>
      void ends.push(`${reason} ${error}`);
    const { flows, at } = await onePort(defineUdp({ upstreamPeer: () => upstream.address, logging }));
    const stranger = await Peer.bind('127.0.0.1', flows.port);
    cleanups.push(() => stranger.close());
    (await peer()).send('a', at.address);
    await until('the end', () => ends.length);
    expect(ends).toHaveLength(1);
    expect(ends[0]).toContain('EADDRINUSE');
    expect(flows.size).toBe(0);
  });
});
