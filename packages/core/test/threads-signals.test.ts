import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { RawClient } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, ask, askTls, type Place, ThreadsSite, until } from './threads-site.ts';

let site: ThreadsSite;
beforeEach(() => {
  site = new ThreadsSite();
});
afterEach(() => site.close());

/** One answer of each of two threads. */
async function eachThread<A extends Answer>(send: () => Promise<A>): Promise<readonly A[]> {
  const answers = new Map<number, A>();
  while (answers.size < 2) {
    const answer = await send();
    answers.set(answer.thread, answer);
  }
  return [...answers.values()];
}

/** Twelve requests, under way in two threads when this resolves, with a function that waits for their ends. */
async function slowRequests(place: Place, ms: number): Promise<() => Promise<PromiseSettledResult<Answer>[]>> {
  const { requests } = await ask(place);
  const answers = Promise.allSettled(Array.from({ length: 12 }, () => ask(place, `/slow?ms=${ms}`)));
  let asked = requests;
  await until('slow requests', async () => {
    asked += 1;
    return (await ask(place)).requests === asked + 12;
  });
  return () => answers;
}

const SHORT = { threads: 2, grace_period_seconds: 0.5, graceful_shutdown_timeout_seconds: 0.1 };

describe('stopping with threads', { timeout: 60_000 }, () => {
  test('SIGTERM: requests under way finish in all threads, then the process ends with code 0', async () => {
    const child = site.start({ threads: 2 });
    const [place = ''] = await child.running();
    const idle = await RawClient.connect({ port: Number(place.split(':')[1]) });
    await idle.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.waitFor('}');
    const ends = await slowRequests(place, 1_500);
    const started = performance.now();
    child.kill('SIGTERM');
    const answers = (await ends()).map((end) => (end.status === 'fulfilled' ? end.value : undefined));
    expect(answers).not.toContain(undefined);
    expect(new Set(answers.map((answer) => answer?.thread)).size).toBe(2);
    expect(await child.exitCode()).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000); // and not the 300 s of the grace period
    expect(await idle.waitForClose()).toBe('end');
    await expect(ask(place)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('SIGTERM: connections that may be used again are told to close, in all threads', async (context) => {
    const child = site.start({ threads: 2 });
    const [place = ''] = await child.running();
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => RawClient.connect({ port: Number(place.split(':')[1]) })),
    );
    context.onTestFinished(() => Promise.all(clients.map((client) => client.close())).then(() => {}));
    for (const client of clients) await client.send('GET /slow?ms=1000 HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the requests', async () => (await ask(place)).requests > 8);
    child.kill('SIGTERM');
    for (const client of clients) expect(await client.waitFor('}')).toMatch(/\r\nConnection: close\r\n/i);
    expect(await child.exitCode()).toBe(0);
  });

  test('SIGTERM: what has not finished is cut at the deadline, code 3', async () => {
    const child = site.start(SHORT);
    const [place = ''] = await child.running();
    const ends = await slowRequests(place, 60_000);
    child.kill('SIGTERM');
    expect(await child.exitCode()).toBe(3);
    expect((await ends()).map(({ status }) => status)).not.toContain('fulfilled');
    expect(child.logged('cutting what has not finished')).toEqual([
      expect.objectContaining({ services: ['site (12 open connections)'] }),
    ]);
  });

  test('SIGTERM: readiness flips in all threads, which go on for the delay', async () => {
    const child = site.start({ threads: 2, drain_delay_seconds: 3 });
    const [place = ''] = await child.running();
    await until('ready', async () => (await eachThread(() => ask(place))).every(({ isReady }) => isReady));
    child.kill('SIGTERM');
    await until('not ready', async () => (await eachThread(() => ask(place))).every(({ isReady }) => !isReady), 2_500);
    expect(await child.exitCode()).toBe(0);
  });

  test.each([
    ['SIGINT', 'SIGINT'],
    ['a second SIGTERM', 'SIGTERM'],
  ] as const)('%s cuts requests in all threads', async (name, signal) => {
    const child = site.start({ threads: 2 });
    const [place = ''] = await child.running();
    const ends = await slowRequests(place, 60_000);
    if (name !== signal) {
      child.kill('SIGTERM');
      await child.logs(/open connections may finish/);
    }
    const started = performance.now();
    child.kill(signal);
    expect(await child.exitCode()).toBe(0);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect((await ends()).map(({ status }) => status)).not.toContain('fulfilled');
  });

  test('SIGTERM while threads begin', async () => {
    const child = site.start({ threads: 4 });
    await child.logs(/"msg":"listening"/);
    child.kill('SIGTERM');
    expect(await child.exitCode()).toBe(0);
    expect(child.err).not.toMatch(/"level":[56]0/);
  });
});

