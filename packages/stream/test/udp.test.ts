import { createSocket, type RemoteInfo } from 'node:dgram';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { silentLogger } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClientSocket } from '../src/udp/client-socket.ts';
import { Flows } from '../src/udp/flows.ts';
import { UDP_CHANNELS } from '../src/udp/udp-events.ts';
import { resolveUdpHooks } from '../src/udp/udp-hooks.ts';
import { UdpListener } from '../src/udp/udp-listener.ts';
import { resolveUdpOptions } from '../src/udp-options.ts';
import { defineUdp, type UdpPhases } from '../src/udp-proxy.ts';
import { udpProxyService } from '../src/udp-service.ts';
import type { UdpSession } from '../src/udp-session.ts';
import { DEADLINE_MS, Peer, RunningUdp, until } from './udp-site.ts';

const LIMIT = { timeout: 2 * DEADLINE_MS };
const cleanups: (() => unknown)[] = [];
let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start({ ignore: ['Timeout', 'Immediate', 'TickObject'] });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await leaks.assertClean(DEADLINE_MS);
});

async function peer(host?: string): Promise<Peer> {
  const made = await Peer.bind(host);
  cleanups.push(() => made.close());
  return made;
}

async function echo(host?: string): Promise<Peer> {
  return (await peer(host)).answering((bytes) => `echo ${bytes}`);
}

async function running<Ctx>(...args: Parameters<typeof RunningUdp.start<Ctx>>): Promise<RunningUdp<Ctx>> {
  const started = await RunningUdp.start<Ctx>(...args);
  cleanups.push(() => started.stopFast());
  return started;
}

/** An address where nobody receives. */
async function deadAddress(): Promise<{ host: string; port: number }> {
  const made = await Peer.bind();
  made.close();
  return made.address;
}

/** Ended sessions, as `logging` sees them. */
function logged(): { ends: string[]; phases: Pick<UdpPhases<undefined>, 'logging'> } {
  const ends: string[] = [];
  const logging = ({ reason }: UdpSession, error: CirqueError | undefined): void => {
    ends.push(error === undefined ? String(reason) : `${reason} ${error.source} ${error.type}`);
  };
  return { ends, phases: { logging } };
}

describe('datagrams', LIMIT, () => {
  test.each([
    ['127.0.0.1:0', '127.0.0.1', '127.0.0.1'],
    ['[::1]:0', '::1', '::1'],
    ['[::1]:0', '::1', '127.0.0.1'],
    ['0.0.0.0:0', '127.0.0.1', '127.0.0.1'],
    ['[::]:0', '127.0.0.1', '::1'],
    ['[::]:0', '::1', '127.0.0.1'],
  ])('on %s, of clients at %s, for upstreams at %s, go both ways', async (address, at, upstreamAt) => {
    const upstream = await echo(upstreamAt);
    const clients: string[] = [];
    const sessionFilter = ({ host }: { host: string }): boolean => clients.push(host) > 0;
    const proxy = await running(defineUdp({ sessionFilter, upstreamPeer: () => upstream.address }), {}, [address]);
    const client = await peer(at);
    const to = { host: at, port: proxy.address.port };
    for (const text of ['a', 'b', '', 'c']) expect(await client.ask(text, to)).toBe(`echo ${text}`);
    expect(clients).toEqual([at]);
    expect([proxy.count('sessions.opened'), proxy.count('sessions.ownSockets')]).toEqual([1, 1]);
    expect(client.received.map(({ from }) => from.port)).toEqual(Array(4).fill(to.port));
    expect(new Set(upstream.received.map(({ from }) => from.port)).size).toBe(1);
  });

  test.each([0, 1, 1_472, 65_507])('of %d bytes pass whole', async (size) => {
    const upstream = (await peer()).answering((bytes) => bytes);
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }));
    const client = await peer();
    const bytes = Buffer.alloc(size, 'x');
    for (let turn = 0; turn < 2; turn += 1) {
      client.send(bytes, proxy.address);
      expect((await client.next()).equals(bytes)).toBe(true);
    }
    expect(proxy.service.stats()).toMatchObject({
      datagrams: { fromClient: 2, toUpstream: 2, fromUpstream: 2, toClient: 2 },
      bytes: { fromClient: 2 * size, toUpstream: 2 * size, fromUpstream: 2 * size, toClient: 2 * size, queued: 0 },
    });
  });

  test('of an upstream that speaks without being asked reach the client', async () => {
    const upstream = await peer();
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }));
    const client = await peer();
    client.send('subscribe', proxy.address);
    await upstream.next();
    const { from } = upstream.received[0] as { from: RemoteInfo };
    for (const text of ['1', '2', '3']) {
      upstream.send(text, { host: from.address, port: from.port });
      expect((await client.next()).toString()).toBe(text);
    }
  });

  test('of strangers to the socket of a session are not taken for the upstream', async () => {
    const upstream = await echo();
    const stranger = await peer();
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }));
    const client = await peer();
    await client.ask('a', proxy.address);
    const { from } = upstream.received[0] as { from: RemoteInfo };
    stranger.send('forged', { host: from.address, port: from.port });
    expect(await client.ask('b', proxy.address)).toBe('echo b');
    expect(client.texts).toEqual(['echo a', 'echo b']);
  });

  test('of 1,000 clients at once come to the right ones', async () => {
    const upstream = (await peer()).answering((bytes, from) => `${bytes}/${from.port}`);
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }));
    const clients = await Promise.all(Array.from({ length: 1_000 }, () => peer()));
    for (let round = 0; round < 3; round += 1) {
      // In portions: a receive buffer of the system may have room for a few hundred datagrams only.
      for (let at = 0; at < clients.length; at += 100) {
        const some = clients.slice(at, at + 100);
        await Promise.all(some.map((client, index) => client.ask(`${at + index}:${round}`, proxy.address)));
      }
    }
    const ports = new Set<string>();
    for (const [index, client] of clients.entries()) {
      const parts = client.texts.map((text) => text.split('/'));
      expect(parts.map(([text]) => text)).toEqual([`${index}:0`, `${index}:1`, `${index}:2`]);
      expect(new Set(parts.map(([, port]) => port)).size).toBe(1);
      ports.add(parts[0]?.[1] ?? '');
    }
    expect(ports.size).toBe(1_000);
    expect(proxy.count('sessions.open')).toBe(1_000);
    expect(proxy.count('sessions.ownSockets')).toBe(1_000);
  });
});

