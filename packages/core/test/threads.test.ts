import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RawClient } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerStats } from '../src/index.ts';
import { LIBRARIES } from './libraries.ts';
import { type Answer, ask, spread, ThreadsSite, until } from './threads-site.ts';

let site: ThreadsSite;
beforeEach(() => {
  site = new ThreadsSite();
});
afterEach(() => site.close());

function threadIn(response: string): number {
  return (JSON.parse(response.slice(response.indexOf('{'))) as Answer).thread;
}

const LIMIT = { timeout: 60_000 };

describe('threads', LIMIT, () => {
  test.each([
    [2, 0.4, 0.6],
    [4, 0.17, 0.33],
  ])('%d threads share the connections evenly', async (threads, least, most) => {
    const [place = ''] = await site.start({ threads }).running();
    // A share is wrong by more than six times its standard deviation then.
    const counts = await spread(place, 1_000);
    expect(counts.size).toBe(threads);
    for (const count of counts.values()) {
      expect(count / 1_000).toBeGreaterThan(least);
      expect(count / 1_000).toBeLessThan(most);
    }
  });

  test('serve in worker threads, which know that they are', async () => {
    const [place = ''] = await site.start({ threads: 2 }).running();
    const { thread, isMain, isReady, index } = await ask(place);
    expect(thread).toBeGreaterThan(0);
    expect(isMain).toBe(false);
    expect([0, 1]).toContain(index);
    await until('ready', async () => (await ask(place)).isReady);
    expect(isReady).toBeTypeOf('boolean');
  });

  test('1 thread serves on the main thread', async () => {
    const [place = ''] = await site.start({ threads: 1 }).running();
    expect(await ask(place)).toMatchObject({ thread: 0, isMain: true });
  });

  test('share memory that the server gives', async () => {
    const [place = ''] = await site.start({ threads: 2 }).running();
    const counts = await spread(place, 100);
    expect(counts.size).toBe(2);
    expect((await ask(place)).requests).toBe(101);
  });

  test('a service has threads of its own, beside one that runs alone', async () => {
    const child = site.start({ threads: 1 }, ['--own', '3']);
    const [place = ''] = await child.running();
    expect((await spread(place, 200)).size).toBe(3);
    const { workers } = await child.obey<ServerStats>('stats');
    expect(workers.map(({ service }) => service)).toEqual(['site', 'site', 'site']);
    const alone = /"service":"alone".*?"endpoints":\["([^"]+)"\]/.exec(child.err)?.[1] ?? '';
    expect(await (await fetch(`http://${alone}/`)).text()).toBe('0');
  });

  test('a second server on the same address does not start', async () => {
    const [place = ''] = await site.start({ threads: 2 }).running();
    const second = site.start({ threads: 2 }, ['--listen', place]);
    expect(await second.exitCode()).toBe(1);
    expect(second.err).toContain(
      `service site cannot listen on ${place} (EADDRINUSE): something listens there already; stop it or choose another address`,
    );
    expect((await spread(place, 50)).size).toBe(2);
  });

  test('maxConnections is exact over all threads', async (context) => {
    const child = site.start({ threads: 2 }, ['--limit', '20']);
    const [place = ''] = await child.running();
    const port = Number(place.split(':')[1]);
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect({ port })));
    context.onTestFinished(() => Promise.all(clients.map((client) => client.close())).then(() => {}));
    const threads = new Set<number>();
    for (const client of clients) {
      await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      threads.add(threadIn(await client.waitFor(/\{.*\}/)));
    }
    expect(threads.size).toBe(2);
    for (let i = 0; i < 10; i += 1) await expect(ask(place)).rejects.toThrow('status 503');
    await clients.shift()?.close();
    await until('a place', () =>
      ask(place).then(
        () => true,
        () => false,
      ),
    );
    const { services } = await child.obey<ServerStats>('stats');
    expect(services.site).toMatchObject({ connections: { open: 19 } });
  });

  test('stats() adds the counters of all threads, and lists the threads', async () => {
    const child = site.start({ threads: 2 });
    const [place = ''] = await child.running();
    await spread(place, 50);
    const { services, workers, phase, ready } = await child.obey<ServerStats>('stats');
    expect(services.site).toMatchObject({ connections: { accepted: 50 } });
    expect({ phase, ready }).toEqual({ phase: 'Running', ready: true });
    expect(workers).toEqual([
      expect.objectContaining({ service: 'site', index: 0, up: true, restarts: 0, heapUsed: expect.any(Number) }),
      expect.objectContaining({ service: 'site', index: 1, up: true, restarts: 0, heapUsed: expect.any(Number) }),
    ]);
  });

  test.each(LIBRARIES)('all serve a unix socket, with %s', async (library) => {
    const unix = join(site.folder, 'site.sock');
    const child = site.start({ threads: 3 }, ['--unix', unix], library);
    await child.running();
    const seen = new Set<number>();
    await until('all threads', async () => {
      for (const thread of (await spread(unix, 60)).keys()) seen.add(thread);
      return seen.size === 3;
    });
    child.kill('SIGTERM');
    expect(await child.exitCode()).toBe(0);
    expect(existsSync(unix)).toBe(false);
  });

  test('the first one serves a unix socket where there are no native calls', async () => {
    const unix = join(site.folder, 'site.sock');
    const child = site.start({ threads: 2 }, ['--unix', unix], 'off');
    const [place = ''] = await child.running();
    expect((await spread(unix, 50)).size).toBe(1);
    expect((await ask(unix)).index).toBe(0);
    expect((await spread(place, 50)).size).toBe(2);
  });
});

describe('the entry module of threads', LIMIT, () => {
  test('adds other services in the workers: says so, code 1', async () => {
    const child = site.start({ threads: 2 }, ['--mistake', 'services']);
    expect(await child.exitCode()).toBe(1);
    expect(child.err).toContain(
      'this thread should run service \\"site\\", but the entry module has added \\"other\\" in its place',
    );
  });

  test('does not run the server in the workers: says so, code 1', async () => {
    const child = site.start({ threads: 2 }, ['--mistake', 'never']);
    expect(await child.exitCode()).toBe(1);
    expect(child.err).toContain('does not run a server with service \\"site\\" in a worker thread');
  });

  test('cannot be found: names it, code 1', async () => {
    const child = site.start({ threads: 2 }, ['--entry', 'no-such-module.ts']);
    expect(await child.exitCode()).toBe(1);
    expect(child.err).toContain('no-such-module.ts');
  });

  test('is another one than the started one', async (context) => {
    const fixture = fileURLToPath(new URL('fixtures/threaded-process.ts', import.meta.url));
    const args = [...site.configure({ threads: 2 }), '--entry', fixture];
    const code = `process.argv.splice(1, 0, 'evaluated'); await import(${JSON.stringify(fixture)});`;
    const flags = ['--conditions=@cirque/source', '--input-type=module', '--eval', code, '--'];
    const child = spawn(process.execPath, [...flags, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    context.onTestFinished(() => void child.kill('SIGKILL'));
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    await until('the server', () => out.includes('running'));
    const [place = ''] = JSON.parse(/running (.*)/.exec(out)?.[1] ?? '[]') as string[];
    expect((await spread(place, 50)).size).toBe(2);
  });
});
