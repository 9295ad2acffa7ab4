import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSys } from '@cirque/sys';
import { DatagramReceiver } from '@cirque/testing/datagram-receiver';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../src/logger.ts';
import { programSender } from '../src/systemd/notify-sender.ts';
import { SystemdNotifier } from '../src/systemd/systemd-notifier.ts';
import { ThreadedProcess, ThreadsSite, until } from './threads-site.ts';

let folder: string;
let receiver: DatagramReceiver | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-systemd-'));
});
afterEach(() => {
  receiver?.close();
  receiver = undefined;
  rmSync(folder, { recursive: true });
});

function listen(path: string): DatagramReceiver {
  receiver = new DatagramReceiver(path);
  return receiver;
}

const places: [string, () => string][] = [
  ['a path', () => join(folder, 'notify')],
  ['an abstract name', () => `@cirque-core-test-${process.pid}`],
];

describe('SystemdNotifier', () => {
  test.each(places)('SystemdNotifier reaches a manager at %s by native calls', async (_where, path) => {
    const manager = listen(path());
    const env = { NOTIFY_SOCKET: path(), WATCHDOG_USEC: '60000000' };
    const systemd = SystemdNotifier.fromEnvironment(env, loadSys(), silentLogger);
    expect(loadSys()).toBeDefined();
    systemd?.ready();
    systemd?.startWatchdog()();
    systemd?.stopping();
    const received = [1, 2, 3, 4].map(() => manager.receive()?.split('\n')[0]);
    expect(received).toEqual(['READY=1', 'WATCHDOG=1', 'STOPPING=1', undefined]);
  });

  test.each(places)('programSender reaches a manager at %s by systemd-notify', async (_where, path) => {
    const manager = listen(path());
    const send = programSender(path());
    const sent = send(['RELOADING=1', 'STATUS=two words']);
    const outcome = await sent.catch((error: NodeJS.ErrnoException) => error);
    if (outcome?.code === 'ENOENT') {
      console.warn('systemd-notify is not installed: not tested');
      return;
    }
    await send(['READY=1']);
    expect(outcome).toBeUndefined();
    expect([manager.receive(), manager.receive()]).toEqual(['RELOADING=1\nSTATUS=two words', 'READY=1']);
  });
});

describe('a server under systemd', { timeout: 40_000 }, () => {
  /** The first lines of the messages but for the signs of life, until there are so many. */
  async function told(manager: DatagramReceiver, count: number): Promise<string[]> {
    const lines: string[] = [];
    await until(`${count} messages`, () => {
      const line = manager.receive()?.split('\n')[0];
      if (line !== undefined && line !== 'WATCHDOG=1') lines.push(line);
      return lines.length === count;
    });
    return lines;
  }

  test('says that it is ready, reloads and is ready again, also with a mistake in the file, and stops', async () => {
    const site = new ThreadsSite();
    const manager = listen(join(folder, 'notify'));
    const env = { NOTIFY_SOCKET: join(folder, 'notify'), WATCHDOG_USEC: '2000000' };
    const child = new ThreadedProcess(site.configure({}), env);
    try {
      expect(await told(manager, 1)).toEqual(['READY=1']);
      await until('a sign of life', () => manager.receive() === 'WATCHDOG=1');
      for (const settings of [{ max_retries: 2 }, { max_retries: 'many' }]) {
        site.configure(settings);
        child.kill('SIGHUP');
        expect(await told(manager, 2)).toEqual(['RELOADING=1', 'READY=1']);
      }
      child.kill('SIGTERM');
      expect(await told(manager, 1)).toEqual(['STOPPING=1']);
      expect(await child.exitCode()).toBe(0);
    } finally {
      child.kill('SIGKILL');
      site.close();
    }
  });
});
