/**
 * Groups that run on the main thread: services that come, go and take each other's place while clients are there.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LeakCheck, RawClient } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  ListeningService,
  type ListeningServiceOptions,
  type ServerApp,
  type ServerConfiguration,
  type Service,
  ServiceGroup,
  serverConfiguration,
  silentLogger,
  TlsSettings,
} from '../src/index.ts';
import { RunningServer } from './running-server.ts';
import { ca } from './tls-site.ts';

const until = { timeout: 10_000, interval: 5 };
let leaks: LeakCheck;
let folder: string;
const closers: (() => unknown)[] = [];

beforeEach(() => {
  leaks = LeakCheck.start();
  folder = mkdtempSync(join(tmpdir(), 'cirque-group-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
  await leaks.assertClean();
});

/** Greets by its name; then says back what it hears, until it is told to stop. */
function greeter(name: string, reads: 'duplex' | 'callback' = 'duplex'): ServerApp {
  return {
    reads,
    processNew(stream) {
      stream.writeLatin1(`${name}\n`);
      if (reads === 'duplex') stream.duplex.pipe(stream.duplex);
      else
        stream.start({
          onRead: (buffer, length) => void stream.writeLatin1(buffer.toString('latin1', 0, length)),
          onReadEnd: () => stream.end(),
          onDrain: () => {},
          onClose: () => {},
        });
    },
  };
}

function service(name: string, options: ListeningServiceOptions = {}): ListeningService {
  return new ListeningService(name, greeter(name), options);
}

async function run(group: Service, configuration: Partial<ServerConfiguration> = {}): Promise<RunningServer> {
  const running = await RunningServer.start([group], configuration);
  closers.push(() => running.stopFast());
  return running;
}

/** A port that nobody has, for services that come later. */
async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return `127.0.0.1:${port}`;
}

