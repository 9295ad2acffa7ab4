import { getEventListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LeakCheck, RawClient } from '@cirque/testing';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  ConfigurationError,
  ListeningService,
  Server,
  type Service,
  serverConfiguration,
  silentLogger,
} from '../src/index.ts';
import { type LogLine, RunningServer, recordingLogger } from './running-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'cirque-server-'));
afterAll(() => rmSync(folder, { recursive: true }));

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(() => leaks.assertClean());

function conf(text: string): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(path, text);
  return path;
}

const idle = (name: string): Service => ({
  name,
  start: ({ shutdown, ready }) => {
    ready();
    return new Promise((resolve) => shutdown.addEventListener('abort', () => resolve(), { once: true }));
  },
});

describe('Server configuration', () => {
  test('Server has the defaults without any options', () => {
    const server = new Server({ logger: silentLogger });
    expect(server.phase).toBe('Setup');
    expect(server.isMain).toBe(true);
    expect(server.configuration).toEqual(serverConfiguration());
    expect(server.phase).toBe('BootstrapComplete');
  });

  test('Server bootstrap reads the file once and announces its phases', () => {
    const path = conf('max_retries: 3\nmax_retrys: 4\nmine: {a: 1}\n');
    const lines: LogLine[] = [];
    const server = new Server({ conf: path, logger: recordingLogger(lines) });
    const phases: string[] = [];
    server.onPhase((phase) => phases.push(phase));
    server.bootstrap();
    const { configuration } = server;
    server.bootstrap();
    expect(server.configuration).toBe(configuration);
    expect(configuration).toMatchObject({ maxRetries: 3, extra: { mine: { a: 1 } } });
    expect(phases).toEqual(['Bootstrap', 'BootstrapComplete']);
    expect(lines.map(({ message }) => message)).toContain(
      `${path}:2:1: max_retrys is not a known key; did you mean max_retries?`,
    );
  });

  test('Server bootstrap throws for a file that cannot be used', () => {
    const server = new Server({ conf: conf('work_stealing: true\n'), logger: silentLogger });
    expect(() => server.bootstrap()).toThrow(ConfigurationError);
  });

  test('Server bootstrap prints the problems and ends the process when it has a command line', () => {
    const stderr = { write: vi.fn() };
    const exit = vi.fn();
    const io = { stdout: stderr, stderr, exit };
    expect(() => new Server({ conf: conf('work_stealing: true\n'), logger: silentLogger, io }).bootstrap()).toThrow(
      ConfigurationError,
    );
    expect(stderr.write.mock.calls.flat().join('')).toContain(
      ':1:1: work_stealing: not supported: a connection stays on the thread that has accepted it; remove it\n',
    );
    expect(exit).toHaveBeenCalledWith(1);
  });

  test('Server takes settings from code before those of a file', () => {
    const lines: LogLine[] = [];
    const server = new Server({ conf: '/does/not/exist', logger: recordingLogger(lines) }, { maxRetries: 2 });
    expect(server.configuration.maxRetries).toBe(2);
    expect(lines.map(({ level }) => level)).toContain('warn');
    expect(() => new Server({}, { maxRetries: -1 })).toThrow(RangeError);
  });

  test('Server sets the level of its own logger, where the environment does not', () => {
    vi.stubEnv('CIRQUE_LOG', '');
    vi.stubEnv('LOG_LEVEL', '');
    const level = (server: Server): string => (server.logger as unknown as { level: string }).level;
    const server = new Server({}, { logLevel: 'error' });
    expect(level(server)).toBe('info');
    server.bootstrap();
    expect(level(server)).toBe('error');
    vi.stubEnv('CIRQUE_LOG', 'fatal');
    const loud = new Server({}, { logLevel: 'error' });
    loud.bootstrap();
    expect(level(loud)).toBe('fatal');
    vi.stubEnv('CIRQUE_LOG', 'nonsense');
    expect(() => new Server()).toThrow(/CIRQUE_LOG must be one of/);
    vi.unstubAllEnvs();
  });
});

describe('Server.addService', () => {
  test('addService refuses what is no service', () => {
    const server = new Server({ logger: silentLogger });
    expect(() => server.addService({ name: 'x' } as Service)).toThrow(TypeError);
    expect(() => server.addService({ start: () => Promise.resolve() } as unknown as Service)).toThrow(TypeError);
  });

  test('addService recognises a background service by its task', async () => {
    const seen: unknown[] = [];
    const service = {
      name: 'bg',
      task: {},
      start: (signal: AbortSignal, ready: () => void): Promise<void> => {
        seen.push(signal instanceof AbortSignal);
        ready();
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      },
    };
    const stop = new AbortController();
    const server = new Server({ logger: silentLogger });
    server.addService(service);
    server.onPhase((phase) => {
      if (phase === 'Running') stop.abort();
    });
    await server.run({ signal: stop.signal });
    expect(seen).toEqual([true]);
  });

  test('addService orders the start and is closed while the server runs', async () => {
    const order: string[] = [];
    const named = (name: string): Service => ({
      ...idle(name),
      start: (context) => {
        order.push(name);
        return idle(name).start(context);
      },
    });
    const server = new Server({ logger: silentLogger });
    const [a, b] = [server.addService(named('a')), server.addService(named('b'))];
    a.addDependency(b);
    const stop = new AbortController();
    const done = server.run({ signal: stop.signal });
    expect(() => server.addService(idle('c'))).toThrow('add services and dependencies before it runs');
    expect(() => b.addDependency(a)).toThrow('before it runs');
    server.onPhase((phase) => {
      if (phase === 'Running') stop.abort();
    });
    await done;
    expect(order).toEqual(['b', 'a']);
  });
});

