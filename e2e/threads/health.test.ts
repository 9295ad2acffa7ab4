/**
 * One health checker for all threads: what it finds is seen in every one of them, and backends are asked once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScratchFolder } from '../src/scratch-folder.ts';

const PROGRAM = fileURLToPath(new URL('gateway.ts', import.meta.url));
const THREADS = 3;

/** A backend that can be made to fail its health checks, and counts them. */
class TestBackend {
  readonly server: Server;
  healthy = true;
  checks = 0;

  constructor(name: string) {
    this.server = createServer((request, response) => {
      if (request.url !== '/health') return void response.end(name);
      this.checks += 1;
      response.writeHead(this.healthy ? 200 : 503).end();
    });
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
}

let folder: ScratchFolder;
let backends: readonly [TestBackend, TestBackend];
let gateway: ChildProcess | undefined;

beforeEach(async () => {
  folder = await ScratchFolder.make();
  backends = [new TestBackend('a'), new TestBackend('b')];
});

afterEach(async () => {
  if (gateway !== undefined && gateway.exitCode === null && gateway.signalCode === null) {
    gateway.kill('SIGKILL');
    await once(gateway, 'close');
  }
  for (const { server } of backends) {
    server.closeAllConnections();
    server.close();
  }
  await folder.remove();
});

async function start(): Promise<string> {
  const addresses = await Promise.all(backends.map((backend) => backend.listen()));
  const conf = await folder.file('conf.yaml', `version: 1\nthreads: ${THREADS}\n`);
  const words = ['--conditions=@cirque/source', PROGRAM, '-c', conf, '--backends', addresses.join(',')];
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, CIRQUE_LOG: 'warn' },
  });
  gateway = child;
  let out = '';
  for await (const part of child.stdout.setEncoding('utf8')) {
    out += part;
    const address = /listening on (\S+)\n/.exec(out)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error('the gateway ended');
}

interface Answer {
  readonly thread: string | null;
  readonly healthy: string | null;
  readonly backend: string;
}

async function ask(address: string): Promise<Answer> {
  const { headers, ...response } = await fetch(`http://${address}/`, { headers: { connection: 'close' } }).then(
    async (answer) => ({ headers: answer.headers, text: await answer.text() }),
  );
  return { thread: headers.get('x-thread'), healthy: headers.get('x-healthy'), backend: response.text };
}

/** Asks until every thread has answered twelve times, and answers what they said, by thread. */
async function poll(address: string): Promise<Map<string, Answer[]>> {
  const answers = new Map<string, Answer[]>();
  for (let least = 0; least < 12; ) {
    const answer = await ask(address);
    answers.set(String(answer.thread), [...(answers.get(String(answer.thread)) ?? []), answer]);
    least = answers.size < THREADS ? 0 : Math.min(...[...answers.values()].map(({ length }) => length));
  }
  return answers;
}

async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await check())) {
    if (performance.now() > end) throw new Error('it did not happen within ten seconds');
    await sleep(50);
  }
}

/** True when every thread holds so many backends for healthy. */
async function allSay(address: string, healthy: number): Promise<boolean> {
  return [...(await poll(address)).values()].flat().every((answer) => answer.healthy === String(healthy));
}

test('a health check that fails on the main thread is seen by all threads, and its recovery, too', {
  timeout: 60_000,
}, async () => {
  const address = await start();
  const backendsOf = (answers: readonly Answer[]): string =>
    [...new Set(answers.map(({ backend }) => backend))].toSorted().join('');
  await eventually(() => allSay(address, 2));
  for (const answers of (await poll(address)).values()) expect(backendsOf(answers)).toBe('ab');

  backends[0].healthy = false;
  await eventually(() => allSay(address, 1));
  for (const answers of (await poll(address)).values()) expect(backendsOf(answers)).toBe('b');

  backends[0].healthy = true;
  await eventually(() => allSay(address, 2));
  for (const answers of (await poll(address)).values()) expect(backendsOf(answers)).toBe('ab');
});

test('backends are checked once, however many threads there are', { timeout: 60_000 }, async () => {
  await start();
  const before = backends[1].checks;
  const started = performance.now();
  await eventually(() => backends[1].checks >= before + 10);
  const perSecond = (backends[1].checks - before) / ((performance.now() - started) / 1_000);
  // Ten each second, for all threads together.
  expect(perSecond).toBeLessThan(15);
});
