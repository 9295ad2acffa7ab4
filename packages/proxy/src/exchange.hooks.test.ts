import { CirqueError } from '@cirque/error';
import { describe, expect, test } from 'vitest';
import { openProxy, peer } from '../test/open-proxies.ts';
import type { PhaseName } from './phases.ts';
import type { ProxyPhases } from './proxy-http.ts';
import type { Session } from './session.ts';
import type { TestProxy, TestProxySettings, TestUpstream } from './testing.ts';

type Phases = ProxyPhases<Record<string, unknown>>;

/** Phases that may be asynchronous, and the upstream that leads to each. */
const AWAITED: readonly { readonly phase: PhaseName; readonly upstream?: TestUpstream }[] = [
  { phase: 'earlyRequestFilter' },
  { phase: 'requestFilter' },
  { phase: 'proxyUpstreamFilter' },
  { phase: 'upstreamPeer' },
  { phase: 'connectedToUpstream' },
  { phase: 'upstreamRequestFilter' },
  { phase: 'requestBodyFilter' },
  { phase: 'upstreamResponseFilter' },
  { phase: 'responseFilter' },
  { phase: 'upstreamResponseBodyFilter' },
  { phase: 'responseBodyFilter' },
];
const DECIDING: readonly { readonly phase: PhaseName; readonly upstream: TestUpstream }[] = [
  { phase: 'failToConnect', upstream: ['refuse'] },
  { phase: 'errorWhileProxy', upstream: ['reset'] },
];

interface Outcome {
  readonly sessions: Session[];
  readonly errors: (CirqueError | undefined)[];
}

/** A proxy in which one phase misbehaves, and what its `logging` sees. */
function open(phase: PhaseName, answer: () => unknown, settings: TestProxySettings = {}): TestProxy & Outcome {
  const outcome: Outcome = { sessions: [], errors: [] };
  const phases: Partial<Phases> = {
    earlyRequestFilter: (session) => {
      outcome.sessions.push(session);
    },
    logging: (_session, error) => {
      outcome.errors.push(error);
    },
  };
  const before = phases[phase] as ((...values: unknown[]) => unknown) | undefined;
  const own = (...values: unknown[]): unknown => {
    before?.(...values);
    return answer();
  };
  const { options, ...rest } = settings;
  const all = { ...phases, [phase]: own };
  const proxy = openProxy(all as Partial<Phases>, { ...rest, options: { accessLog: true, ...options } });
  return Object.assign(proxy, outcome);
}

const faulty: readonly [string, (error: Error) => unknown][] = [
  [
    'throws',
    (error) => {
      throw error;
    },
  ],
  ['rejects', (error) => Promise.reject(error)],
];