describe('phases', LIMIT, () => {
  test('come in their order, with the facts of the session', async () => {
    const upstream = await echo();
    const calls: string[] = [];
    let seen: UdpSession | undefined;
    const phases = defineUdp<{ n: number }>({
      sessionFilter: ({ host }) => calls.push(`sessionFilter ${host}`) > 0,
      newCtx: () => {
        calls.push('newCtx');
        return { n: 0 };
      },
      datagramFromClient: (_, bytes, ctx) => {
        ctx.n += 1;
        calls.push(`datagramFromClient ${bytes}`);
      },
      upstreamPeer: (session) => {
        calls.push(`upstreamPeer ${session.attempts}`);
        return upstream.address;
      },
      datagramFromUpstream: (_, bytes) => void calls.push(`datagramFromUpstream ${bytes}`),
      logging: (session, error, { n }) => {
        calls.push(`logging ${error} ${n} ${session.reason}`);
        seen = session;
      },
    });
    const proxy = await running(phases, { responses: 1 });
    const client = await peer();
    expect(await client.ask('abc', proxy.address)).toBe('echo abc');
    await until('the end', () => seen);
    expect(calls).toEqual([
      'sessionFilter 127.0.0.1',
      'newCtx',
      'datagramFromClient abc',
      'upstreamPeer 1',
      'datagramFromUpstream echo abc',
      'logging undefined 1 answered',
    ]);
    expect(seen).toMatchObject({
      clientAddress: client.address,
      localAddress: { host: '127.0.0.1', port: proxy.address.port },
      upstream: upstream.address,
      attempts: 1,
      datagramsFromClient: 1,
      bytesFromClient: 3,
      datagramsToUpstream: 1,
      bytesToUpstream: 3,
      datagramsFromUpstream: 1,
      bytesFromUpstream: 8,
      datagramsToClient: 1,
      bytesToClient: 8,
      reason: 'answered',
    });
    expect(seen?.durationMs).toBeGreaterThan(0);
    expect(seen?.firstAnswerMs).toBeLessThanOrEqual(seen?.durationMs ?? 0);
    expect(Math.abs((seen?.startedAt ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  test('that take their time hold datagrams, which go on in order', async () => {
    const upstream = await peer();
    const filter = Promise.withResolvers<boolean>();
    const choice = Promise.withResolvers<void>();
    const phases = defineUdp({
      sessionFilter: () => filter.promise,
      upstreamPeer: async () => {
        await choice.promise;
        return upstream.address;
      },
    });
    const proxy = await running(phases);
    const client = await peer();
    const sendAndWait = async (texts: readonly string[], total: number): Promise<void> => {
      for (const text of texts) client.send(text, proxy.address);
      await until('the datagrams', () => proxy.count('datagrams.fromClient') === total);
    };
    await sendAndWait(['1', '2'], 2);
    expect(proxy.count('sessions.opened')).toBe(0);
    filter.resolve(true);
    await until('the session', () => proxy.count('sessions.opened') === 1);
    await sendAndWait(['3', '4'], 4);
    expect(proxy.count('bytes.queued')).toBeGreaterThan(0);
    choice.resolve();
    for (const text of ['1', '2', '3', '4']) expect((await upstream.next()).toString()).toBe(text);
    expect(proxy.count('bytes.queued')).toBe(0);
  });

  test.each([
    ['false', () => false],
    ['an error', () => Promise.reject(new Error('no'))],
    [
      'a thrown error',
      (): boolean => {
        throw new Error('no');
      },
    ],
    ['false later', async () => false],
  ])(
    'sessionFilter answers %s: the datagram is dropped, nothing is logged, and it is asked again',
    async (_, answer) => {
      const upstream = await echo();
      let asked = 0;
      const { ends, phases } = logged();
      const sessionFilter = (): boolean | Promise<boolean> => {
        asked += 1;
        return asked < 3 ? answer() : true;
      };
      const proxy = await running(defineUdp({ ...phases, sessionFilter, upstreamPeer: () => upstream.address }));
      const client = await peer();
      for (const turn of [1, 2]) {
        client.send(`${turn}`, proxy.address);
        await until('the refusal', () => proxy.count('sessions.refused') === turn);
      }
      expect(proxy.count('datagrams.dropped.refused')).toBe(2);
      expect(await client.ask('3', proxy.address)).toBe('echo 3');
      expect([ends, upstream.texts, proxy.count('sessions.opened')]).toEqual([[], ['3'], 1]);
    },
  );

  test('datagram filters drop and replace', async () => {
    const upstream = await echo();
    const phases = defineUdp({
      upstreamPeer: () => upstream.address,
      datagramFromClient: (_, bytes) => (bytes.toString() === 'bad' ? false : Buffer.from(`<${bytes}>`)),
      datagramFromUpstream: (_, bytes) => (bytes.includes('secret') ? false : Buffer.from(`[${bytes}]`)),
    });
    const proxy = await running(phases);
    const client = await peer();
    expect(await client.ask('a', proxy.address)).toBe('[echo <a>]');
    client.send('bad', proxy.address);
    client.send('secret', proxy.address);
    expect(await client.ask('b', proxy.address)).toBe('[echo <b>]');
    expect(upstream.texts).toEqual(['<a>', '<secret>', '<b>']);
    expect(proxy.count('datagrams.dropped.filter')).toBe(2);
  });

  test('datagramFromClient refuses the first datagram: no upstream is asked', async () => {
    const { ends, phases } = logged();
    let asked = 0;
    const upstreamPeer = (): never => {
      asked += 1;
      throw new Error('not reached');
    };
    const proxy = await running(defineUdp({ ...phases, upstreamPeer, datagramFromClient: () => false }));
    (await peer()).send('x', proxy.address);
    await until('the end', () => ends.length);
    expect([ends, asked, proxy.count('sessions.open')]).toEqual([['filtered'], 0, 0]);
  });

  test.each([
    [
      'newCtx',
      {
        newCtx: () => {
          throw new Error('broken');
        },
      },
    ],
    [
      'datagramFromClient',
      {
        datagramFromClient: () => {
          throw new Error('broken');
        },
      },
    ],
    ['datagramFromClient', { datagramFromClient: () => 5 }],
    ['datagramFromClient', { datagramFromClient: () => Promise.reject(new Error('broken')) }],
    ['newCtx', { newCtx: () => Promise.reject(new Error('broken')) }],
    [
      'failToSend',
      {
        upstreamPeer: () => ({ host: 'nowhere.invalid', port: 1 }),
        failToSend: () => Promise.reject(new Error('broken')),
      },
    ],
    [
      'upstreamPeer',
      {
        upstreamPeer: () => {
          throw new Error('broken');
        },
      },
    ],
    [
      'upstreamPeer',
      {
        upstreamPeer: async () => {
          throw new Error('broken');
        },
      },
    ],
    ['upstreamPeer', { upstreamPeer: () => 'nowhere' }],
    ['upstreamPeer', { upstreamPeer: () => ({ path: '/run/x.sock' }) }],
    ['upstreamPeer', { upstreamPeer: () => new Promise(() => {}) }],
    [
      'datagramFromUpstream',
      {
        datagramFromUpstream: () => {
          throw new Error('broken');
        },
      },
    ],
  ])('a %s that fails (%#) ends the session, and logging hears it once', async (_, broken) => {
    const upstream = await echo();
    const { ends, phases } = logged();
    const all = { ...phases, upstreamPeer: () => upstream.address, ...broken } as unknown as UdpPhases<undefined>;
    const proxy = await running(defineUdp(all), { hookTimeoutMs: 50 });
    const client = await peer();
    client.send('x', proxy.address);
    await until('the end', () => ends.length);
    expect(ends).toEqual(['error Internal InternalError']);
    expect([proxy.count('sessions.open'), proxy.count('sessions.closed.error'), client.texts]).toEqual([0, 1, []]);
  });

  test('a logging that fails is logged, and nothing else happens', async () => {
    const upstream = await echo();
    let calls = 0;
    const logging = (): Promise<void> => {
      calls += 1;
      if (calls === 1) throw new Error('thrown');
      return Promise.reject(new Error('rejected'));
    };
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address, logging }), { responses: 1 });
    const client = await peer();
    for (const text of ['a', 'b', 'c']) expect(await client.ask(text, proxy.address)).toBe(`echo ${text}`);
    const failures = () => proxy.lines.filter(({ message }) => message === 'the logging phase failed');
    await until(
      'the lines',
      () => failures().length >= 3,
      () => JSON.stringify(proxy.lines),
    );
    expect(new Set(failures().map(({ level }) => level))).toEqual(new Set(['error']));
  });

  test('logging waits for an upstreamPeer that is under way', async () => {
    const choice = Promise.withResolvers<{ host: string; port: number }>();
    const { ends, phases } = logged();
    let current: UdpSession | undefined;
    const upstreamPeer = (session: UdpSession) => {
      current = session;
      return choice.promise;
    };
    const proxy = await running(defineUdp({ ...phases, upstreamPeer }));
    (await peer()).send('x', proxy.address);
    await until('the session', () => current);
    current?.close();
    expect([proxy.count('sessions.open'), ends]).toEqual([0, []]);
    choice.resolve({ host: '127.0.0.1', port: 9 });
    await until('the end', () => ends.length);
    expect(ends).toEqual(['closed']);
  });

  test('channels of node:diagnostics_channel tell of sessions', async () => {
    const upstream = await echo();
    const told: string[] = [];
    const listen = (name: string): void => {
      const listener = (message: unknown): void => {
        const { service, session } = message as { service: string; session: UdpSession };
        told.push(`${name} ${service} ${session.reason}`);
      };
      subscribe(name, listener);
      cleanups.push(() => unsubscribe(name, listener));
    };
    for (const name of Object.values(UDP_CHANNELS)) listen(name);
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }), { name: 'dns', responses: 1 });
    await (await peer()).ask('x', proxy.address);
    await until('the close', () => told.length === 2);
    expect(told).toEqual(['cirque:stream:udp:open dns undefined', 'cirque:stream:udp:close dns answered']);
  });
});

