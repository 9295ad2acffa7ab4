/** What a server does when clients use up its file descriptors: it goes on, and has some left for itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RawClient } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { ChildServer } from './child-server.ts';

const DESCRIPTORS = 100;
const CLIENTS = 150;

/** Those clients that were greeted. */
async function greeted(clients: readonly RawClient[]): Promise<RawClient[]> {
  const outcomes = await Promise.allSettled(clients.map((client) => client.waitFor('hello')));
  return clients.filter((_, index) => outcomes[index]?.status === 'fulfilled');
}

/** Milliseconds of processor time that the server has used, and its open connections. */
async function usage(child: ChildServer): Promise<{ used: number; open: number }> {
  child.out = '';
  child.tell('usage\n');
  const [, used, open] = await child.prints(/used (\d+) open (\d+)/);
  return { used: Number(used), open: Number(open) };
}

// Only Linux tells a process its limit.
describe.skipIf(process.platform !== 'linux')('a server with few descriptors', { timeout: 40_000 }, () => {
  test.each(['callback', 'duplex'])('refuses what is too much and goes on, with %s reads', async (reads) => {
    const child = new ChildServer('limited-process.ts', ['--reads', reads], { descriptors: DESCRIPTORS });
    try {
      const [, port] = await child.prints(/listens 127\.0\.0\.1:(\d+)/);
      const connect = (): Promise<RawClient> => RawClient.connect({ port: Number(port) });
      const clients = await Promise.all(Array.from({ length: CLIENTS }, connect));
      const served = await greeted(clients);
      expect(served.length).toBeGreaterThan(DESCRIPTORS / 2);
      // 16 are kept free, and the process has some open of its own.
      expect(served.length).toBeLessThan(DESCRIPTORS - 16);
      for (const client of clients) if (!served.includes(client)) await client.waitForClose();
      await child.logs(/EMFILE.*a connection could not be accepted; the listener goes on/);
      const before = await usage(child);
      expect(before.open).toBe(served.length);
      await sleep(500);
      expect((await usage(child)).used - before.used).toBeLessThan(100);
      for (const client of served.slice(0, 10)) await client.close();
      await expect.poll(async () => (await usage(child)).open).toBe(served.length - 10);
      const later = await Promise.all(Array.from({ length: 10 }, connect));
      expect(await greeted(later)).toHaveLength(10);
      for (const client of [...clients, ...later]) await client.close();
    } finally {
      child.kill('SIGKILL');
    }
  });
});
