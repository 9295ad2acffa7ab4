import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { descriptorOf } from '@cirque/sys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { activatedSockets } from '../src/upgrade/socket-activation.ts';
import { whoServes } from './upgrade-site.ts';

let folder: string;
const cleanups: (() => void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-activation-'));
});
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  rmSync(folder, { recursive: true });
});

async function listening(where: { port: number; host: string } | { path: string }): Promise<Server> {
  const server = createServer().listen(where);
  await once(server, 'listening');
  cleanups.push(() => void server.close());
  return server;
}

/**
 * Starts the fixture as a service manager does: the shell puts its own number into the environment and becomes the
 * program. This process closes its ends afterwards, as if it had never served.
 */
function activate(descriptors: readonly number[], args: readonly string[]): ChildProcess {
  const program = fileURLToPath(new URL('fixtures/upgrade-process.ts', import.meta.url));
  const command = [process.execPath, '--conditions=@cirque/source', program, ...args];
  const child = spawn('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...command], {
    env: { ...process.env, NODE_OPTIONS: '', LISTEN_FDS: String(descriptors.length), LISTEN_FDNAMES: 'a:b' },
    stdio: ['pipe', 'pipe', 'inherit', ...descriptors],
  });
  cleanups.push(() => void child.kill('SIGKILL'));
  return child;
}

async function printed({ stdout }: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let text = '';
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    text += chunk.toString();
    const match = pattern.exec(text);
    if (match !== null) return match;
  }
  throw new Error(`ended before ${pattern}: ${text}`);
}

describe('activatedSockets', { timeout: 40_000 }, () => {
  test('activatedSockets: TCP, unix and UDP sockets of a service manager are served', async () => {
    const path = join(folder, 'service.sock');
    const [v4, v6, unix] = [
      await listening({ port: 0, host: '127.0.0.1' }),
      await listening({ port: 0, host: '::1' }),
      await listening({ path }),
    ];
    const udp = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const ports = [v4, v6].map((server) => (server.address() as { port: number }).port);
    const addresses = [`127.0.0.1:${ports[0]}`, `[::1]:${ports[1]}`, path, `127.0.0.1:${udp.address().port}`];
    const descriptors = [v4, v6, unix, udp].map((socket) => descriptorOf(socket) as number);
    const { ino } = lstatSync(path);
    const listen = addresses.slice(0, 3).flatMap((address) => ['--listen', address]);
    const child = activate(descriptors, [...listen, '--udp', addresses[3] as string]);
    await printed(child, / running\n/);
    // Whoever would bind afresh gets another file.
    expect(lstatSync(path).ino).toBe(ino);
    udp.close();
    for (const server of [v4, v6]) server.close();
    for (const address of addresses.slice(0, 2)) expect(await whoServes(address)).toBe(child.pid);
    expect(await whoServes(addresses[3] as string, true)).toBe(child.pid);
  });

  test('activatedSockets: a descriptor that does not listen is named', async () => {
    const child = activate([0], []);
    const [, text] = await printed(child, / failed: (.*)\n/);
    expect(text).toContain(
      'descriptor 3 (a), passed by socket activation, is no listening TCP, UDP or unix stream socket',
    );
  });

  test('activatedSockets: what is meant for another process is left alone, and hidden from children', () => {
    const env = { LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'x', HOME: '/' };
    expect(activatedSockets(env, 2)).toEqual([]);
    expect(env).toEqual({ HOME: '/' });
    expect(activatedSockets({}, 2)).toEqual([]);
  });

  test('activatedSockets: a number that is none is named', () => {
    expect(() => activatedSockets({ LISTEN_PID: '2', LISTEN_FDS: 'two' }, 2)).toThrow(
      'LISTEN_FDS must be a number of descriptors, got "two"',
    );
  });
});
