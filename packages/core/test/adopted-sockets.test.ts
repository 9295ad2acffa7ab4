/**
 * Sockets that a listening service serves on behalf of another thread.
 */
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { descriptorOf, loadSys, type Sys } from '@cirque/sys';
import { afterEach, describe, expect, test } from 'vitest';
import { ListeningService } from '../src/index.ts';
import type { SocketRecord } from '../src/sockets/socket-record.ts';
import { RunningServer } from './running-server.ts';

const sys = loadSys();
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serving(path?: string): Promise<ListeningService> {
  const service = new ListeningService('site', { processNew: (stream) => stream.end() }).addTcp('127.0.0.1:0');
  if (path !== undefined) service.addUds(path);
  const running = await RunningServer.start([service]);
  closers.push(() => running.stopFast());
  return service;
}

/** A socket that another thread has listened on: its descriptor is ours, nobody accepts. */
async function leftBehind(): Promise<SocketRecord & { readonly port: number }> {
  const server: Server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const fd = (sys as Sys).dup(descriptorOf(server) as number);
  server.close();
  return { service: 'site', kind: 'tcp', address: '127.0.0.1:0', bound: `127.0.0.1:${port}`, fd, port };
}

/** How a connection goes: `served`, or the code of the error. */
function attempt(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    socket.once('end', () => resolve('served'));
    socket.resume();
  });
}

describe.skipIf(sys === undefined)('ListeningService.adopt', () => {
  test('adopt serves until release', async () => {
    const service = await serving();
    const record = await leftBehind();
    await service.adopt(1, [record]);
    expect(await attempt(record.port)).toBe('served');
    service.release(1);
    await expect.poll(() => attempt(record.port)).toBe('ECONNREFUSED');
  });

  test('release leaves the path of a unix socket alone, on which the service listens as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-adopted-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'site.sock');
    const service = await serving(path);
    const other = createServer().listen(join(folder, 'other.sock'));
    closers.push(() => void other.close());
    await once(other, 'listening');
    const fd = (sys as Sys).dup(descriptorOf(other) as number);
    await service.adopt(1, [{ service: 'site', kind: 'unix', address: `unix:${path}`, bound: `unix:${path}`, fd }]);
    service.release(1);
    await setImmediate();
    expect(existsSync(path)).toBe(true);
  });

  test('adopt that is released before it listens listens no more', async () => {
    const service = await serving();
    const record = await leftBehind();
    const adopted = service.adopt(1, [record]);
    service.release(1);
    await adopted;
    await expect.poll(() => attempt(record.port)).toBe('ECONNREFUSED');
  });

  test('adopt of which one socket cannot be used leaves none open', async () => {
    const service = await serving();
    const [good, last] = [await leftBehind(), await leftBehind()];
    const bad = { ...(await leftBehind()), bound: '127.0.0.1:1' };
    await expect(service.adopt(1, [good, bad, last])).rejects.toThrow(/is not a usable tcp socket/);
    await expect.poll(() => attempt(good.port)).toBe('ECONNREFUSED');
    await expect.poll(() => attempt(bad.port)).toBe('ECONNREFUSED');
    await expect.poll(() => attempt(last.port)).toBe('ECONNREFUSED');
  });
});