describe('Server.run', () => {
  test('run goes through every phase and ends with the signal', async () => {
    const running = await RunningServer.start([idle('a')]);
    await running.stopGracefully();
    expect(running.phases).toEqual([
      'Bootstrap',
      'BootstrapComplete',
      'Running',
      'GracefulTerminate',
      'ShutdownStarted',
      'ShutdownGracePeriod',
      'ShutdownRuntimes',
      'Terminated',
    ]);
  });

  test('run with fast skips the grace period', async () => {
    const running = await RunningServer.start([idle('a')]);
    await running.stopFast();
    expect(running.phases.slice(3)).toEqual(['ShutdownStarted', 'ShutdownRuntimes', 'Terminated']);
  });

  test('run leaves no listener on the signals it was given', async () => {
    const [graceful, fast] = [new AbortController(), new AbortController()];
    const server = new Server({ logger: silentLogger });
    server.addService(idle('a'));
    server.onPhase((phase) => {
      if (phase === 'Running') fast.abort();
    });
    await server.run({ signal: graceful.signal, fast: fast.signal });
    expect(getEventListeners(graceful.signal, 'abort')).toHaveLength(0);
    expect(getEventListeners(fast.signal, 'abort')).toHaveLength(0);
  });

  test('run without services lasts until it is told to stop', async () => {
    const running = await RunningServer.start([]);
    expect(running.server.phase).toBe('Running');
    await running.stopGracefully();
  });

  test('run with a signal that is aborted already starts nothing', async () => {
    const start = vi.fn(() => Promise.resolve());
    const server = new Server({ logger: silentLogger });
    server.addService({ name: 'a', start });
    await server.run({ signal: AbortSignal.abort() });
    expect(server.phase).toBe('Terminated');
    expect(start).not.toHaveBeenCalled();
  });

  test('run is possible once', async () => {
    const running = await RunningServer.start([]);
    await expect(running.server.run()).rejects.toThrow('runs already or has run');
    await running.stopFast();
    await expect(running.server.run()).rejects.toThrow('runs already or has run');
  });

  test('run rejects when a service cannot start, after the others have stopped', async () => {
    const stopped = vi.fn();
    const other: Service = {
      name: 'other',
      start: async (context) => {
        await idle('other').start(context);
        stopped();
      },
    };
    const failing: Service = { name: 'failing', start: () => Promise.reject(new Error('cannot')) };
    await expect(RunningServer.start([other, failing])).rejects.toThrow('cannot');
    expect(stopped).toHaveBeenCalledTimes(1);
  });

  test('run that fails ends with the phase Terminated all the same', async () => {
    const server = new Server({ logger: silentLogger });
    server.addService({ name: 'failing', start: () => Promise.reject(new Error('cannot')) });
    await expect(server.run()).rejects.toThrow('cannot');
    expect(server.phase).toBe('Terminated');
  });

  test('run that is stopped while an address is still in use ends without an error', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const lines: LogLine[] = [];
    const server = new Server({ logger: recordingLogger(lines) });
    const cleanup = vi.fn();
    const service = new ListeningService('web', { processNew: () => {}, cleanup }).addTcp(`127.0.0.1:${port}`);
    server.addService(service);
    const stop = new AbortController();
    const done = server.run({ signal: stop.signal });
    setTimeout(() => stop.abort(), 30);
    await done;
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'service failed while it was stopping' },
    ]);
    expect(cleanup).toHaveBeenCalledTimes(1);
    taken.close();
  });

  test('run that is stopped during setUp never listens', async () => {
    const stop = new AbortController();
    const cleanup = vi.fn();
    const app = { processNew: () => {}, setUp: async () => stop.abort(), cleanup };
    const service = new ListeningService('web', app).addTcp('127.0.0.1:0');
    const lines: LogLine[] = [];
    const server = new Server({ logger: recordingLogger(lines) });
    server.addService(service);
    await server.run({ signal: stop.signal });
    expect(lines.map(({ message }) => message)).not.toContain('listening');
    expect(cleanup).toHaveBeenCalledTimes(1);
  });

  test('run waits for open connections and no longer', async () => {
    const service = new ListeningService('slow', {
      processNew: () => {},
      shutdownConnection: (stream) => setTimeout(() => stream.destroy(), 80),
    }).addTcp('127.0.0.1:0');
    const running = await RunningServer.start([service], { gracePeriodSeconds: 60 });
    const raw = await RawClient.connect(service.endpoints[0] as never);
    await vi.waitFor(() => expect(service.openConnections).toBe(1));
    const started = performance.now();
    await running.stopGracefully();
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(60);
    expect(took).toBeLessThan(5_000);
    await raw.close();
  });

  test('run cuts what ignores the stop, at the deadline, and says what it was', async () => {
    const service = new ListeningService('deaf', { processNew: () => {} }).addTcp('127.0.0.1:0');
    const running = await RunningServer.start([service], {
      gracePeriodSeconds: 0.05,
      gracefulShutdownTimeoutSeconds: 0.05,
    });
    const raw = await RawClient.connect(service.endpoints[0] as never);
    await vi.waitFor(() => expect(service.openConnections).toBe(1));
    await running.stopGracefully();
    expect(await raw.waitForClose()).not.toBe('local');
    expect(running.logged('warn', 'cutting what has not finished')[0]?.facts).toEqual({
      services: ['deaf (1 open connection)'],
    });
    await raw.close();
  });

  test('run stops fast when that is asked for during the grace period', async () => {
    const service = new ListeningService('deaf', { processNew: () => {} }).addTcp('127.0.0.1:0');
    const running = await RunningServer.start([service]);
    const raw = await RawClient.connect(service.endpoints[0] as never);
    await vi.waitFor(() => expect(service.openConnections).toBe(1));
    void running.stopGracefully();
    await running.stopFast();
    await raw.waitForClose();
    await raw.close();
  });

  test('Symbol.asyncDispose stops the server', async () => {
    const service = new ListeningService('web', { processNew: () => {} }).addTcp('127.0.0.1:0');
    const server = new Server({ logger: silentLogger });
    server.addService(service);
    const running = new Promise<void>((resolve) => server.onPhase((phase) => phase === 'Running' && resolve()));
    const done = server.run();
    await running;
    await server[Symbol.asyncDispose]();
    expect(server.phase).toBe('Terminated');
    await done;
    await new Server({ logger: silentLogger })[Symbol.asyncDispose]();
  });
});

