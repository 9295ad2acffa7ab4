import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';

const THREADS = ['a', 'b', 'c'];
const ROTATIONS = 6;
const OPTIONS = ['--conditions=@cirque/source'];

let folder: string;
let workers: Worker[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-log-files-'));
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
  workers = [];
  rmSync(folder, { recursive: true });
});

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** Tells all threads something and waits for their answers. */
async function tell(command: 'reopen' | 'stop'): Promise<number[]> {
  const answers = workers.map(async (worker) => {
    worker.postMessage(command);
    return ((await once(worker, 'message')) as [number])[0];
  });
  return Promise.all(answers);
}

test('LogFiles: threads that write one file lose and tear no line while it is rotated', async () => {
  const path = join(folder, 'access.log');
  workers = THREADS.map(
    (name) => new Worker(fixture('log-writer.ts'), { workerData: { path, name }, execArgv: OPTIONS }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
    await tell('reopen'); // everybody has the file, and has written to it
    renameSync(path, `${path}.${rotation}`);
    await tell('reopen');
  }
  const ended = workers.map((worker) => once(worker, 'exit'));
  await tell('stop');
  await Promise.all(ended);

  const files = readdirSync(folder);
  expect(files).toHaveLength(ROTATIONS + 1);
  const lines = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
  for (const name of THREADS) {
    const numbers = lines.filter((line) => line.startsWith(`${name} `)).map((line) => Number(line.split(' ')[1]));
    numbers.sort((one, other) => one - other);
    expect(numbers.length).toBeGreaterThan(100);
    expect(numbers).toEqual(numbers.map((_number, index) => index + 1));
  }
  expect(lines.filter((line) => !/^[abc] \d+ x{0,89}\.$/.test(line))).toEqual([]);
}, 40_000);

test('AppendFile: a line that did not fit does not spoil the next one', () => {
  const path = join(folder, 'a.log');
  // The limit counts blocks of 512 or 1,024 bytes, depending on the shell; the lines exceed either within one of them.
  const script = 'trap "" XFSZ; ulimit -f 2; exec "$@"';
  const command = [process.execPath, ...OPTIONS, fixture('torn-log.ts'), path];
  const env = { ...process.env, NODE_OPTIONS: '', NODE_DISABLE_COMPILE_CACHE: '1' };
  const out = execFileSync('sh', ['-c', script, 'sh', ...command], { encoding: 'utf8', env });
  expect(out).toBe('1 failure: EFBIG\n');
  expect(readFileSync(path, 'utf8')).toBe('\nwhole\nagain\n');
});
