/**
 * A server as the first process of a container: the system gives such a process only the signals that it handles.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ask, ThreadsSite, until } from './threads-site.ts';

const PROGRAM = fileURLToPath(new URL('fixtures/threaded-process.ts', import.meta.url));
const NAMESPACE = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const canIsolate = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;
if (!canIsolate) console.warn('unshare is missing, or not allowed: a server as process 1 is not tested');

let site: ThreadsSite;
let child: ChildProcess | undefined;
beforeEach(() => {
  site = new ThreadsSite();
});
afterEach(() => {
  child?.kill('SIGKILL'); // which ends the namespace with everything in it
  site.close();
});

/** Starts the fixture as process 1. @returns its number outside, and its address. */
async function start(threads: number): Promise<{ pid: number; place: string }> {
  const command = [process.execPath, '--conditions=@cirque/source', PROGRAM, ...site.configure({ threads })];
  const own = { NODE_OPTIONS: '', CIRQUE_LOG: '', LOG_LEVEL: '' };
  child = spawn('unshare', [...NAMESPACE, ...command], {
    env: { ...process.env, ...own },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let out = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    out += chunk.toString();
    const place = /^running \["(.*?)"\]/m.exec(out)?.[1];
    if (place === undefined) continue;
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    return { pid: Number(children.trim()), place };
  }
  throw new Error(`ended before it served: ${out}`);
}

test.runIf(canIsolate).each([1, 2])(
  'process 1 with %i threads stops gracefully at SIGTERM',
  { timeout: 40_000 },
  async (threads) => {
    const { pid, place } = await start(threads);
    expect(await ask(place)).toMatchObject({ pid: 1 });
    const slow = ask(place, '/?ms=700');
    let asked = 2;
    await until('the slow request to begin', async () => {
      asked += 1;
      return (await ask(place)).requests === asked;
    });
    const ended = once(child as ChildProcess, 'exit');
    process.kill(pid, 'SIGTERM');
    expect(await slow).toMatchObject({ pid: 1 });
    expect(await ended).toEqual([0, null]);
  },
);
