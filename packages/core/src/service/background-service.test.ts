import { describe, expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { LogFiles } from '../logs/log-files.ts';
import { serverConfiguration } from '../server/server-conf.ts';
import { ServiceSockets } from '../sockets/service-sockets.ts';
import { SocketTable } from '../sockets/socket-table.ts';
import { type BackgroundTask, backgroundServiceOf } from './background-service.ts';
import type { ServiceContext } from './service.ts';
import { soleThread } from './thread-place.ts';

function context(): {
  readonly stop: AbortController;
  readonly ready: ReturnType<typeof vi.fn>;
  readonly error: ReturnType<typeof vi.fn>;
  readonly given: ServiceContext;
} {
  const stop = new AbortController();
  const [ready, error] = [vi.fn(), vi.fn()];
  const given = {
    shutdown: stop.signal,
    fast: stop.signal,
    ready: ready as () => void,
    logger: { ...silentLogger, error },
    configuration: serverConfiguration(),
    logs: new LogFiles(),
    sockets: new ServiceSockets('ticker', new SocketTable(), stop.signal),
    thread: soleThread(),
  };
  return { stop, ready, error, given };
}

describe('backgroundServiceOf', () => {
  test('backgroundServiceOf passes signal and readiness on, with the right this', async () => {
    const task: BackgroundTask & { seen: unknown[] } = {
      name: 'ticker',
      seen: [],
      start(signal, ready) {
        this.seen.push(signal);
        ready();
        return Promise.resolve();
      },
    };
    const { given, ready } = context();
    const service = backgroundServiceOf(task);
    expect(service.name).toBe('ticker');
    await service.start(given);
    expect(task.seen).toEqual([given.shutdown]);
    expect(ready).toHaveBeenCalledTimes(1);
  });

  test('backgroundServiceOf is ready at once when the task takes no ready argument', async () => {
    const { given, ready } = context();
    const running = backgroundServiceOf({ name: 'a', start: (_signal) => new Promise<void>(() => {}) }).start(given);
    expect(ready).toHaveBeenCalledTimes(1);
    expect(running).toBeInstanceOf(Promise);
  });

  test('backgroundServiceOf waits for a task that takes it', () => {
    const { given, ready } = context();
    void backgroundServiceOf({ name: 'a', start: (_signal, _ready) => new Promise<void>(() => {}) }).start(given);
    expect(ready).not.toHaveBeenCalled();
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('broken'))],
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
  ])('backgroundServiceOf logs a task that %s and resolves', async (_how, start) => {
    const { given, error } = context();
    await backgroundServiceOf({ name: 'a', start }).start(given);
    expect(error.mock.calls).toMatchObject([
      [{ err: { type: 'InternalError' } }, 'background service failed; it runs no more'],
    ]);
  });

  test('backgroundServiceOf takes an abort error after the stop for an orderly end', async () => {
    const { given, stop, error } = context();
    const task = {
      name: 'a',
      start: (signal: AbortSignal): Promise<void> =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    };
    const running = backgroundServiceOf(task).start(given);
    stop.abort();
    await running;
    expect(error).not.toHaveBeenCalled();
  });

  test('backgroundServiceOf refuses what is no task', () => {
    expect(() => backgroundServiceOf({ name: 'a' } as BackgroundTask)).toThrow(TypeError);
  });
});
