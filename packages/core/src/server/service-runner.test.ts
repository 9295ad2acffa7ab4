import { afterEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../logger.ts';
import { LogFiles } from '../logs/log-files.ts';
import { backgroundServiceOf } from '../service/background-service.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import { ServiceGraph } from '../service/service-graph.ts';
import { SocketTable } from '../sockets/socket-table.ts';
import { serverConfiguration } from './server-conf.ts';
import { ServiceRunner } from './service-runner.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A service that is driven by hand. */
class Puppet implements Service {
  readonly name: string;
  readonly log: string[];
  context: ServiceContext | undefined;
  readonly #end = Promise.withResolvers<void>();

  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
  }
  start(context: ServiceContext): Promise<void> {
    this.log.push(this.name);
    this.context = context;
    return this.#end.promise;
  }
  end(): void {
    this.#end.resolve();
  }
  fail(error: unknown): void {
    this.#end.reject(error);
  }
}

function runner(logger = silentLogger, slowStartMs = 10_000): { runner: ServiceRunner; stop: AbortController } {
  const stop = new AbortController();
  const options = {
    shutdown: stop.signal,
    fast: new AbortController().signal,
    logger,
    configuration: serverConfiguration(),
    logs: new LogFiles(),
    table: new SocketTable(),
    slowStartMs,
  };
  return { runner: new ServiceRunner(options), stop };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

test('ServiceRunner starts a chain link by link', async () => {
  const log: string[] = [];
  const [a, b, c] = [new Puppet('a', log), new Puppet('b', log), new Puppet('c', log)];
  const graph = new ServiceGraph();
  const handles = [c, b, a].map((service) => graph.add(service));
  handles[0]?.addDependency(handles[1] as never);
  handles[1]?.addDependency(handles[2] as never);
  const { runner: services } = runner();
  void services.start(graph.entries());
  await turns();
  expect(log).toEqual(['a']);
  a.context?.ready();
  await turns();
  expect(log).toEqual(['a', 'b']);
  b.context?.ready();
  await turns();
  expect(log).toEqual(['a', 'b', 'c']);
});

test('ServiceRunner starts the end of a diamond when both sides are ready', async () => {
  const log: string[] = [];
  const [top, left, right, bottom] = ['top', 'left', 'right', 'bottom'].map((name) => new Puppet(name, log)) as [
    Puppet,
    Puppet,
    Puppet,
    Puppet,
  ];
  const graph = new ServiceGraph();
  const [t, l, r, b] = [top, left, right, bottom].map((service) => graph.add(service));
  l?.addDependency(t as never);
  r?.addDependency(t as never);
  b?.addDependency(l as never, r as never);
  const { runner: services } = runner();
  void services.start(graph.entries());
  await turns();
  top.context?.ready();
  await turns();
  expect(log).toEqual(['top', 'left', 'right']);
  right.context?.ready();
  await turns();
  expect(log).toHaveLength(3);
  left.context?.ready();
  await turns();
  expect(log.at(-1)).toBe('bottom');
});

test('ServiceRunner counts a service that ended, or a background task that failed, as ready', async () => {
  const log: string[] = [];
  const [ended, after] = [new Puppet('ended', log), new Puppet('after', log)];
  const failing = backgroundServiceOf({ name: 'failing', start: (_signal, _ready) => Promise.reject(new Error('no')) });
  const graph = new ServiceGraph();
  graph.add(after).addDependency(graph.add(ended), graph.add(failing));
  const { runner: services } = runner();
  void services.start(graph.entries());
  await turns();
  expect(log).toEqual(['ended']);
  ended.end();
  await turns();
  expect(log).toEqual(['ended', 'after']);
});

test('ServiceRunner reports a service that cannot start, and logs one that fails later', async () => {
  const error = vi.fn();
  const [early, late] = [new Puppet('early', []), new Puppet('late', [])];
  const graph = new ServiceGraph();
  graph.add(early);
  graph.add(late);
  const { runner: services } = runner({ ...silentLogger, error });
  const stopped = services.start(graph.entries());
  await turns();
  late.context?.ready();
  late.fail(new Error('later'));
  await turns();
  expect(error.mock.calls).toMatchObject([[{ service: 'late' }, 'service failed; the others go on']]);
  early.fail(new Error('at once'));
  expect((await services.failed).message).toContain('at once');
  await stopped;
  expect(services.running()).toEqual([]);
});

test('ServiceRunner resolves allReady with the last service', async () => {
  const [a, b] = [new Puppet('a', []), new Puppet('b', [])];
  const graph = new ServiceGraph();
  graph.add(a);
  graph.add(b);
  const { runner: services } = runner();
  void services.start(graph.entries());
  const ready = vi.fn();
  void services.allReady().then(ready);
  await turns();
  a.context?.ready();
  a.context?.ready();
  await turns();
  expect(ready).not.toHaveBeenCalled();
  b.context?.ready();
  await turns();
  expect(ready).toHaveBeenCalledTimes(1);
});

test('ServiceRunner names the services that take long to become ready', async () => {
  vi.useFakeTimers();
  const warn = vi.fn();
  const graph = new ServiceGraph();
  graph.add(new Puppet('sleepy', []));
  const { runner: services, stop } = runner({ ...silentLogger, warn }, 50);
  void services.start(graph.entries());
  void services.allReady();
  await vi.advanceTimersByTimeAsync(50);
  expect(warn.mock.calls[0]?.[0]).toEqual({ services: ['sleepy'] });
  stop.abort();
  expect(vi.getTimerCount()).toBe(0);
});

test('ServiceRunner does not start what waited when the stop came', async () => {
  const log: string[] = [];
  const [first, second] = [new Puppet('first', log), new Puppet('second', log)];
  const graph = new ServiceGraph();
  const handle = graph.add(first);
  graph.add(second).addDependency(handle);
  const { runner: services, stop } = runner();
  const stopped = services.start(graph.entries());
  await turns();
  stop.abort();
  first.end();
  await stopped;
  expect(log).toEqual(['first']);
});