describe('Server --test', () => {
  test('run with test binds, serves nothing and leaves nothing behind', async () => {
    const path = join(folder, 't.sock');
    const processNew = vi.fn();
    const service = new ListeningService('web', { processNew }).addTcp('127.0.0.1:0').addUds(path);
    const lines: LogLine[] = [];
    const server = new Server({ test: true, logger: recordingLogger(lines) });
    server.addService(service);
    server.addService(idle('background'));
    await server.run();
    const infos = lines.filter(({ level }) => level === 'info');
    expect(infos.map(({ message }) => message)).toEqual(['address can be used', 'address can be used', 'test passed']);
    expect(server.phase).toBe('Terminated');
  });

  test('run with test passes when an address is in use', async () => {
    const live = new ListeningService('live', { processNew: () => {} })
      .addTcp('127.0.0.1:0')
      .addUds(join(folder, 'live.sock'));
    const running = await RunningServer.start([live]);
    const [tcp, unix] = live.endpoints as unknown as readonly [{ port: number }, { path: string }];
    const candidate = new ListeningService('next', { processNew: () => {} })
      .addTcp(`127.0.0.1:${tcp.port}`)
      .addUds(unix.path);
    const lines: LogLine[] = [];
    const server = new Server({ test: true, logger: recordingLogger(lines) });
    server.addService(candidate);
    await server.run();
    expect(lines.filter(({ message }) => message === 'in use, as it is beside a live server')).toHaveLength(2);
    const raw = await RawClient.connect(tcp);
    await raw.close();
    await running.stopFast();
  });

  test('run with test reports every address that cannot be used', async () => {
    writeFileSync(join(folder, 'file'), '');
    const service = new ListeningService('web', { processNew: () => {} })
      .addTcp('192.0.2.77:0')
      .addUds(join(folder, 'file'));
    const server = new Server({ test: true, logger: silentLogger });
    server.addService(service);
    await expect(server.run()).rejects.toThrow(
      /service web: cannot listen on 192\.0\.2\.77:0 .*; service web: cannot listen on unix:.*ENOTSOCK/,
    );
  });
});

test('Server leaves the port free for the next one at once', async () => {
  const service = new ListeningService('web', { processNew: () => {} }).addTcp('127.0.0.1:0');
  const running = await RunningServer.start([service]);
  const { port } = service.endpoints[0] as { port: number };
  await running.stopFast();
  const next = createServer();
  await new Promise<void>((resolve, reject) => next.once('error', reject).listen(port, '127.0.0.1', () => resolve()));
  await new Promise((resolve) => next.close(resolve));
});
