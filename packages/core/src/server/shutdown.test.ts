import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import type { Service } from '../service/service.ts';
import { ServiceGraph } from '../service/service-graph.ts';
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

async function setup(service: Service): Promise<Setup> {
  const [stop, fast] = [new AbortController(), new AbortController()];
  const configuration = serverConfiguration({ gracePeriodSeconds: 100, gracefulShutdownTimeoutSeconds: 5 });
  const [warn, error] = [vi.fn(), vi.fn()];
  const logger = { ...silentLogger, warn, error };
  const runner = new ServiceRunner({ shutdown: stop.signal, fast: fast.signal, configuration, logger });
  const graph = new ServiceGraph();
  graph.add(service);
  const phases: string[] = [];
  const enter = (phase: string): void => void phases.push(`${phase} ${Date.now()}`);
  vi.setSystemTime(0);
  const stopped = runner.start(graph);
  await vi.advanceTimersByTimeAsync(0);
  return {
    parts: { runner, stopped, request: new StopRequest(), shutdown: stop, fast, configuration, logger, enter },
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
