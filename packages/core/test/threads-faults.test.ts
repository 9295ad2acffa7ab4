import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerStats } from '../src/index.ts';
import { LIBRARIES } from './libraries.ts';
import { ask, Churn, spread, type ThreadedProcess, ThreadsSite, until } from './threads-site.ts';

let site: ThreadsSite;
beforeEach(() => {
  site = new ThreadsSite();
});
afterEach(() => site.close());

/** How often workers were replaced; undefined while one is missing. */
async function restarts(child: ThreadedProcess): Promise<number | undefined> {
  const { workers } = await child.obey<ServerStats>('stats');
  if (workers.some(({ up }) => up !== true)) return undefined;
  return workers.reduce((sum, worker) => sum + (worker.restarts as number), 0);
}

const FAULTS = [
  ['throws', '/throw', 'thrown by a request'],
  ['rejects', '/reject', 'rejected by a request'],
  ['calls process.exit()', '/exit', 'it ended by itself with code 7'],
] as const;

describe('a worker', { timeout: 60_000 }, () => {
  test.each(FAULTS)('that %s leaves the connections which it has not accepted to others', async (_, path, reason) => {
    const child = site.start({ threads: 2 });
    const [place = ''] = await child.running();
    const { thread } = await ask(place, path);
    await child.prints(new RegExp(`doomed ${thread}`));
    // It computes for a while before it dies: about half of these wait for it, and nobody else.
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(place)));
    for (const answer of answers) expect(answer.thread).not.toBe(thread);
    await until('another worker', async () => (await restarts(child)) === 1);
    expect((await spread(place, 50)).size).toBe(2);
    const [line] = child.logged('a worker has ended');
    expect(JSON.stringify(line)).toContain(reason);
    expect(line).toMatchObject({ level: 50, service: 'site', restartInMs: 100, waitingConnections: 'kept' });
  });

  test('that dies where there are no native calls: what is lost is told', async () => {
    const child = site.start({ threads: 2 }, [], 'off');
    const [place = ''] = await child.running();
    await ask(place, '/throw');
    await until('another worker', async () => (await restarts(child)) === 1);
    expect((await spread(place, 50)).size).toBe(2);
    expect(child.logged('a worker has ended')).toEqual([expect.objectContaining({ waitingConnections: 'lost' })]);
  });

  test.each(LIBRARIES)('that dies again and again is started more and more slowly, with %s', async (library) => {
    const fate = join(site.folder, 'fate');
    const child = site.start({ threads: 2 }, ['--unix', join(site.folder, 'site.sock'), '--fate', fate], library);
    const places = await child.running();
    writeFileSync(fate, 'die');
    for (let index = -1; index !== 0; ) ({ index } = await ask(places[0] ?? '', '/throw-if-first'));
    const churn = new Churn(places);
    await until('a long wait', () => child.logged('a worker has ended').length >= 5);
    rmSync(fate);
    const before = churn.total;
    await until('both to serve', async () => (await spread(places[0] ?? '', 20)).size === 2);
    await until('further connections', () => churn.total > before + 50);
    await churn.stop();
    const waits = child.logged('a worker has ended').map(({ restartInMs }) => restartInMs);
    expect(waits.slice(0, 5)).toEqual([100, 200, 400, 800, 1_600]);
    // At most what the dying worker had accepted: all eight clients, each time.
    expect(churn.failures.length).toBeLessThanOrEqual(waits.length * 8);
    expect(churn.failures.filter((failure) => !failure.endsWith('ECONNRESET'))).toEqual([]);
    expect(child.logged('cannot')).toEqual([]);
  });

  test('whose heap fills is replaced in time, and no connection is lost', async () => {
    const child = site.start({ threads: 2, worker_heap_mb: 64 });
    const [place = ''] = await child.running();
    const churn = new Churn([place]);
    const { thread } = await ask(place, '/leak');
    await until('a worker in its place', async () => (await restarts(child)) === 1, 40_000);
    await until('the end of the old one', async () => !(await spread(place, 50)).has(thread));
    await churn.stop();
    expect(churn.failures).toEqual([]);
    expect(child.logged('the heap of a worker is nearly full')).toHaveLength(1);
    expect(child.logged('a worker has ended')).toEqual([]);
  });

  test('that answers nobody is done without: others accept its connections, then it is replaced', async () => {
    const child = site.start({ threads: 2 });
    const [place = ''] = await child.running();
    const { thread } = await ask(place, '/spin');
    await child.prints(new RegExp(`doomed ${thread}`));
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(place)));
    for (const answer of answers) expect(answer.thread).not.toBe(thread);
    expect(performance.now() - started).toBeLessThan(9_000);
    expect(child.logged('a worker does not answer; others accept its connections')).toHaveLength(1);
    await until('another worker', async () => (await restarts(child)) === 1);
    expect((await spread(place, 50)).size).toBe(2);
    expect(JSON.stringify(child.logged('a worker has ended'))).toContain('it has answered nobody for ten seconds');
  });

  test('that answers again after a while is left alone', async () => {
    const child = site.start({ threads: 2 });
    const [place = ''] = await child.running();
    const { thread } = await ask(place, '/think');
    await child.logs(/a worker answers again/);
    expect(await restarts(child)).toBe(0);
    await until('its connections', async () => (await spread(place, 20)).has(thread));
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'that cannot be ended does not keep the process alive: %s',
    async (signal) => {
      const pipe = join(site.folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      const child = site.start({ threads: 2, grace_period_seconds: 1, graceful_shutdown_timeout_seconds: 1 }, [
        '--pipe',
        pipe,
      ]);
      const [place = ''] = await child.running();
      const { thread } = await ask(place, '/block');
      await child.prints(new RegExp(`doomed ${thread}`));
      const started = performance.now();
      child.kill(signal);
      await expect(child.exitCode()).rejects.toThrow('ended by SIGKILL');
      expect(performance.now() - started).toBeLessThan(15_000);
      expect(child.logged('the process is still alive')).toEqual([expect.objectContaining({ cannotExit: true })]);
    },
  );
});