describe('SIGHUP and SIGUSR2 with threads', { timeout: 60_000 }, () => {
  test('settings change in all threads; what needs a start is told', async () => {
    const child = site.start({ threads: 2, grace_period_seconds: 7 });
    const [place = ''] = await child.running();
    expect((await eachThread(() => ask(place))).map(({ grace }) => grace)).toEqual([7, 7]);
    site.configure({ threads: 3, grace_period_seconds: 9 });
    child.kill('SIGHUP');
    await child.logs(/configuration read again/);
    await until('the settings', async () => (await eachThread(() => ask(place))).every(({ grace }) => grace === 9));
    expect(JSON.stringify(child.logged('these settings take effect with the next start'))).toContain('"threads"');
  });

  test('threads that begin later have the settings, too', async () => {
    const child = site.start({ threads: 2, grace_period_seconds: 7 });
    const [place = ''] = await child.running();
    site.configure({ threads: 2, grace_period_seconds: 9 });
    child.kill('SIGHUP');
    await child.logs(/configuration read again/);
    await child.obey('restart');
    expect((await eachThread(() => ask(place))).map(({ grace }) => grace)).toEqual([9, 9]);
  });

  test('new certificates are seen in all threads; bad ones change nothing', async () => {
    const child = site.start({ threads: 2 }, ['--tls', site.certificate('first')]);
    const [, place = ''] = await child.running();
    const servers = async (): Promise<unknown> => (await eachThread(() => askTls(place))).map(({ server }) => server);
    expect(await servers()).toEqual(['first', 'first']);
    site.certificate('second');
    child.kill('SIGHUP');
    await child.logs(/certificates read again/);
    expect(await servers()).toEqual(['second', 'second']);
    site.spoilCertificate();
    child.kill('SIGHUP');
    await child.logs(/certificates could not be read; the old ones stay/);
    expect(await servers()).toEqual(['second', 'second']);
  });

  test.each(['SIGHUP', 'SIGUSR2'] as const)('%s: log files are opened again in all threads', async (signal) => {
    const log = join(site.folder, 'requests.log');
    const child = site.start({ threads: 2 }, ['--log', log]);
    const [place = ''] = await child.running();
    await eachThread(() => ask(place, '/before'));
    renameSync(log, `${log}.1`);
    child.kill(signal);
    await until('the file', () => existsSync(log));
    await until('lines of both threads', async () => {
      await ask(place, '/after');
      return new Set(lines(log).map((line) => line.split(' ')[1])).size === 2;
    });
    expect(lines(log).every((line) => line.startsWith('/after'))).toBe(true);
    expect(new Set(lines(`${log}.1`).map((line) => line.split(' ')[1])).size).toBe(2);
  });
});

function lines(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

describe('session tickets with threads', { timeout: 60_000 }, () => {
  test('a session that began in one thread is resumed in another, until the keys are rotated', async () => {
    const child = site.start({ threads: 2 }, ['--tls', site.certificate('first')]);
    const [, place = ''] = await child.running();
    const first = await askTls(place);
    expect(first).toMatchObject({ reused: false, session: expect.any(Buffer) });
    const others = await eachThread(() => askTls(place, first.session));
    expect(others.map(({ reused }) => reused)).toEqual([true, true]);
    expect(await child.obey('rotate')).toEqual({ keyBytes: 48 });
    await until('new keys', async () => {
      const answers = await eachThread(() => askTls(place, first.session));
      return answers.every(({ reused }) => !reused);
    });
    const fresh = await askTls(place);
    const resumed = await eachThread(() => askTls(place, fresh.session));
    expect(resumed.map(({ reused }) => reused)).toEqual([true, true]);
  });

  test('threads that begin later have the keys, too', async () => {
    const child = site.start({ threads: 2 }, ['--tls', site.certificate('first')]);
    const [, place = ''] = await child.running();
    await child.obey('rotate');
    const { session } = await askTls(place);
    await child.obey('restart');
    const resumed = await eachThread(() => askTls(place, session));
    expect(resumed.map(({ reused }) => reused)).toEqual([true, true]);
  });
});
