import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatagramReceiver } from '@cirque/testing/datagram-receiver';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Program } from './program.ts';

let folder: string;
const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-deploy-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  rmSync(folder, { recursive: true });
});

async function origin(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function start(args: readonly string[], settings: readonly string[], env?: NodeJS.ProcessEnv): Program {
  const conf = join(folder, 'conf.yaml');
  writeFileSync(conf, [`upgrade_sock: ${folder}/upgrade.sock`, ...settings].join('\n'));
  const program = new Program(['--conf', conf, '--health', '127.0.0.1:0', '--listen', '127.0.0.1:0', ...args], env);
  cleanups.push(async () => {
    program.kill('SIGKILL');
    await program.ended();
  });
  return program;
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function statusOf(address: string, path: string): Promise<number> {
  const [response] = (await once(get(`http://${address}${path}`, { agent: false }), 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

test('main says that it is not ready as soon as it is to stop, and serves until nobody comes any more', async () => {
  const upstream = await origin((_request, response) => response.end('hello'));
  const program = start(['--upstream', upstream], ['threads: 2', 'drain_delay_seconds: 2']);
  const { traffic, health } = await program.places();
  const paths = ['/live', '/ready', '/stats', '/else'];
  expect(await Promise.all(paths.map((path) => statusOf(health, path)))).toEqual([200, 200, 200, 404]);
  program.kill('SIGTERM');
  await program.writes(/"signal":"SIGTERM"/);
  expect(await Promise.all(['/ready', '/live'].map((path) => statusOf(health, path)))).toEqual([503, 200]);
  expect(await statusOf(traffic, '/')).toBe(200);
  expect(await program.ended()).toBe(0);
});

test('main finishes requests that have begun, and ends with 3 when that takes too long', async () => {
  const begun = Promise.withResolvers<void>();
  const upstream = await origin(() => begun.resolve());
  const program = start(['--upstream', upstream], ['grace_period_seconds: 1', 'graceful_shutdown_timeout_seconds: 0']);
  const { traffic } = await program.places();
  const request = get(`http://${traffic}/`, { agent: false });
  const cut = once(request, 'error');
  await begun.promise;
  program.kill('SIGTERM');
  await cut;
  expect(await program.ended()).toBe(3);
});

test('the recipe of upgrade-on-reload.conf tells systemd of the new main process', async () => {
  const upstream = await origin((_request, response) => response.end('hello'));
  const manager = new DatagramReceiver(join(folder, 'notify'));
  cleanups.push(() => manager.close());
  const messages: string[] = [];
  const told = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      for (let text = manager.receive(); text !== undefined; text = manager.receive()) messages.push(text);
      const match = messages.map((text) => pattern.exec(text)).find((one) => one !== null);
      if (match !== undefined && match !== null) return match[1] ?? '';
      await sleep(20);
    }
  };
  const env = { NOTIFY_SOCKET: join(folder, 'notify'), WATCHDOG_USEC: '60000000' };
  const old = start(['--upstream', upstream], ['threads: 2'], env);
  const { traffic } = await old.places();
  await told(/^READY=1$/m);
  messages.length = 0;
  old.kill('SIGQUIT');
  const command = start(['--upstream', upstream, '--upgrade'], ['threads: 2'], { CIRQUE_FFI: 'off' });
  expect(await command.ended()).toBe(0);
  const successor = Number(await told(/^MAINPID=(\d+)$/m));
  cleanups.push(() => killIfAlive(successor));
  await told(/^WATCHDOG=1$/m);
  expect(successor).not.toBe(old.pid);
  expect(await old.ended()).toBe(0);
  expect(await statusOf(traffic, '/')).toBe(200);
  process.kill(successor, 'SIGTERM');
  await told(/^STOPPING=1$/m);
});
