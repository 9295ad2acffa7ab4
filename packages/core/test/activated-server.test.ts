/**
 * A whole server on sockets of a service manager (systemd's LISTEN_FDS), with and without threads.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { descriptorOf } from '@cirque/sys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { spread, ThreadsSite, until } from './threads-site.ts';

const PROGRAM = fileURLToPath(new URL('fixtures/threaded-process.ts', import.meta.url));

let site: ThreadsSite;
let manager: Server;
let child: ChildProcess | undefined;
let log = '';
beforeEach(async () => {
  site = new ThreadsSite();
  log = '';
  // As systemd does it: nobody else may bind the address.
  manager = createServer().listen(0, '127.0.0.1');
  await once(manager, 'listening');
});
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
  manager.close();
  site.close();
});

/** Starts the fixture on the socket. @returns the address. */
function activate(threads: number, ffi: string): string {
  const { port } = manager.address() as { port: number };
  const address = `127.0.0.1:${port}`;
  const words = [...site.configure({ threads }), '--listen', address];
  const command = [process.execPath, '--conditions=@cirque/source', PROGRAM, ...words];
  child = spawn('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...command], {
    env: { ...process.env, NODE_OPTIONS: '', CIRQUE_LOG: '', LOG_LEVEL: '', LISTEN_FDS: '1', CIRQUE_FFI: ffi },
    stdio: ['pipe', 'ignore', 'pipe', descriptorOf(manager) as number],
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  return address;
}

describe('a server on sockets of a service manager', { timeout: 40_000 }, () => {
  test.each([
    ['one thread', 1, ''],
    ['one thread, without native calls', 1, 'off'],
    ['two threads', 2, ''],
  ])('%s', async (_name, threads, ffi) => {
    const address = activate(threads, ffi);
    manager.close(); // our end: who answers now is the server
    expect((await spread(address, 20)).size).toBeGreaterThan(0);
    child?.kill('SIGTERM');
    expect(await once(child as ChildProcess, 'exit')).toEqual([0, null]);
    expect(log).not.toContain('"level":50');
  });

  test('two threads without native calls: the log says what the unit needs', async () => {
    activate(2, 'off');
    await until('the end', () => child?.exitCode !== null);
    expect(child?.exitCode).toBe(1);
    expect(log).toContain('needs ReusePort=yes in the unit of the socket: native calls are switched off');
  });
});