describe.each(faulty)('Exchange: a phase that %s', (_how, fail) => {
  test.each([...AWAITED, ...DECIDING])('in $phase gives 500, and the process lives', async ({ phase, upstream }) => {
    const proxy = open(phase, () => fail(new Error('boom')), { upstream: upstream ?? [{ body: 'never seen' }, {}] });
    const client = proxy.connect();
    const response = client.inject({ method: 'POST', body: 'x' });
    if (phase === 'upstreamResponseBodyFilter' || phase === 'responseBodyFilter') {
      // The head had gone: all that is left is to show that the body is cut.
      expect(await response).toMatchObject({ status: 200, complete: false, connectionClosed: true });
    } else {
      expect(await response).toMatchObject({ status: 500, text: '', complete: true, connectionClosed: true });
    }
    expect(proxy.errors.map((error) => error?.type)).toEqual(['InternalError']);
    expect(proxy.errors[0]?.toString()).toMatch(/boom|answered a promise/);
    expect(proxy.logs.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(proxy.stats).toMatchObject({ requests: 1, active: 0, failures: 1 });
    expect(proxy.stats.upstream).toMatchObject({ active: 0, idle: 0 });
  });

  test.each(AWAITED.slice(0, -2))('in $phase chooses the status with CirqueError.http', async ({ phase, upstream }) => {
    const proxy = open(phase, () => fail(CirqueError.http(403, 'not you')), { upstream });
    expect(await proxy.inject({ method: 'POST', body: 'x' })).toMatchObject({ status: 403, connectionClosed: true });
    expect(proxy.errors).toMatchObject([{ type: 'HTTPStatus', status: 403 }]);
  });

  test('in newCtx gives 500, and of the other phases only logging runs: there is no context', async () => {
    const proxy = open('newCtx', () => fail(new Error('boom')));
    expect(await proxy.inject()).toMatchObject({ status: 500, connectionClosed: true });
    expect(proxy.phases).toEqual(['newCtx', 'logging']);
    expect(proxy.logs).toMatchObject([{ level: 'error' }, { message: 'access', facts: { status: 500 } }]);
  });

  test('in onConnectionReuse gives 500', async () => {
    const proxy = openProxy(
      {
        persistConnectionContext: () => 1,
        onConnectionReuse: () => fail(new Error('boom')) as undefined,
        logging() {},
      },
      { upstream: () => ({ body: 'ok' }) },
    );
    const client = proxy.connect();
    expect(await client.inject()).toMatchObject({ status: 200 });
    expect(await client.inject()).toMatchObject({ status: 500, connectionClosed: true });
    expect(proxy.phases.filter((phase) => phase === 'logging')).toHaveLength(2);
  });

  test('in failToProxy is logged, and the client gets the status of the first error', async () => {
    const proxy = open('failToProxy', () => fail(new Error('boom')), { upstream: ['refuse'] });
    expect(await proxy.inject()).toMatchObject({ status: 502, connectionClosed: true });
    expect(proxy.errors).toMatchObject([{ type: 'ConnectRefused' }]);
    expect(proxy.logs).toMatchObject([
      { message: 'failToProxy failed' },
      { message: 'fail to proxy' },
      { message: 'access' },
    ]);
  });

  test('in an accessor of what failToProxy answers is logged, and the request ends', async () => {
    const answer = {
      get canReuseDownstream(): boolean {
        throw new Error('boom');
      },
    };
    const proxy = open('failToProxy', () => answer, { upstream: ['refuse'] });
    expect(await proxy.inject()).toMatchObject({ status: 500, connectionClosed: true });
    expect(proxy.logs).toMatchObject([{ message: 'failToProxy failed' }, { message: 'access' }]);
    expect(proxy.stats.active).toBe(0);
  });

  test('in an accessor of a peer is logged when the access log meets it, and the request ends', async () => {
    let broken = false;
    const treacherous = new Proxy(peer, {
      get(target, name) {
        if (name === 'address' && broken) throw new Error('boom');
        return Reflect.get(target, name);
      },
    });
    const proxy = openProxy(
      {
        upstreamPeer: () => treacherous,
        logging: () => {
          broken = true;
        },
      },
      { upstream: () => ({ body: 'ok' }), options: { accessLog: true } },
    );
    expect(await proxy.inject()).toMatchObject({ status: 200 });
    expect(proxy.logs).toMatchObject([{ level: 'error', message: 'the access log failed' }]);
    expect(proxy.stats.active).toBe(0);
  });

  test.each(['suppressErrorLog', 'requestSummary'] as const)('in %s is logged, and changes nothing', async (phase) => {
    const proxy = open(phase, () => fail(new Error('boom')), { upstream: ['refuse'] });
    expect(await proxy.inject()).toMatchObject({ status: 502 });
    expect(proxy.errors).toMatchObject([{ type: 'ConnectRefused' }]);
    expect(proxy.logs).toMatchObject([
      { level: 'error', message: `${phase} failed` },
      { message: 'fail to proxy', facts: { request: 'GET /, Host: test' } },
      { message: 'access' },
    ]);
  });

  test.each(['logging', 'persistConnectionContext'] as const)('in %s is only logged', async (phase) => {
    const proxy = open(phase, () => fail(new Error('boom')), { upstream: () => ({ body: 'ok' }) });
    const client = proxy.connect();
    expect(await client.inject()).toMatchObject({ status: 200, text: 'ok', connectionClosed: false });
    expect(await client.inject()).toMatchObject({ status: 200, text: 'ok', connectionClosed: false });
    expect(proxy.logs.filter(({ level }) => level === 'error')).toMatchObject([
      { message: `${phase} failed` },
      { message: `${phase} failed` },
    ]);
  });
});

test('Exchange: a promise where a phase must answer at once is an error of that request', async () => {
  for (const phase of ['newCtx', 'failToConnect'] as const) {
    const proxy = openProxy({ [phase]: () => Promise.resolve({}) } as Partial<Phases>, { upstream: ['refuse'] });
    expect(await proxy.inject()).toMatchObject({ status: 500 });
    expect(String(proxy.logs[0]?.facts.error)).toContain(`${phase} answered a promise`);
  }
});

test('Exchange: failToConnect and errorWhileProxy that answer something else than an error are errors', async () => {
  for (const { phase, upstream } of DECIDING) {
    const proxy = openProxy({ [phase]: () => 'retry' } as unknown as Partial<Phases>, { upstream });
    expect(await proxy.inject()).toMatchObject({ status: 500 });
    expect(String(proxy.logs[0]?.facts.error)).toContain(`${phase} answered string: expected a CirqueError`);
  }
});

const thenable = (value: unknown): unknown => ({
  // biome-ignore lint/suspicious/noThenProperty: a promise of another library, one that answers at once
  then: (resolve: (value: unknown) => void) => resolve(value),
});

test.each(AWAITED)('Exchange: $phase may answer with a thenable that settles at once', async ({ phase }) => {
  const value = phase === 'upstreamPeer' ? peer : phase === 'proxyUpstreamFilter' ? true : undefined;
  const proxy = open(phase, () => thenable(value), { upstream: [{ body: ['a', 'b'] }] });
  expect(await proxy.inject({ method: 'POST', body: ['1', '2'] })).toMatchObject({ status: 200, text: 'ab' });
  expect(proxy.upstream.requests).toMatchObject([{ body: Buffer.from('12') }]);
});

describe('Exchange: a phase that never settles', () => {
  const never = (): Promise<never> => new Promise(() => {});

  test.each(AWAITED)('in $phase is bounded by hookTimeoutMs', async ({ phase }) => {
    const proxy = open(phase, never, { upstream: [{ body: 'x' }], options: { hookTimeoutMs: 700 } });
    const response = proxy.inject({ method: 'POST', body: ['x'] });
    await proxy.clock.advance(690);
    expect(proxy.errors).toEqual([]);
    await proxy.clock.advance(20);
    if (phase.endsWith('esponseBodyFilter')) expect(await response).toMatchObject({ status: 200, complete: false });
    else expect(await response).toMatchObject({ status: 500, connectionClosed: true });
    expect(proxy.errors[0]?.toString()).toContain(`${phase} did not settle within hookTimeoutMs (700)`);
    expect(proxy.sessions[0]?.signal.aborted ?? phase === 'earlyRequestFilter').toBe(true);
  });

  test.each(['failToProxy', 'logging', 'persistConnectionContext'] as const)('in %s is bounded too', async (phase) => {
    const proxy = open(phase, never, { upstream: ['refuse'], options: { hookTimeoutMs: 700 } });
    const response = proxy.inject();
    await proxy.clock.advance(710);
    expect(await response).toMatchObject({ status: 502 });
    expect(proxy.logs.filter(({ message }) => message === `${phase} failed`)).toHaveLength(1);
    expect(proxy.stats.active).toBe(0);
  });

  test('is waited for for ever when hookTimeoutMs is 0', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const proxy = open('requestFilter', () => promise, { options: { hookTimeoutMs: 0 } });
    const response = proxy.inject();
    await proxy.clock.advance(10_000_000);
    resolve(false);
    expect(await response).toMatchObject({ status: 200 });
  });
});

