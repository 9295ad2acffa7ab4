/**
 * Groups whose services come and go in worker threads, with real processes.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerStats } from '../src/index.ts';
import { canMoveServers } from '../src/workers/server-transfer.ts';
import { LIBRARIES } from './libraries.ts';
import { ask, certificateOf, type Place, type ThreadedProcess, ThreadsSite, until } from './threads-site.ts';

let site: ThreadsSite;
beforeEach(() => {
  site = new ThreadsSite();
});
afterEach(() => site.close());

const [LIBRARY = 'off'] = LIBRARIES;

type Plans = Readonly<Record<string, object>>;

function write(plans: Plans): string[] {
  const path = join(site.folder, 'plan.json');
  writeFileSync(path, JSON.stringify(plans));
  return ['--plan', path];
}

function start(plans: Plans, { threads = 2, ffi = LIBRARY, args = [] as string[] } = {}): ThreadedProcess {
  return site.start({ threads }, [...write(plans), ...args], ffi, 'group-process.ts');
}

async function change(child: ThreadedProcess, plans: Plans): Promise<unknown> {
  write(plans);
  return child.obey('plan');
}

/** So many addresses that nobody has. */
async function freePlaces(count: number): Promise<Place[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const places = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return places;
}

interface Answer {
  readonly thread: number;
  readonly name: string;
  readonly version: number;
}

async function askPlace(place: Place, target = '/'): Promise<Answer> {
  return (await ask(place, target)) as unknown as Answer;
}

