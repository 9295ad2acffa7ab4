/** The wheel in a real process: it fires, it does not keep the process alive, each thread has its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { LeakCheck } from '@cirque/testing';
import { expect, test } from 'vitest';
import { defaultWheel, sleep, Timer } from '../src/index.ts';

const SOURCE = new URL('../src/index.ts', import.meta.url).href;

test('defaultWheel expires timers in real time, not early', async () => {
  const leaks = LeakCheck.start();
  const started = performance.now();
  const keepAlive = setTimeout(() => undefined, 60_000);
  await sleep(30);
  clearTimeout(keepAlive);
  expect(performance.now() - started).toBeGreaterThanOrEqual(30);
  expect(defaultWheel.size).toBe(0);
  await leaks.assertClean();
});

test('Timer does not keep the process alive', async () => {
  const script = `
    const { Timer } = await import(${JSON.stringify(SOURCE)});
    new Timer(() => console.log('expired')).set(600_000);
    console.log('armed');
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout).toBe('armed\n');
});

test('defaultWheel belongs to its thread', async () => {
  const timer = new Timer(() => undefined);
  timer.set(600_000);
  const script = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(SOURCE)}).then(({ defaultWheel, Timer }) => {
      const before = defaultWheel.size;
      const keepAlive = setInterval(() => undefined, 1_000);
      new Timer(() => { parentPort.postMessage([before, defaultWheel.size]); clearInterval(keepAlive); }).set(1);
    });
  `;
  const worker = new Worker(script, { eval: true });
  const message = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  expect(message).toEqual([0, 0]);
  expect(defaultWheel.size).toBe(1);
  timer.close();
  await worker.terminate();
});
