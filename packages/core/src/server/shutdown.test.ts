import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { LogFiles } from '../logs/log-files.ts';
import type { Service } from '../service/service.ts';
import { ServiceGraph } from '../service/service-graph.ts';
import { SocketTable } from '../sockets/socket-table.ts';
import { serverConfiguration } from './server-conf.ts';
import { ServiceRunner } from './service-runner.ts';
import { type ShutdownParts, shutdown } from './shutdown.ts';
import { StopRequest } from './stop-request.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

interface Setup {
  readonly parts: ShutdownParts;
  readonly phases: string[];
  readonly warn: ReturnType<typeof vi.fn>;
  readonly error: ReturnType<typeof vi.fn>;
}

async function setup(service: Service, drainDelaySeconds = 0): Promise<Setup> {
  const [stop, fast] = [new AbortController(), new AbortController()];
  const configuration = serverConfiguration({
    gracePeriodSeconds: 100,
    gracefulShutdownTimeoutSeconds: 5,
    drainDelaySeconds,
  });
  const [warn, error] = [vi.fn(), vi.fn()];
  const logger = { ...silentLogger, warn, error };
  const [logs, table] = [new LogFiles(), new SocketTable()];
  const runner = new ServiceRunner({ shutdown: stop.signal, fast: fast.signal, configuration, logger, logs, table });
  const graph = new ServiceGraph();
  graph.add(service);
  const phases: string[] = [];
  const enter = (phase: string): void => void phases.push(`${phase} ${Date.now()}`);
  vi.setSystemTime(0);
  const stopped = runner.start(graph.entries());
  await vi.advanceTimersByTimeAsync(0);
  return {
    parts: {
      runner,
      stopped,
      request: new StopRequest(),
      shutdown: stop,
      fast,
      configuration,
      logger,
      handedOver: false,
      enter,
    },
    phases,
    warn,
    error,
  };
}

function onAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('shutdown: graceful ends with the last service, not with the grace period', async () => {
  const { parts, phases, warn } = await setup({
    name: 'a',
    start: async (context) => {
      await onAbort(context.shutdown);
      await pause(1_234);
    },
  });
  const done = shutdown('graceful', parts);
  await vi.advanceTimersByTimeAsync(1_234);
  await done;
  expect(phases).toEqual([
    'GracefulTerminate 0',
    'ShutdownStarted 0',
    'ShutdownGracePeriod 0',
    'ShutdownRuntimes 1234',
  ]);
  expect(warn).not.toHaveBeenCalled();
});

test('shutdown: grace period, then timeout, then the cut', async () => {
  const cutAt: number[] = [];
  const { parts, phases, warn, error } = await setup({
    name: 'slow',
    openConnections: 3,
    start: async (context) => {
      await onAbort(context.fast);
      cutAt.push(Date.now());
    },
  });
  const done = shutdown('graceful', parts);
  await vi.advanceTimersByTimeAsync(105_000);
  await done;
  expect(phases.at(-1)).toBe('ShutdownRuntimes 100000');
  expect(cutAt).toEqual([105_000]);
  expect(warn.mock.calls).toEqual([
    [{ services: ['slow (3 open connections)'] }, 'grace period is over, connections are still open'],
    [{ services: ['slow (3 open connections)'] }, 'cutting what has not finished'],
  ]);
  expect(error).not.toHaveBeenCalled();
});

test('shutdown: a fast request in the grace period cuts at once', async () => {
  const { parts, warn } = await setup({ name: 'slow', start: (context) => onAbort(context.fast) });
  const done = shutdown('graceful', parts);
  await vi.advanceTimersByTimeAsync(500);
  parts.request.request('fast');
  await vi.advanceTimersByTimeAsync(0);
  await done;
  expect(Date.now()).toBe(500);
  expect(warn).not.toHaveBeenCalled();
});

test('shutdown: fast skips the grace period', async () => {
  const { parts, phases } = await setup({ name: 'slow', start: (context) => onAbort(context.fast) });
  parts.request.request('fast');
  await shutdown('fast', parts);
  expect(phases).toEqual(['ShutdownStarted 0', 'ShutdownRuntimes 0']);
  expect(parts.shutdown.signal.aborted).toBe(true);
});

test('shutdown: a service that ignores everything is named and left behind', async () => {
  const { parts, error } = await setup({ name: 'deaf', start: () => new Promise<void>(() => {}) });
  parts.request.request('fast');
  const done = shutdown('fast', parts);
  await vi.advanceTimersByTimeAsync(1_000);
  await done;
  expect(error.mock.calls).toEqual([
    [{ services: ['deaf'] }, 'services ignore the request to stop and are left behind'],
  ]);
});

test('shutdown: a delay comes first, in which everything is still accepted', async () => {
  const { parts, phases } = await setup({ name: 'a', start: ({ shutdown: signal }) => onAbort(signal) }, 10);
  const done = shutdown('graceful', parts);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(parts.shutdown.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(parts.shutdown.signal.aborted).toBe(true);
  expect(await done).toBe('finished');
  expect(phases.slice(0, 3)).toEqual(['GracefulTerminate 0', 'ShutdownDelay 0', 'ShutdownStarted 10000']);
});

test('shutdown: a second request ends the delay', async () => {
  const { parts } = await setup({ name: 'a', start: ({ shutdown: signal }) => onAbort(signal) }, 10);
  parts.request.request('graceful');
  const done = shutdown('graceful', parts);
  parts.request.request('fast');
  await vi.advanceTimersByTimeAsync(0);
  expect(await done).toBe('finished');
});

test('shutdown: no delay when a successor serves already', async () => {
  const { parts, phases } = await setup({ name: 'a', start: ({ shutdown: signal }) => onAbort(signal) }, 10);
  await shutdown('graceful', { ...parts, handedOver: true });
  expect(phases).not.toContain('ShutdownDelay 0');
});

test('shutdown tells when connections were cut without anybody having asked for it', async () => {
  const { parts } = await setup({ name: 'a', start: ({ fast }) => onAbort(fast) });
  const done = shutdown('graceful', parts);
  await vi.advanceTimersByTimeAsync(105_000);
  expect(await done).toBe('cut');
});
