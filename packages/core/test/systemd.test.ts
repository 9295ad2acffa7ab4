import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSys } from '@cirque/sys';
import { DatagramReceiver } from '@cirque/testing/datagram-receiver';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../src/logger.ts';
import { programSender } from '../src/systemd/notify-sender.ts';
import { SystemdNotifier } from '../src/systemd/systemd-notifier.ts';

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