describe('upstreams that fail', LIMIT, () => {
  test('nobody receives there: the session fails, the client hears nothing, and its next datagram begins another', async () => {
    const upstream = await echo();
    const addresses = [await deadAddress(), upstream.address];
    const { ends, phases } = logged();
    const proxy = await running(defineUdp({ ...phases, upstreamPeer: () => addresses.shift() ?? upstream.address }));
    const client = await peer();
    client.send('lost', proxy.address);
    await until('the end', () => ends.length);
    expect(ends).toEqual(['upstream Upstream ConnectRefused']);
    const failed = proxy.lines.filter(({ message }) => message === 'UDP session failed');
    expect(failed.map(({ level }) => level)).toEqual(['warn']);
    expect(await client.ask('a', proxy.address)).toBe('echo a');
    expect(client.texts).toEqual(['echo a']);
  });

  test('failToSend chooses another one, which gets what was not answered', async () => {
    const upstream = await echo();
    const dead = await deadAddress();
    const addresses = [dead, dead, upstream.address];
    const errors: string[] = [];
    const phases = defineUdp({
      upstreamPeer: () => addresses.shift() ?? upstream.address,
      failToSend: (session, _, error) => {
        errors.push(`${session.upstream?.port === dead.port} ${error.type}`);
        return error.setRetry(true);
      },
    });
    const proxy = await running(phases);
    const client = await peer();
    expect(await client.ask('a', proxy.address)).toBe('echo a');
    expect(errors).toEqual(['true ConnectRefused', 'true ConnectRefused']);
    expect([proxy.count('sessions.opened'), proxy.count('sessions.retries')]).toEqual([1, 2]);
    expect(upstream.texts).toEqual(['a']);
  });

  test('retries come to an end', async () => {
    const dead = await deadAddress();
    const { ends, phases } = logged();
    let asked = 0;
    const all = defineUdp({
      ...phases,
      upstreamPeer: () => {
        asked += 1;
        return dead;
      },
      failToSend: (_session, _ctx, error) => error.setRetry(true),
    });
    const proxy = await running(all, { maxRetries: 3 });
    (await peer()).send('a', proxy.address);
    await until('the end', () => ends.length);
    expect([ends, asked]).toEqual([['upstream Upstream ConnectRefused'], 4]);
  });

  test('an upstreamPeer may ask for another attempt', async () => {
    const upstream = await echo();
    let asked = 0;
    const upstreamPeer = () => {
      asked += 1;
      if (asked < 3) throw CirqueError.upstream('ConnectNoRoute', 'not yet').setRetry(true);
      return upstream.address;
    };
    const proxy = await running(defineUdp({ upstreamPeer }));
    expect(await (await peer()).ask('a', proxy.address)).toBe('echo a');
    expect(asked).toBe(3);
  });

  test('a name that does not resolve is a failure of the upstream', async () => {
    const { ends, phases } = logged();
    const upstreamPeer = () => ({ host: 'does-not-exist.invalid', port: 53 });
    const proxy = await running(defineUdp({ ...phases, upstreamPeer }));
    (await peer()).send('a', proxy.address);
    await until('the end', () => ends.length);
    expect(ends).toEqual(['upstream Upstream ConnectNoRoute']);
  });

  test('names are resolved', async () => {
    const upstream = await echo();
    const upstreamPeer = () => ({ host: 'localhost', port: upstream.address.port });
    const proxy = await running(defineUdp({ upstreamPeer, failToSend: (_s, _c, error) => error.setRetry(true) }));
    expect(await (await peer()).ask('a', proxy.address)).toBe('echo a');
  });

  test('a datagram that is too large for the system is dropped; the session goes on', async () => {
    const upstream = await echo();
    const datagramFromClient = (_: UdpSession, bytes: Buffer): Buffer | undefined =>
      bytes.toString() === 'huge' ? Buffer.alloc(70_000) : undefined;
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address, datagramFromClient }));
    const client = await peer();
    expect(await client.ask('a', proxy.address)).toBe('echo a');
    client.send('huge', proxy.address);
    await until('the drop', () => proxy.count('datagrams.dropped.send') === 1);
    expect(await client.ask('b', proxy.address)).toBe('echo b');
    expect(proxy.count('sessions.opened')).toBe(1);
  });

  test('the source address of upstream sockets can be chosen', async () => {
    const upstream = await echo();
    const clientBindToIpv4 = ['127.0.0.2', '127.0.0.3'];
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }), { clientBindToIpv4 });
    for (let turn = 0; turn < 4; turn += 1) await (await peer()).ask('a', proxy.address);
    const sources = upstream.received.map(({ from }) => from.address);
    expect(sources.toSorted()).toEqual(['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.3']);
  });
});

