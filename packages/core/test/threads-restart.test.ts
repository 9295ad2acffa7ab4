import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RawClient } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerStats } from '../src/index.ts';
import { canMoveServers } from '../src/workers/server-transfer.ts';
import { LIBRARIES } from './libraries.ts';
import { ask, Churn, spread, ThreadsSite, until } from './threads-site.ts';

let site: ThreadsSite;
beforeEach(() => {
  site = new ThreadsSite();
});
afterEach(() => site.close());

/** Ways to keep the connections that wait for a worker which is replaced. */
const LOSSLESS = [...LIBRARIES, ...(canMoveServers() ? ['off'] : [])];

describe('restartWorkers', { timeout: 90_000 }, () => {
  test.each(LOSSLESS)('loses no connection, with native calls: %s', async (library) => {
    const unix = join(site.folder, 'site.sock');
    const child = site.start({ threads: 2 }, ['--unix', unix], library);
    const [place = ''] = await child.running();
    const churn = new Churn([place, unix]);
    for (let round = 0; round < 4; round += 1) {
      const before = churn.total;
      expect(await child.obey('restart')).toEqual({ restarted: true });
      await until('connections after a restart', () => churn.total >= before + 50);
    }
    await churn.stop();
    expect(churn.failures).toEqual([]);
    // Threads of the last round are serving, and each has been one of five in its place.
    expect(churn.served.size).toBeGreaterThan(5);
    expect(Math.min(...(await spread(place, 50)).keys())).toBeGreaterThan(8);
    const { workers } = await child.obey<ServerStats>('stats');
    expect(workers.map(({ restarts }) => restarts)).toEqual([4, 4]);
    child.kill('SIGTERM');
    expect(await child.exitCode()).toBe(0);
    expect(child.logged('lost')).toEqual([]);
  });

  test.skipIf(canMoveServers())('says that connections are lost where there is no way to keep them', async () => {
    const child = site.start({ threads: 2 }, [], 'off');
    const [place = ''] = await child.running();
    await child.obey('restart');
    expect((await spread(place, 50)).size).toBe(2);
    expect(child.logged('connections that wait for the worker which is replaced are lost')).toHaveLength(2);
  });

  test.each(LOSSLESS)('leaves nothing open after 20 restarts, with native calls: %s', async (library) => {
    const unix = join(site.folder, 'site.sock');
    const child = site.start({ threads: 2 }, ['--unix', unix], library);
    const [place = ''] = await child.running();
    await child.obey('restart');
    // The second thread is given its part in the unix socket a moment after it serves, where that can be done.
    const sharing = library === 'off' ? 1 : 2;
    await until('both threads at the unix socket', async () => (await spread(unix, 30)).size === sharing);
    const { fds: before } = await child.obey<{ fds: number }>('fds');
    for (let round = 0; round < 10; round += 1) await child.obey('restart');
    const left = async (): Promise<number> => (await child.obey<{ fds: number }>('fds')).fds - before;
    await until('descriptors to be closed', async () => (await left()) <= 0, 5_000);
    expect((await spread(place, 50)).size).toBe(2);
    expect(await ask(unix)).toMatchObject({ index: expect.any(Number) });
  });

  test('lets a request finish on the thread where it began', async () => {
    const child = site.start({ threads: 2 });
    const [place = ''] = await child.running();
    const slow = ask(place, '/slow?ms=1500');
    await child.obey('restart');
    expect(await slow).toMatchObject({ connection: 'close' });
    expect([...(await spread(place, 30)).keys()]).not.toContain((await slow).thread);
  });

  test('cuts what has not finished at the end of the grace period', async (context) => {
    const child = site.start({ threads: 2, grace_period_seconds: 0.5, graceful_shutdown_timeout_seconds: 0.1 });
    const [place = ''] = await child.running();
    const client = await RawClient.connect({ port: Number(place.split(':')[1]) });
    context.onTestFinished(() => client.close());
    await client.send('GET /slow?ms=60000 HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the request', async () => (await ask(place)).requests >= 2);
    expect(await child.obey('restart')).toEqual({ restarted: true });
    await client.waitForClose();
    expect(client.text).toBe('');
  });

  test('rejects when a new thread cannot begin; the old ones go on', async () => {
    const broken = join(site.folder, 'broken');
    const child = site.start({ threads: 2 }, ['--broken', broken]);
    const [place = ''] = await child.running();
    const before = [...(await spread(place, 50)).keys()].toSorted();
    writeFileSync(broken, '');
    const { error } = await child.obey<{ error: string }>('restart');
    expect(error).toContain('no thread can begin');
    expect([...(await spread(place, 50)).keys()].toSorted()).toEqual(before);
  });
});
