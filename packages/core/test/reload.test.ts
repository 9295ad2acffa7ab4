/**
 * What a reload does, in which order, and what it leaves alone when something is wrong.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseConfiguration, Server, type Service } from '../src/index.ts';
import { type LogLine, recordingLogger } from './running-server.ts';

interface Site {
  readonly server: Server;
  readonly events: string[];
  readonly lines: LogLine[];
  /** The configuration from now on. */
  write(text: string): void;
}

/** A server with one service that says what is done with it. */
async function serve(): Promise<Site> {
  const [events, lines]: [string[], LogLine[]] = [[], []];
  let text = 'grace_period_seconds: 1\n';
  const service: Service = {
    name: 'site',
    hasCertificates: true,
    start: ({ shutdown, ready }) => {
      ready();
      return new Promise((resolve) => shutdown.addEventListener('abort', () => resolve(), { once: true }));
    },
    reconfigure: ({ gracePeriodSeconds }) => void events.push(`reconfigured ${gracePeriodSeconds}`),
    reloadCertificates: async () => void events.push('certificates'),
  };
  const readConfiguration = () => parseConfiguration(text, 'mine.yaml');
  const server = new Server({ readConfiguration, logger: recordingLogger(lines) });
  server.addService(service);
  const stop = new AbortController();
  const finished = server.run({ fast: stop.signal });
  onTestFinished(async () => {
    stop.abort();
    await finished;
  });
  await new Promise<void>((resolve) => server.onPhase((phase) => phase === 'Running' && resolve()));
  const write = (next: string): void => {
    text = next;
  };
  return { server, events, lines, write };
}

describe('Server.reload', () => {
  test('reads the configuration, calls those who asked one after the other, then reads the certificates', async () => {
    const { server, events, write } = await serve();
    const slow = Promise.withResolvers<void>();
    server.onReload(async () => {
      events.push(`first ${server.configuration.gracePeriodSeconds}`);
      await slow.promise;
      events.push('first is done');
    });
    const end = server.onReload(() => void events.push('second'));
    write('grace_period_seconds: 2\n');
    const done = server.reload();
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual(['reconfigured 2', 'first 2']);
    slow.resolve();
    await done;
    expect(events).toEqual(['reconfigured 2', 'first 2', 'first is done', 'second', 'certificates']);
    end();
    await server.reload();
    expect(events.slice(5)).toEqual(['reconfigured 2', 'first 2', 'first is done', 'certificates']);
  });

  test('calls nobody when the configuration cannot be used; certificates are read all the same', async () => {
    const { server, events, lines, write } = await serve();
    server.onReload(() => void events.push('called'));
    write('grace_period_seconds: never\n');
    await server.reload();
    expect(events).toEqual(['certificates']);
    expect(server.configuration.gracePeriodSeconds).toBe(1);
    const [failure] = lines.filter(({ level }) => level === 'error');
    expect(failure?.message).toBe('the configuration cannot be used; the old one stays');
    expect(String(failure?.facts.err)).toContain('mine.yaml:1:23: grace_period_seconds: must be');
  });

  test('logs what a listener throws, and goes on with the next one', async () => {
    const { server, events, lines } = await serve();
    server.onReload(() => Promise.reject(new Error('no routes')));
    server.onReload(() => {
      throw new Error('no upstreams');
    });
    server.onReload(() => void events.push('third'));
    await server.reload();
    expect(events).toEqual(['reconfigured 1', 'third', 'certificates']);
    const failures = lines.filter(({ message }) => message === 'reload failed; what ran before goes on');
    expect(failures.map(({ level, facts }) => `${level}: ${(facts.err as Error).message}`)).toEqual([
      'error: no routes',
      'error: no upstreams',
    ]);
  });

  test('reloads come one after the other', async () => {
    const { server, events, write } = await serve();
    const slow = Promise.withResolvers<void>();
    server.onReload(async () => {
      await slow.promise;
      events.push(`listener ${server.configuration.gracePeriodSeconds}`);
    });
    write('grace_period_seconds: 2\n');
    const first = server.reload();
    await new Promise((resolve) => setImmediate(resolve));
    write('grace_period_seconds: 3\n');
    const second = server.reload();
    await new Promise((resolve) => setImmediate(resolve));
    slow.resolve();
    await Promise.all([first, second]);
    expect(events).toEqual([
      'reconfigured 2',
      'listener 2',
      'certificates',
      'reconfigured 3',
      'listener 3',
      'certificates',
    ]);
  });
});