describe('Exchange: the client leaves', () => {
  const ways = ['close', 'reset'] as const;
  const phases = [...AWAITED, { phase: 'logging' as const }];

  describe.each(ways)('by %s', (way) => {
    test.each(phases)('during $phase: its signal is aborted, and logging runs once', async ({ phase }) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const proxy = open(phase, () => promise, { upstream: [{ body: ['some', 'body'] }] });
      const client = proxy.connect();
      const response = client.inject({ method: 'POST', body: ['x'] }).catch((error: CirqueError) => error);
      await proxy.clock.settle();
      expect(proxy.phases.at(-1)).toBe(phase);
      const session = proxy.sessions[0];
      const signal = session?.signal;
      client[way]();
      await proxy.clock.settle();
      await response;
      if (phase !== 'earlyRequestFilter') expect(signal?.aborted).toBe(true);
      if (phase !== 'logging') {
        expect(proxy.errors).toMatchObject([{ source: 'Downstream' }]);
        expect(proxy.stats.upstream).toMatchObject({ active: 0, idle: 0 });
        const sent = session?.responseStarted === true ? 200 : 499;
        expect(proxy.logs.at(-1)).toMatchObject({ message: 'access', facts: { status: sent } });
      }
      resolve(undefined);
      await proxy.clock.settle();
      expect(proxy.phases.filter((name) => name === 'logging')).toHaveLength(1);
      expect(proxy.logs.filter(({ message }) => message === 'access')).toHaveLength(1);
      expect(proxy.logs.filter(({ level }) => level === 'error')).toEqual([]);
      expect(proxy.stats.active).toBe(0);
    });

    test('while a connection is made: the attempt is given up', async () => {
      const proxy = open('earlyRequestFilter', () => undefined, { upstream: ['blackhole'] });
      const client = proxy.connect();
      const response = client.inject().catch((error: CirqueError) => error);
      await proxy.clock.settle();
      client[way]();
      await response;
      await proxy.clock.settle();
      expect(proxy.errors).toMatchObject([{ source: 'Downstream' }]);
      expect(proxy.phases).not.toContain('failToConnect');
      expect(proxy.clock.wheel.size).toBe(0);
    });

    test('while the upstream works: its connection is closed', async () => {
      const proxy = open('earlyRequestFilter', () => undefined, { upstream: ['hang'] });
      const client = proxy.connect();
      const response = client.inject().catch((error: CirqueError) => error);
      await proxy.clock.settle();
      client[way]();
      await response;
      await proxy.clock.settle();
      expect(proxy.upstream.connections[0]?.open).toBe(false);
      expect(proxy.errors).toMatchObject([{ source: 'Downstream' }]);
      expect(proxy.logs.at(-1)).toMatchObject({ message: 'access', facts: { status: 499 } });
    });
  });
});