describe('ends', LIMIT, () => {
  test('idle sessions end, and their sockets are closed', async () => {
    const upstream = await echo();
    const { ends, phases } = logged();
    const proxy = await running(defineUdp({ ...phases, upstreamPeer: () => upstream.address }), { idleTimeoutMs: 300 });
    const clients = await Promise.all(Array.from({ length: 20 }, () => peer()));
    await Promise.all(clients.map((client) => client.ask('a', proxy.address)));
    await Promise.all(clients.map((client) => client.ask('b', proxy.address)));
    await until('the end of all', () => ends.length === 20);
    expect(new Set(ends)).toEqual(new Set(['idle']));
    expect(proxy.service.stats()).toMatchObject({
      sessions: { open: 0, opened: 20, ownSockets: 0, closed: { idle: 20 } },
    });
    expect(await (clients[0] as Peer).ask('c', proxy.address)).toBe('echo c');
  });

  test('a session with two questions waits for two answers', async () => {
    const upstream = await peer();
    const { ends, phases } = logged();
    const proxy = await running(defineUdp({ ...phases, upstreamPeer: () => upstream.address }), { responses: 1 });
    const client = await peer();
    client.send('1', proxy.address);
    client.send('2', proxy.address);
    await upstream.next();
    await upstream.next();
    const { from } = upstream.received[0] as { from: RemoteInfo };
    for (const text of ['one', 'two']) {
      expect(ends).toEqual([]);
      upstream.send(text, { host: from.address, port: from.port });
      expect((await client.next()).toString()).toBe(text);
    }
    await until('the end', () => ends.length);
    expect([ends, proxy.count('sessions.opened')]).toEqual([['answered'], 1]);
    expect(proxy.count('sessions.ownSockets')).toBe(0);
  });

  test('a client that is gone ends its session, as far as the system says so', async () => {
    const upstream = await peer();
    const { ends, phases } = logged();
    const proxy = await running(defineUdp({ ...phases, upstreamPeer: () => upstream.address }));
    const client = await Peer.bind();
    client.send('1', proxy.address);
    client.send('2', proxy.address);
    await until('the socket', () => upstream.received.length === 2);
    client.close();
    const { from } = upstream.received[0] as { from: RemoteInfo };
    upstream.send('late', { host: from.address, port: from.port });
    await until('the end', () => ends.length);
    expect(ends).toEqual(['client']);
  });

  test('a phase closes the session', async () => {
    const upstream = await echo();
    const { ends, phases } = logged();
    const datagramFromUpstream = (session: UdpSession): void => session.close();
    const proxy = await running(defineUdp({ ...phases, upstreamPeer: () => upstream.address, datagramFromUpstream }));
    const client = await peer();
    client.send('a', proxy.address);
    await until('the end', () => ends.length);
    expect([ends, client.texts]).toEqual([['closed'], []]);
  });
});

