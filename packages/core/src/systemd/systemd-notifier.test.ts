import type { Sys } from '@cirque/sys';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { SystemdNotifier } from './systemd-notifier.ts';

let sent: string[];
const warn = vi.fn();
let failure: Error | undefined;
beforeEach(() => {
  sent = [];
  warn.mockReset();
  failure = undefined;
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const sys = {
  sendDatagram: (path: string, bytes: Uint8Array) => {
    if (failure !== undefined) throw failure;
    sent.push(`${path} ${Buffer.from(bytes)}`);
  },
} as unknown as Sys;

function notifier(env: Record<string, string | undefined> = {}): SystemdNotifier {
  const all = { NOTIFY_SOCKET: '/run/n', ...env };
  const made = SystemdNotifier.fromEnvironment(all, sys, { ...silentLogger, warn });
  if (made === undefined) throw new Error('no notifier');
  return made;
}

describe('SystemdNotifier', () => {
  test('SystemdNotifier is absent where nobody listens', () => {
    expect(SystemdNotifier.fromEnvironment({}, sys, silentLogger)).toBeUndefined();
    expect(SystemdNotifier.fromEnvironment({ NOTIFY_SOCKET: '' }, sys, silentLogger)).toBeUndefined();
  });

  test('SystemdNotifier takes its variables out of the environment, listener or not', () => {
    const env = { NOTIFY_SOCKET: '@n', WATCHDOG_USEC: '1', WATCHDOG_PID: '2', HOME: '/' };
    SystemdNotifier.fromEnvironment(env, sys, silentLogger);
    expect(env).toEqual({ HOME: '/' });
    const silent = { WATCHDOG_USEC: '1' };
    SystemdNotifier.fromEnvironment(silent, sys, silentLogger);
    expect(silent).toEqual({});
  });

  test('SystemdNotifier warns of a socket that it cannot reach', () => {
    const env = { NOTIFY_SOCKET: 'vsock:2:1234' };
    expect(SystemdNotifier.fromEnvironment(env, sys, { ...silentLogger, warn })).toBeUndefined();
    expect(warn.mock.calls[0]?.[1]).toContain('NOTIFY_SOCKET is not a unix socket');
  });

  test('SystemdNotifier sends what sd_notify(3) expects', () => {
    const systemd = notifier();
    systemd.ready();
    systemd.stopping();
    systemd.status('a\nREADY=1');
    systemd.mainPid(77);
    expect(sent).toEqual([
      `/run/n READY=1\nSTATUS=serving, process id ${process.pid}`,
      '/run/n STOPPING=1\nSTATUS=stopping',
      '/run/n STATUS=a\\nREADY=1',
      '/run/n MAINPID=77',
    ]);
  });

  test('SystemdNotifier tells the monotonic time of a reload', () => {
    const before = process.hrtime.bigint() / 1_000n;
    notifier().reloading();
    const micros = BigInt(/^RELOADING=1\nMONOTONIC_USEC=(\d+)\n/.exec(sent[0]?.slice(7) ?? '')?.[1] ?? 0);
    expect(micros).toBeGreaterThanOrEqual(before);
    expect(micros).toBeLessThanOrEqual(process.hrtime.bigint() / 1_000n);
  });

  test.each([
    ['of this process', String(process.pid)],
    ['without a process', undefined],
  ])('SystemdNotifier feeds a watchdog %s at half of its time', (_which, pid) => {
    const stop = notifier({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: pid }).startWatchdog();
    expect(sent).toEqual(['/run/n WATCHDOG=1']);
    vi.advanceTimersByTime(1_499);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(1_501);
    expect(sent).toHaveLength(3);
    stop();
    vi.advanceTimersByTime(10_000);
    expect(sent).toHaveLength(3);
  });

  test.each([
    ['of another process', { WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' }],
    ['without a time', {}],
    ['with nonsense for a time', { WATCHDOG_USEC: 'soon' }],
  ])('SystemdNotifier does not feed a watchdog %s', (_which, env) => {
    notifier(env).startWatchdog()();
    expect(sent).toEqual([]);
  });

  test('SystemdNotifier warns once when nothing can be sent, and goes on trying', async () => {
    const systemd = notifier();
    failure = new Error('ENOENT');
    systemd.ready();
    systemd.stopping();
    await vi.advanceTimersByTimeAsync(0);
    expect(warn).toHaveBeenCalledTimes(1);
    failure = undefined;
    systemd.mainPid(1);
    expect(sent).toHaveLength(1);
  });

  test('SystemdNotifier environment lets a successor take its place', () => {
    expect(notifier().environment).toEqual({ NOTIFY_SOCKET: '/run/n' });
    const env = { WATCHDOG_USEC: '5000', WATCHDOG_PID: String(process.pid) };
    expect(notifier(env).environment).toEqual({ NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '5000' });
  });
});
