import { EventEmitter } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { LeakCheck } from './leak-check.ts';

test('LeakCheck names a server and a timer that were left, and is content once they are gone', async () => {
  const check = LeakCheck.start();
  const timer = setTimeout(() => undefined, 60_000);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  expect(check.leaks()).toEqual(expect.arrayContaining(['1 more TCPServerWrap', '1 more Timeout']));
  await expect(check.assertClean(20)).rejects.toThrow(/^left behind: .*1 more TCPServerWrap/);
  clearTimeout(timer);
  server.close();
  await check.assertClean();
});

test('LeakCheck counts listeners of the process, of emitters and of signals', async () => {
  const emitter = new EventEmitter();
  const { signal } = new AbortController();
  const check = LeakCheck.start({ watch: [emitter, signal] });
  const listener = (): void => undefined;
  process.on('SIGUSR2', listener);
  emitter.on('drain', listener);
  signal.addEventListener('abort', listener);
  const leaks = check.leaks().filter((leak) => leak.includes('listeners'));
  expect(leaks.sort()).toEqual([
    '1 more listeners for SIGUSR2 of process',
    '1 more listeners for abort of watched target 1',
    '1 more listeners for drain of watched target 0',
  ]);
  process.off('SIGUSR2', listener);
  emitter.off('drain', listener);
  signal.removeEventListener('abort', listener);
  await check.assertClean();
});

test('LeakCheck waits for what is being closed', async () => {
  const server = createServer();
  const check = LeakCheck.start();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  setImmediate(() => setImmediate(() => server.close()));
  await check.assertClean();
});

test('LeakCheck ignores the kinds it is told to ignore', () => {
  const check = LeakCheck.start({ ignore: ['Timeout'] });
  const timer = setTimeout(() => undefined, 60_000);
  expect(check.leaks()).toEqual([]);
  clearTimeout(timer);
});