describe('datagrams that come in at the wrong moment', LIMIT, () => {
  test('when a session ends, begin the next one', async () => {
    const upstream = await echo();
    const sessions: UdpSession[] = [];
    const upstreamPeer = (session: UdpSession) => {
      sessions.push(session);
      return upstream.address;
    };
    const proxy = await running(defineUdp({ upstreamPeer }));
    const client = await peer();
    for (const text of ['a', 'b']) await client.ask(text, proxy.address);
    expect(proxy.count('sessions.ownSockets')).toBe(1);
    client.send('c', proxy.address); // the system has it before the session is closed
    sessions[0]?.close();
    expect((await client.next()).toString()).toBe('echo c');
    expect(sessions).toHaveLength(2);
  });

  test('on the socket of another client, go where all of them come in, also when that is closed', async () => {
    const upstream = await echo();
    const flows = new Flows({
      service: 'udp',
      options: resolveUdpOptions({}),
      hooks: resolveUdpHooks(defineUdp({ upstreamPeer: () => upstream.address })),
      plan: { maxSessions: 10, maxSockets: 10, ownSockets: true, ownSocketFrom: 2 },
      logger: silentLogger,
    });
    const socket = createSocket({ type: 'udp4', reusePort: true });
    socket.bind({ port: 0, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    const { address: host, port } = socket.address();
    const listener = new UdpListener(
      { socket, address: { host, port }, close: () => void socket.close() },
      false,
      flows,
    );
    cleanups.push(() => {
      listener.close();
      flows.finishAll('shutdown');
    });
    const [client, stray] = [await peer(), await peer()];
    const info = ({ address }: Peer): RemoteInfo => ({
      address: address.host,
      port: address.port,
      family: 'IPv4',
      size: 1,
    });
    const own = new ClientSocket(listener, info(client), { fromClient() {}, clientGone() {}, clientSocketFailed() {} });
    own.onDatagram(Buffer.from('before'), info(stray));
    expect((await stray.next()).toString()).toBe('echo before');
    expect(flows.size).toBe(1);
    const late = await peer();
    listener.close();
    own.onDatagram(Buffer.from('after'), info(late));
    expect((await late.next()).toString()).toBe('echo after');
    expect(late.received[0]?.from.port).toBe(port);
    flows.finishAll('shutdown');
    own.onDatagram(Buffer.from('too late'), info(await peer()));
    expect(flows.stats()).toMatchObject({ sessions: { open: 0 }, datagrams: { dropped: { stopping: 1 } } });
    own.close();
  });
});

describe('limits', LIMIT, () => {
  test('maxSessions: one more ends the one that was idle the longest', async () => {
    const upstream = await echo();
    const { ends, phases } = logged();
    const proxy = await running(defineUdp({ ...phases, upstreamPeer: () => upstream.address }), { maxSessions: 3 });
    const clients = await Promise.all(Array.from({ length: 4 }, () => peer()));
    const [a, b, c, d] = clients as [Peer, Peer, Peer, Peer];
    for (const client of [a, b, c, a]) await client.ask('x', proxy.address);
    const portOf = (index: number): number | undefined => upstream.received[index]?.from.port;
    await d.ask('x', proxy.address);
    expect([ends, proxy.count('sessions.open')]).toEqual([['evicted'], 3]);
    await a.ask('x', proxy.address); // still the same session
    await b.ask('x', proxy.address); // was evicted
    expect(portOf(5)).toBe(portOf(0));
    expect(portOf(6)).not.toBe(portOf(1));
    expect(proxy.count('sessions.closed.evicted')).toBe(2);
  });

  test('maxSessionsPerClient: datagrams for one more are dropped', async () => {
    const upstream = await echo();
    const options = { maxSessionsPerClient: 2, idleTimeoutMs: 400 };
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }), options);
    const [a, b, c] = (await Promise.all([peer(), peer(), peer()])) as [Peer, Peer, Peer];
    await a.ask('x', proxy.address);
    await b.ask('x', proxy.address);
    c.send('refused', proxy.address);
    await until('the drop', () => proxy.count('datagrams.dropped.perClient') === 1);
    const other = await peer('127.0.0.9');
    expect(await other.ask('y', proxy.address)).toBe('echo y');
    await until('the end of all', () => proxy.count('sessions.open') === 0);
    expect(await c.ask('z', proxy.address)).toBe('echo z');
  });

  test('maxQueuedBytes: more is dropped while an upstream is chosen', async () => {
    const upstream = await peer();
    const choice = Promise.withResolvers<{ host: string; port: number }>();
    const proxy = await running(defineUdp({ upstreamPeer: () => choice.promise }), { maxQueuedBytes: 3_000 });
    const client = await peer();
    for (let turn = 0; turn < 10; turn += 1) client.send(Buffer.alloc(900, `${turn}`), proxy.address);
    await until('the datagrams', () => proxy.count('datagrams.fromClient') === 10);
    expect(proxy.count('datagrams.dropped.queue')).toBe(7);
    choice.resolve(upstream.address);
    for (const first of ['0', '1', '2']) expect((await upstream.next()).toString()[0]).toBe(first);
  });

  test('maxTotalQueuedBytes: holds for all sessions together, and what ends gives back', async () => {
    const proxy = await running(defineUdp({ upstreamPeer: () => new Promise<never>(() => {}) }), {
      maxTotalQueuedBytes: 2_000,
      idleTimeoutMs: 500,
    });
    const clients = await Promise.all(Array.from({ length: 4 }, () => peer()));
    for (const client of clients) client.send(Buffer.alloc(900), proxy.address);
    await until('the datagrams', () => proxy.count('datagrams.fromClient') === 4);
    expect(proxy.count('datagrams.dropped.queue')).toBe(2);
    await until('the end of all', () => proxy.count('sessions.open') === 0);
    expect(proxy.count('bytes.queued')).toBe(0);
  });
});