describe('Exchange: the upstream leaves while a phase is awaited', () => {
  test.each(['connectedToUpstream', 'upstreamRequestFilter'] as const)(
    '%s: before anything was sent, so that a reused connection is replaced',
    async (phase) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      let wait = false;
      const proxy = openProxy(
        { [phase]: () => (wait ? promise : undefined) },
        { upstream: ({ connection }) => ({ body: `connection ${connection.index}` }) },
      );
      const client = proxy.connect();
      expect(await client.inject()).toMatchObject({ text: 'connection 0' });
      wait = true;
      const response = client.inject();
      await proxy.clock.settle();
      wait = false;
      proxy.upstream.connections[0]?.close();
      expect(await response).toMatchObject({ status: 200, text: 'connection 1' });
      resolve(undefined);
    },
  );

  test('a response that comes before the request was sent is never taken for its answer', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let wait = false;
    const proxy = openProxy(
      { connectedToUpstream: () => (wait ? promise : undefined) },
      { upstream: ({ connection }) => ({ body: `connection ${connection.index}` }) },
    );
    const client = proxy.connect();
    await client.inject();
    wait = true;
    const response = client.inject();
    await proxy.clock.settle();
    wait = false;
    await proxy.upstream.connections[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
    expect(await response).toMatchObject({ status: 200, text: 'connection 1' });
    resolve(undefined);
  });

  test('upstreamResponseFilter of an attempt that broke has no say in the next one', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let calls = 0;
    const proxy = openProxy(
      {
        upstreamResponseFilter: (_session, header) => {
          calls += 1;
          header.insertHeader('X-Attempt', String(calls));
          return calls === 1 ? promise : undefined;
        },
        errorWhileProxy: (_peer, _session, error) => error.setRetry(true),
      },
      {
        upstream: {
          async respond({ connection }) {
            if (connection.index > 0) return { body: 'second', delayMs: 50 };
            await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst');
            return undefined;
          },
        },
      },
    );
    const response = proxy.inject();
    await proxy.clock.settle();
    proxy.upstream.connections[0]?.reset();
    await proxy.clock.settle();
    resolve(undefined);
    await proxy.clock.settle();
    await proxy.clock.advance(50);
    const { text, headers } = await response;
    expect([text, headers.get('x-attempt')]).toEqual(['second', '2']);
  });
});