/** What so many connections, one after the other, come to: versions, or codes of errors. */
async function outcomes(place: Place, times = 16): Promise<string[]> {
  const seen = new Set<string>();
  for (let time = 0; time < times; time += 1) {
    const outcome = await askPlace(place).then(
      ({ name, version }) => `${name} ${version}`,
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    seen.add(outcome);
  }
  return [...seen].toSorted();
}

/** Until connections there all come to the same. */
async function settles(place: Place, outcome: string): Promise<void> {
  await until(`${place} to answer ${outcome}`, async () => (await outcomes(place)).join() === outcome);
}

/** Until as many threads answer there. */
async function servedBy(place: Place, threads: number): Promise<void> {
  await until(`${threads} threads at ${place}`, async () => {
    const seen = new Set<number>();
    for (let time = 0; time < 24; time += 1)
      seen.add(
        await askPlace(place).then(
          ({ thread }) => thread,
          () => 0,
        ),
      );
    return seen.size === threads;
  });
}

describe('ServiceGroup in threads', { timeout: 90_000 }, () => {
  test.each([...LIBRARIES, 'off'])('services come and go in all threads, with native calls: %s', async (ffi) => {
    const [one = '', two = ''] = await freePlaces(2);
    const path = join(site.folder, 'two.sock');
    const child = start({ one: { tcp: [one] } }, { ffi });
    await child.running();
    expect(await change(child, { one: { tcp: [one] }, two: { tcp: [two], unix: path } })).toEqual({ done: true });
    await until('the new address', async () => (await outcomes(two)).join() === 'two 0');
    await servedBy(two, 2);
    expect(await outcomes(path, 2)).toEqual(['two 0']);
    if (ffi !== 'off') await servedBy(path, 2);
    await change(child, { two: { tcp: [two], unix: path } });
    await settles(one, 'ECONNREFUSED');
    expect(await outcomes(one, 100)).toEqual(['ECONNREFUSED']);
    expect(await outcomes(two)).toEqual(['two 0']);
    const { services } = await child.obey<ServerStats>('stats');
    expect(Object.keys(services.gateway ?? {})).toEqual(['two']);
    await change(child, {});
    await settles(two, 'ECONNREFUSED');
    await settles(path, 'ENOENT');
    child.kill('SIGTERM');
    expect(await child.exitCode()).toBe(0);
    expect(child.logged('cannot')).toEqual([]);
  });

  test('replace refuses nobody on an address that stays', async () => {
    const [kept = '', other = ''] = await freePlaces(2);
    const path = join(site.folder, 'kept.sock');
    const child = start({ web: { tcp: [kept], unix: path } });
    await child.running();
    const failures: string[] = [];
    let isOver = false;
    const come = async (place: Place): Promise<void> => {
      while (!isOver) await askPlace(place).catch((error: Error) => failures.push(`${place}: ${error.message}`));
    };
    const comers = [kept, kept, kept, path].map(come);
    for (let version = 1; version <= 6; version += 1) {
      const tcp = version % 2 === 0 ? [kept] : [kept, other];
      await change(child, { web: { tcp, unix: path, version } });
      await settles(kept, `web ${version}`);
      await settles(path, `web ${version}`);
    }
    isOver = true;
    await Promise.all(comers);
    expect(failures).toEqual([]);
    await servedBy(kept, 2);
    await settles(other, 'ECONNREFUSED');
  });

  test('what cannot be added is refused on the main thread, and changes nothing', async () => {
    const [one = ''] = await freePlaces(1);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    try {
      const place = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
      const child = start({ one: { tcp: [one] } });
      await child.running();
      write({ one: { tcp: [one] }, two: { tcp: [place] } });
      expect(await child.obey('probe')).toEqual({
        error: expect.stringContaining(`service two cannot listen on ${place} (EADDRINUSE)`),
      });
      const inUse = { error: expect.stringContaining('EADDRINUSE') };
      expect(await child.obey('plan')).toEqual(inUse);
      expect(await change(child, { one: { tcp: [one, place], version: 1 } })).toEqual(inUse);
      expect(await change(child, { one: { tcp: [one] }, two: { tcp: ['127.0.0.1:0'] } })).toEqual({
        error: expect.stringContaining('service two cannot listen on 127.0.0.1:0 while threads run: choose a port'),
      });
      expect(await change(child, { one: { tcp: [one] }, two: { tcp: [one] } })).toEqual({
        error: expect.stringContaining(`service two cannot listen on ${one}: service one of its group does`),
      });
      write({ one: { tcp: [one], version: 1 } });
      expect(await child.obey('probe')).toEqual({ done: true });
      expect(await outcomes(one)).toEqual(['one 0']);
    } finally {
      taken.close();
    }
  });

  test.skipIf(LIBRARIES.length === 0)(
    'a thread that dies is replaced by one that has what has come, and not what has gone',
    async () => {
      const [one = '', two = '', three = ''] = await freePlaces(3);
      const child = start({ one: { tcp: [one] }, two: { tcp: [two] } });
      await child.running();
      await change(child, { one: { tcp: [one] }, three: { tcp: [three] } });
      await servedBy(three, 2);
      await settles(two, 'ECONNREFUSED');
      const listening = child.logged('serving again').length;
      expect(listening).toBe(0);
      await askPlace(three, '/throw');
      await until('the death of a thread', () => child.logged('a worker has ended').length === 1);
      // While there is one thread less, and after that.
      expect(await outcomes(three, 50)).toEqual(['three 0']);
      await change(child, { three: { tcp: [three] } });
      await settles(one, 'ECONNREFUSED');
      await servedBy(three, 2);
      expect(await outcomes(one, 50)).toEqual(['ECONNREFUSED']);
      expect(await outcomes(two, 50)).toEqual(['ECONNREFUSED']);
    },
  );

  test('restarted threads have what has come, and nothing stays open', async () => {
    const places = await freePlaces(6);
    const child = start({ one: { tcp: [places[0]] } });
    await child.running();
    const plans = (version: number): Plans =>
      Object.fromEntries(places.map((place, index) => [`s${index}`, { tcp: [place], version }]));
    const round = async (version: number): Promise<number> => {
      await change(child, plans(version));
      for (const place of places) await settles(place, `s${places.indexOf(place)} ${version}`);
      await child.obey('restart');
      for (const place of places) await servedBy(place, 2);
      await change(child, {});
      for (const place of places) await settles(place, 'ECONNREFUSED');
      return (await child.obey<{ fds: number }>('fds')).fds;
    };
    await round(1);
    const before = await round(2);
    await round(3);
    let after = await round(4);
    await until('descriptors to be closed', async () => {
      after = (await child.obey<{ fds: number }>('fds')).fds;
      return after <= before;
    });
    expect(child.logged('cannot')).toEqual([]);
  });

  test.skipIf(!canMoveServers())('without native calls, restarted threads are given what has come', async () => {
    const [one = '', two = ''] = await freePlaces(2);
    const child = start({ one: { tcp: [one] } }, { ffi: 'off' });
    await child.running();
    await change(child, { one: { tcp: [one] }, two: { tcp: [two] } });
    await servedBy(two, 2);
    expect(await child.obey('restart')).toEqual({ restarted: true });
    await servedBy(one, 2);
    await servedBy(two, 2);
    await change(child, { two: { tcp: [two] } });
    await settles(one, 'ECONNREFUSED');
  });

  test.each([LIBRARY, 'off'])(
    'a successor has exactly the sockets that are there, with native calls: %s',
    async (ffi) => {
      const [one = '', two = '', three = ''] = await freePlaces(3);
      const plans = { two: { tcp: [two] }, three: { tcp: [three] } };
      const old = start({ one: { tcp: [one] }, two: { tcp: [two] } }, { ffi });
      await old.running();
      await change(old, plans);
      await servedBy(three, 2);
      await settles(one, 'ECONNREFUSED');
      const failures: string[] = [];
      let isOver = false;
      const come = async (place: Place): Promise<void> => {
        while (!isOver) await askPlace(place).catch((error: Error) => failures.push(`${place}: ${error.message}`));
      };
      const comers = [two, three].map(come);
      const next = start(plans, { ffi, args: ['-u'] });
      await next.logs(/waiting for the running server/);
      old.kill('SIGQUIT');
      await old.logs(/a successor has taken over/);
      const pid = Number(/"successor":(\d+)/.exec(old.err)?.[1]);
      try {
        await servedBy(two, 2);
        await servedBy(three, 2);
        expect(await outcomes(one, 30)).toEqual(['ECONNREFUSED']);
        isOver = true;
        await Promise.all(comers);
        expect(failures).toEqual([]);
        expect(`${old.err}${next.err}`).not.toContain('not needed any more');
      } finally {
        isOver = true;
        process.kill(pid, 'SIGKILL'); // without native calls it is the child of the old one
      }
      expect(await old.exitCode()).toBe(0);
    },
  );

  test('certificates of later services are those of the main thread, and are read again in all threads', async () => {
    const [plain = '', secure = ''] = await freePlaces(2);
    const child = start({ one: { tcp: [plain] } });
    await child.running();
    const certificates = site.certificate('first');
    await change(child, { one: { tcp: [plain] }, two: { tls: secure, certificates } });
    const names = async (): Promise<string[]> => [
      ...new Set(await Promise.all(Array.from({ length: 16 }, () => certificateOf(secure)))),
    ];
    await until('TLS', async () => (await names().catch(() => [])).join() === 'first');
    site.certificate('second');
    child.kill('SIGHUP');
    await until('new certificates', async () => (await names()).join() === 'second');
    site.spoilCertificate();
    expect(await change(child, { one: { tcp: [plain] }, two: { tls: secure, certificates, version: 1 } })).toEqual({
      error: expect.stringContaining('cert.pem'),
    });
    expect(await names()).toEqual(['second']);
  });

  test('maxConnections of a later service holds over all threads', async () => {
    const [one = '', two = ''] = await freePlaces(2);
    const child = start({ one: { tcp: [one] } }, { threads: 3 });
    await child.running();
    await change(child, { one: { tcp: [one] }, two: { tcp: [two], limit: 2 } });
    await servedBy(two, 3);
    const slow = await Promise.allSettled(Array.from({ length: 8 }, () => askPlace(two, '/?ms=1500')));
    expect(slow.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  });

  test('a reload takes settings and services over in all threads, or leaves both alone', async () => {
    const [one = ''] = await freePlaces(1);
    const child = start({ one: { tcp: [one] } });
    await child.running();
    const facts = async (): Promise<string[]> => {
      const answers = await Promise.all(Array.from({ length: 16 }, () => ask(one)));
      return [...new Set(answers.map((answer) => `${answer.grace} ${(answer as unknown as Answer).version}`))];
    };
    expect(await facts()).toEqual(['300 0']);
    write({ one: { tcp: [one], version: 1 } });
    site.configure({ threads: 2, grace_period_seconds: -1 });
    child.kill('SIGHUP');
    await until(
      'the complaint',
      () => child.logged('the configuration cannot be used; the old one stays').length === 1,
    );
    expect(await facts()).toEqual(['300 0']);
    site.configure({ threads: 2, grace_period_seconds: 77 });
    child.kill('SIGHUP');
    await until('the change', async () => (await facts()).join() === '77 1');
    write({ one: { tcp: ['127.0.0.1:0'] } });
    site.configure({ threads: 2, grace_period_seconds: 78 });
    child.kill('SIGHUP');
    await until('the other complaint', () => child.logged('reload failed; what ran before goes on').length === 1);
    await until('the settings', async () => (await facts()).join() === '78 1');
  });
});