describe('a stop', LIMIT, () => {
  test.each([{ sessionSockets: 'auto' }, { sessionSockets: 'never', idleTimeoutMs: 300 }] as const)(
    'of a service with %o lets answers through that are on their way',
    async (options) => {
      const upstream = await peer();
      const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }), { responses: 1, ...options });
      const clients = await Promise.all(Array.from({ length: 300 }, () => peer()));
      // In portions, because of the receive buffers of the system.
      for (let at = 0; at < 300; at += 100) {
        for (const client of clients.slice(at, at + 100)) client.send('?', proxy.address);
        await until('the questions', () => upstream.received.length === at + 100);
      }
      const stopped = proxy.stopGracefully();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const senders = upstream.received.map(({ from }) => from);
      for (let at = 0; at < 300; at += 100) {
        for (const { address: host, port } of senders.slice(at, at + 100)) upstream.send(`!${port}`, { host, port });
        await Promise.all(clients.slice(at, at + 100).map((client) => client.next()));
      }
      await stopped;
      expect(new Set(clients.flatMap(({ texts }) => texts)).size).toBe(300);
    },
  );

  test('comes to its end while new clients go on coming', async () => {
    const upstream = await echo();
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }), { idleTimeoutMs: 300 });
    const client = await peer();
    await client.ask('a', proxy.address);
    const { address } = proxy;
    let isOver = false;
    // One in each turn of the loop, and so one for each look at who has no socket of his own yet.
    const come = async (): Promise<void> => {
      const one = await Peer.bind();
      one.send('x', address);
      one.close();
      if (!isOver) setImmediate(() => void come());
    };
    await come();
    await until('the newcomers', () => proxy.count('sessions.opened') > 50);
    await proxy.stopGracefully();
    isOver = true;
    expect(proxy.count('sessions.open')).toBe(0);
  });

  test('lets sessions go on until they are idle', async () => {
    const upstream = await echo();
    const { ends, phases } = logged();
    const proxy = await running(defineUdp({ ...phases, upstreamPeer: () => upstream.address }), { idleTimeoutMs: 400 });
    const client = await peer();
    const { address } = proxy;
    expect(await client.ask('a', address)).toBe('echo a'); // has no socket of its own before the stop
    const stopped = proxy.stopGracefully();
    await until('the socket', () => proxy.count('sessions.ownSockets') === 1);
    for (const text of ['b', 'c', 'd', 'e']) {
      expect(await client.ask(text, address)).toBe(`echo ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await stopped;
    expect(ends).toEqual(['idle']);
  });

  test('refuses new clients when it has begun', async () => {
    const upstream = await echo();
    const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }));
    const client = await peer();
    await client.ask('a', proxy.address);
    void proxy.stopGracefully();
    await until('the socket', () => proxy.count('sessions.ownSockets') === 1);
    const other = await peer();
    other.send('b', proxy.address);
    await client.ask('c', proxy.address);
    expect([proxy.count('sessions.opened'), upstream.texts]).toEqual([1, ['a', 'c']]);
    await proxy.stopFast();
  });

  test('that is fast, or whose time is up, ends them', async () => {
    const upstream = await echo();
    const { ends, phases } = logged();
    const proxy = await running(defineUdp({ ...phases, upstreamPeer: () => upstream.address }));
    const clients = await Promise.all(Array.from({ length: 5 }, () => peer()));
    await Promise.all(clients.map((client) => client.ask('a', proxy.address)));
    await proxy.stopFast();
    expect(ends).toEqual(Array(5).fill('shutdown'));
    expect(proxy.service.openConnections).toBe(0);
  });
});

describe('udpProxyService', LIMIT, () => {
  const phases = defineUdp({ upstreamPeer: () => ({ host: '127.0.0.1', port: 9 }) });
  const none = { clientBindToIpv4: [], clientBindToIpv6: [] };

  test('a second one on the same address does not start, and the first one goes on', async () => {
    const upstream = await echo();
    const first = await running(defineUdp({ upstreamPeer: () => upstream.address }));
    const text = `127.0.0.1:${first.address.port}`;
    await expect(RunningUdp.start(phases, { name: 'dns' }, ['127.0.0.1:0', text])).rejects.toThrow(
      `service dns cannot listen on ${text} (EADDRINUSE)`,
    );
    expect(await (await peer()).ask('a', first.address)).toBe('echo a');
    const service = udpProxyService(none, phases).addUdp(text);
    expect(await service.check()).toEqual([{ endpoint: text, outcome: 'in use' }]);
    await expect(service.resolveEndpoints(() => false)).rejects.toThrow('EADDRINUSE');
    expect(await service.resolveEndpoints(() => true)).toEqual({});
  });

  test('it may be started again while sessions of the one before it go on', async () => {
    const upstream = await echo();
    const first = await running(defineUdp({ upstreamPeer: () => upstream.address }));
    const client = await peer();
    await client.ask('a', first.address);
    await client.ask('b', first.address);
    const { address } = first;
    void first.stopGracefully();
    await until(
      'the end of the common socket',
      () => first.service.stats() && first.count('datagrams.dropped.stopping') === 0,
    );
    const second = await running(defineUdp({ upstreamPeer: () => upstream.address }), {}, [
      `127.0.0.1:${address.port}`,
    ]);
    await client.ask('c', address);
    expect(await (await peer()).ask('d', address)).toBe('echo d');
    expect([first.count('datagrams.fromClient'), second.count('datagrams.fromClient')]).toEqual([3, 1]);
  });

  test('it says where it receives, before and after the start', async () => {
    const service = udpProxyService(none, phases).addUdp('127.0.0.1:0');
    expect(service.endpoints).toEqual([{ host: '127.0.0.1', port: 0, text: '127.0.0.1:0' }]);
    expect(service.socketNames).toEqual([{ kind: 'udp', address: '127.0.0.1:0' }]);
    const resolved = await service.resolveEndpoints(() => false);
    expect(service.endpoints[0]?.text).toBe(resolved['127.0.0.1:0']);
    const started = await running(phases);
    expect(started.address.port).toBeGreaterThan(0);
    expect(() => started.service.addUdp('127.0.0.1:0')).toThrow('addUdp() of service UDP proxy must come before');
  });

  test('it refuses what cannot work', async () => {
    expect(() => udpProxyService(none, phases).addUdp('/run/x.sock')).toThrow("addUdp() needs 'host:port'");
    expect(() => udpProxyService(none, phases, { name: '' })).toThrow('a service needs a name');
    expect(() => udpProxyService(none, phases, { threads: 0 })).toThrow('threads of service UDP proxy must be');
    expect(() => udpProxyService(none, {} as UdpPhases<undefined>)).toThrow('newCtx');
    const twice = udpProxyService(none, phases).addUdp('127.0.0.1:53').addUdp('127.0.0.1:53');
    await expect(twice.resolveEndpoints(() => true)).resolves.toEqual({});
    await expect(RunningUdp.start(phases, {}, [])).rejects.toThrow('has no address: call addUdp()');
  });

  test('the configuration chooses source addresses, and options go before it', async () => {
    const upstream = await echo();
    const configuration = { clientBindToIpv4: ['127.0.0.7'], clientBindToIpv6: [] };
    expect(() => udpProxyService({ ...configuration, clientBindToIpv4: ['x'] }, phases)).toThrow('clientBindToIpv4');
    expect(udpProxyService(configuration, phases, { clientBindToIpv4: [] }).name).toBe('UDP proxy');
    expect(upstream.texts).toEqual([]);
  });
});