/** What a new client hears first, or the code of the error that it gets. */
function greeting(address: string): Promise<string> {
  const [host, port] = address.split(':');
  const socket = address.startsWith('/') ? connect(address) : connect(Number(port), host);
  return new Promise((resolve) => {
    socket.once('data', (chunk: Buffer) => {
      resolve(chunk.toString().trim());
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('end', () => resolve('ended'));
  });
}

async function client(address: string): Promise<RawClient> {
  const [host = '', port] = address.split(':');
  const raw = await RawClient.connect({ host, port: Number(port) });
  closers.push(() => raw.close());
  return raw;
}

/** Clients that come one after the other, several at a time. */
class Comers {
  readonly heard: Map<string, number> = new Map();
  #goOn = true;
  readonly #all: Promise<unknown>;

  constructor(address: string, parallel = 6) {
    const one = async (): Promise<void> => {
      while (this.#goOn) {
        const word = await greeting(address);
        this.heard.set(word, (this.heard.get(word) ?? 0) + 1);
      }
    };
    this.#all = Promise.all(Array.from({ length: parallel }, one));
    closers.push(() => this.stop());
  }

  async hear(word: string, times = 20): Promise<void> {
    const before = this.heard.get(word) ?? 0;
    await vi.waitFor(() => expect(this.heard.get(word) ?? 0).toBeGreaterThanOrEqual(before + times), until);
  }

  async stop(): Promise<string[]> {
    this.#goOn = false;
    await this.#all;
    return [...this.heard.keys()].toSorted();
  }
}

describe('ServiceGroup', () => {
  test('runs what was added before the start, and is as many services to the outside', async () => {
    const group = new ServiceGroup('group');
    const [one, two] = [service('one').addTcp('127.0.0.1:0'), service('two').addTcp('127.0.0.1:0')];
    void group.add(one);
    void group.add(two);
    expect(group.services).toEqual([one, two]);
    const running = await run(group);
    expect(await greeting(one.endpoints[0]?.text ?? '')).toBe('one');
    expect(await greeting(two.endpoints[0]?.text ?? '')).toBe('two');
    const stats = await running.server.stats();
    expect(stats.services.group).toMatchObject({ one: { connections: { accepted: 1 } }, two: {} });
    expect(running.logged('info', 'listening').map(({ facts }) => [facts.service, facts.member])).toEqual([
      ['group', 'one'],
      ['group', 'two'],
    ]);
  });

  test('an empty group runs, and takes services in', async () => {
    const group = new ServiceGroup('group');
    await run(group);
    const one = service('one').addTcp('127.0.0.1:0');
    await group.add(one);
    expect(await greeting(one.endpoints[0]?.text ?? '')).toBe('one');
  });

  test('remove refuses new connections when it resolves, and leaves open ones alone', async () => {
    const group = new ServiceGroup('group');
    const one = service('one').addTcp('127.0.0.1:0').addUds(join(folder, 'one.sock'));
    void group.add(one);
    const running = await run(group);
    const address = one.endpoints[0]?.text ?? '';
    const raw = await client(address);
    expect(await raw.waitFor('one')).toContain('one');
    await group.remove(one);
    expect(group.services).toEqual([]);
    expect(await greeting(address)).toBe('ECONNREFUSED');
    expect(await greeting(join(folder, 'one.sock'))).toBe('ENOENT');
    expect(group.openConnections).toBe(1);
    await raw.send('still there');
    expect(await raw.waitFor('still there')).toContain('still there');
    raw.end();
    await raw.waitForClose();
    await vi.waitFor(() => expect(group.openConnections).toBe(0), until);
    expect(running.lines.filter(({ level }) => level === 'error')).toEqual([]);
    await expect(group.remove(one)).rejects.toThrow('service one is not in group group');
    await expect(group.add(one))
      .resolves.toBeUndefined()
      .catch(() => {});
  });

  test('what a removed service has not finished is cut when the grace period is over, and when the server stops fast', async () => {
    const group = new ServiceGroup('group');
    const [one, two] = [service('one').addTcp('127.0.0.1:0'), service('two').addTcp('127.0.0.1:0')];
    void group.add(one);
    void group.add(two);
    const running = await run(group, { gracePeriodSeconds: 1 });
    const raw = await client(one.endpoints[0]?.text ?? '');
    await raw.waitFor('one');
    await group.remove(one);
    await raw.waitForClose();
    expect(running.logged('warn', 'cutting what a removed service has not finished')).toHaveLength(1);
    const other = await client(two.endpoints[0]?.text ?? '');
    await other.waitFor('two');
    await group.remove(two);
    await running.stopFast();
    await other.waitForClose();
  });

  test('a graceful stop waits for what removed services have begun', async () => {
    const group = new ServiceGroup('group');
    const one = service('one').addTcp('127.0.0.1:0');
    void group.add(one);
    const running = await run(group);
    const raw = await client(one.endpoints[0]?.text ?? '');
    await raw.waitFor('one');
    await group.remove(one);
    let isOver = false;
    const over = running.stopGracefully().then(() => {
      isOver = true;
    });
    await raw.send('last words');
    await raw.waitFor('last words');
    expect(isOver).toBe(false);
    raw.end();
    await over;
    await expect(group.add(service('late').addTcp('127.0.0.1:0'))).rejects.toThrow('service late comes too late');
  });

  test('add that fails changes nothing', async () => {
    const group = new ServiceGroup('group');
    const one = service('one').addTcp('127.0.0.1:0');
    void group.add(one);
    await run(group);
    const taken = one.endpoints[0]?.text ?? '';
    const free = await freeAddress();
    const two = service('two').addTcp(free).addTcp(taken);
    await expect(group.probe(two)).rejects.toThrow(`service two cannot listen on ${taken} (EADDRINUSE)`);
    await expect(group.add(two)).rejects.toThrow(`service two cannot listen on ${taken} (EADDRINUSE)`);
    expect(group.services).toEqual([one]);
    expect(await greeting(free)).toBe('ECONNREFUSED');
    const again = service('two').addTcp(free);
    await group.probe(again);
    await group.add(again);
    expect(await greeting(free)).toBe('two');
    expect(await greeting(taken)).toBe('one');
  });

  test('check tries the addresses of all members, for --test', async () => {
    const group = new ServiceGroup('group');
    const [free, taken] = [await freeAddress(), createServer().listen(0, '127.0.0.1')];
    await once(taken, 'listening');
    const used = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    void group.add(service('one').addTcp(free));
    void group.add(service('two').addTcp(used));
    const context = { logger: silentLogger, configuration: serverConfiguration() };
    expect(await group.check(context)).toEqual([
      { endpoint: free, outcome: 'ok' },
      { endpoint: used, outcome: 'in use' },
    ]);
    taken.close();
  });

  test('a service that cannot begin ends the server, as it does outside of a group', async () => {
    const group = new ServiceGroup('group');
    void group.add(service('one').addTcp('127.0.0.1:0'));
    void group.add(
      new ListeningService('two', { ...greeter('two'), setUp: () => Promise.reject(new Error('no two')) }).addTcp(
        '127.0.0.1:0',
      ),
    );
    await expect(run(group)).rejects.toThrow('no two');
  });

  test('refuses what is no service, names that are taken, and services that were there before', async () => {
    const group = new ServiceGroup('group');
    expect(() => new ServiceGroup('')).toThrow('a service group needs a name that is not empty');
    expect(() => new ServiceGroup('group', { threads: 0 })).toThrow('threads of group group must be');
    const one = service('one').addTcp('127.0.0.1:0');
    void group.add(one);
    await expect(group.add({ name: 'no service' } as Service)).rejects.toThrow(
      'a member of group group needs a name and a start() function',
    );
    await expect(group.add(one)).rejects.toThrow('service one was added to group group already');
    await expect(group.add(service('one'))).rejects.toThrow('group group has a service one already');
    await expect(group.replace(service('two'), service('three'))).rejects.toThrow('service two is not in group group');
    await expect(group.replace(one, one)).rejects.toThrow('service one was added to group group already');
    await expect(group.remove(service('one'))).rejects.toThrow('service one is not in group group');
  });

  test('a service that is removed while it begins is gone, and add says so', async () => {
    const group = new ServiceGroup('group');
    await run(group);
    const address = await freeAddress();
    const begins = Promise.withResolvers<void>();
    const slow = new ListeningService('slow', { ...greeter('slow'), setUp: () => begins.promise }).addTcp(address);
    const added = group.add(slow);
    const removed = group.remove(slow);
    begins.resolve();
    await expect(added).rejects.toThrow('service slow was removed before it was ready');
    await removed;
    expect(await greeting(address)).toBe('ECONNREFUSED');
  });
});

test('ServiceGroup.remove forgets also a service that had ended by itself', async () => {
  const group = new ServiceGroup('group');
  const running = await run(group);
  let work = Promise.withResolvers<void>();
  let starts = 0;
  const brief: Service = {
    name: 'brief',
    start: async ({ ready }) => {
      starts += 1;
      ready();
      await work.promise;
    },
    stats: () => ({ starts }),
  };
  for (let round = 1; round <= 3; round += 1) {
    await group.add(brief);
    work.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    work = Promise.withResolvers<void>();
    expect(group.stats()).toEqual({ brief: { starts: round } });
    await group.remove(brief);
    expect(group.stats()).toEqual({});
  }
  await running.stopFast();
});

describe('ServiceGroup.replace', () => {
  test.each([
    ['duplex', 'callback'],
    ['callback', 'duplex'],
    ['callback', 'callback'],
  ] as const)('refuses nobody on an address that both have (%s, then %s)', async (before, after) => {
    const group = new ServiceGroup('group');
    const address = await freeAddress();
    const path = join(folder, 'both.sock');
    const make = (name: string, reads: 'duplex' | 'callback'): ListeningService =>
      new ListeningService(name, greeter(name, reads)).addTcp(address).addUds(path);
    let old = make('first', before);
    void group.add(old);
    await run(group);
    const comers = [new Comers(address), new Comers(path, 2)];
    for (const [name, reads] of [
      ['second', after],
      ['third', before],
      ['fourth', after],
    ] as const) {
      for (const one of comers) await one.hear(old.name);
      const next = make(name, reads);
      await group.replace(old, next);
      expect(group.services).toEqual([next]);
      for (const one of comers) await one.hear(name);
      old = next;
    }
    for (const one of comers) expect(await one.stop()).toEqual(['first', 'fourth', 'second', 'third']);
    expect(await greeting(address)).toBe('fourth');
    await group.remove(old);
    expect(await greeting(address)).toBe('ECONNREFUSED');
    expect(await greeting(path)).toBe('ENOENT');
  });

  test('addresses that only one of them has are opened and closed', async () => {
    const group = new ServiceGroup('group');
    const [kept, gone, come] = [await freeAddress(), await freeAddress(), await freeAddress()];
    const old = service('old').addTcp(kept).addTcp(gone);
    void group.add(old);
    await run(group);
    const next = service('next').addTcp(come).addTcp(kept);
    await group.replace(old, next);
    expect(await greeting(kept)).toBe('next');
    expect(await greeting(come)).toBe('next');
    expect(await greeting(gone)).toBe('ECONNREFUSED');
  });

  test('connections of the old service go on, with its application', async () => {
    const group = new ServiceGroup('group');
    const old = service('one').addTcp('127.0.0.1:0');
    void group.add(old);
    await run(group);
    const address = old.endpoints[0]?.text ?? '';
    const raw = await client(address);
    await raw.waitFor('one');
    const next = service('one').addTcp('127.0.0.1:0');
    await group.replace(old, next);
    expect(next.endpoints[0]?.text).toBe(address); // port 0 is that of the old one, too
    expect(await greeting(address)).toBe('one');
    await raw.send('on and on');
    await raw.waitFor('on and on');
    expect(group.openConnections).toBe(1);
    expect(group.stats()).toMatchObject({ one: { connections: { accepted: 2, open: 1 } } });
    raw.end();
    await raw.waitForClose();
    await vi.waitFor(() => expect(old.openConnections).toBe(0), until);
    await vi.waitFor(
      () => expect(group.stats()).toMatchObject({ one: { connections: { accepted: 2, open: 0 } } }),
      until,
    );
  });

  test('when the next one fails, the old one goes on, also on sockets that the next one had already', async () => {
    const group = new ServiceGroup('group');
    const [first, second, taken] = [await freeAddress(), await freeAddress(), await freeAddress()];
    const other = service('other').addTcp(taken);
    const old = service('old').addTcp(first).addTcp(second);
    void group.add(other);
    void group.add(old);
    await run(group);
    const comers = new Comers(first);
    await comers.hear('old');
    await expect(group.replace(old, service('next').addTcp(first).addTcp(taken))).rejects.toThrow('EADDRINUSE');
    const late = new ListeningService('late', greeter('late')).addTcp(first).addTcp(second);
    const failing: Service = {
      name: 'late',
      start: async (context) => {
        await late.start({
          ...context,
          ready: () => {
            throw new Error('not ready after all');
          },
        });
      },
    };
    await expect(group.replace(old, failing)).rejects.toThrow('not ready after all');
    expect(group.services).toEqual([other, old]);
    await comers.hear('old');
    expect((await comers.stop()).filter((word) => word !== 'old' && word !== 'late')).toEqual([]);
    expect(await greeting(second)).toBe('old');
    const next = service('next').addTcp(first);
    await group.replace(old, next);
    expect(await greeting(first)).toBe('next');
  });

  test('TLS may come and go; tickets are good for a service with the same settings', async () => {
    const group = new ServiceGroup('group');
    const address = await freeAddress();
    const { cert, key } = ca.issue({ names: ['a.example'] });
    const settings = (): TlsSettings => new TlsSettings({ certificate: { cert, key } });
    const secure = new ListeningService('web', greeter('secure')).addTlsWithSettings(address, settings());
    const plain = service('web').addTcp(address);
    void group.add(plain);
    await run(group);
    expect(await greeting(address)).toBe('web');
    await group.replace(plain, secure);
    expect(group.hasCertificates).toBe(true);
    const given = settings();
    await group.replace(secure, new ListeningService('web', greeter('again')).addTlsWithSettings(address, given));
    expect(secure.legacy?.snapshot()).toEqual({ ticketKeys: [given.ticketKeys.toString('base64')] });
    const back = service('web').addTcp(address);
    await group.replace(group.services[0] as Service, back);
    expect(await greeting(address)).toBe('web');
    expect(group.hasCertificates).toBe(false);
  });

  test('limits hold over both while the old one drains', async () => {
    const group = new ServiceGroup('group');
    const old = service('one', { maxConnections: 2 }).addTcp('127.0.0.1:0');
    void group.add(old);
    await run(group);
    const address = old.endpoints[0]?.text ?? '';
    const [first, second] = [await client(address), await client(address)];
    await first.waitFor('one');
    await second.waitFor('one');
    await group.replace(old, service('one', { maxConnections: 2 }).addTcp('127.0.0.1:0'));
    expect(await greeting(address)).toBe('ended');
    first.end();
    await first.waitForClose();
    await vi.waitFor(async () => expect(await greeting(address)).toBe('one'), until);
  });

  test('one at a time, and not what is being replaced', async () => {
    const group = new ServiceGroup('group');
    const old = service('old').addTcp('127.0.0.1:0');
    void group.add(old);
    await run(group);
    const first = group.replace(old, service('next').addTcp('127.0.0.1:0'));
    await expect(group.replace(old, service('other'))).rejects.toThrow('service old of group group is being replaced');
    await expect(group.remove(old)).rejects.toThrow('service old of group group is being replaced');
    await first;
  });

  test('UDP sockets go on with whoever has them, and both can send', async () => {
    const group = new ServiceGroup('group');
    const make = (name: string): Service => ({
      name,
      async start({ sockets, shutdown, ready }) {
        const { socket, close } = await sockets.udp(address);
        socket.on('message', (message, from) => socket.send(`${name} ${message}`, from.port, from.address));
        ready();
        await new Promise<void>((resolve) => shutdown.addEventListener('abort', () => resolve(), { once: true }));
        close();
      },
    });
    const address = await freeAddress();
    const old = make('old');
    void group.add(old);
    await run(group);
    const socket = createSocket('udp4');
    closers.push(() => socket.close());
    const ask = async (text: string): Promise<string> => {
      const answer = once(socket, 'message');
      const [host, port] = address.split(':');
      socket.send(text, Number(port), host);
      return String((await answer)[0]);
    };
    expect(await ask('1')).toBe('old 1');
    const failing: Service = {
      name: 'failing',
      async start({ sockets }) {
        const { socket: own, close } = await sockets.udp(address);
        own.on('message', () => {});
        close();
        throw new Error('no UDP');
      },
    };
    await expect(group.replace(old, failing)).rejects.toThrow('no UDP');
    expect(await ask('2')).toBe('old 2');
    const next = make('next');
    await group.replace(old, next);
    expect(await ask('3')).toBe('next 3');
    await group.remove(next);
    const free = createSocket('udp4');
    closers.push(() => free.close());
    free.bind(Number(address.split(':')[1]), '127.0.0.1');
    await once(free, 'listening');
  });
});
