import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { CirqueError } from '@cirque/error';
import { afterEach, describe, expect, test } from 'vitest';
import { openProxy, peer } from '../test/open-proxies.ts';
import {
  type PhaseMessage,
  PROXY_CHANNELS,
  phaseChannelName,
  phasesAreWatched,
  type RequestMessage,
} from './diagnostics.ts';
import { PHASES, type PhaseName } from './phases.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
  expect(phasesAreWatched()).toBe(false);
});

interface Seen {
  readonly event: string;
  readonly message: PhaseMessage;
}

/** Subscribes to the given phases, by default to all. */
function watch(names: readonly PhaseName[] = PHASES.map(({ name }) => name)): Seen[] {
  const seen: Seen[] = [];
  for (const name of names) {
    const note =
      (kind: string) =>
      (message: unknown): void => {
        seen.push({ event: `${name} ${kind}`, message: { ...(message as PhaseMessage) } });
      };
    const listeners = {
      start: note('start'),
      end: note('end'),
      asyncStart: note('asyncStart'),
      asyncEnd: note('asyncEnd'),
      error: note('error'),
    };
    const channel = tracingChannel(phaseChannelName(name));
    channel.subscribe(listeners);
    undo.push(() => void channel.unsubscribe(listeners));
  }
  return seen;
}

const eventsOf = (seen: readonly Seen[]): string[] => seen.map(({ event }) => event);
const startsOf = (seen: readonly Seen[]): string[] =>
  eventsOf(seen).flatMap((event) => (event.endsWith(' start') ? [event.slice(0, -6)] : []));

describe('the channels of phases', () => {
  test('tell of all phases that are run through, also of absent ones', async () => {
    const seen = watch();
    const proxy = openProxy({}, { upstream: () => ({ body: 'hello' }) });
    expect(await proxy.inject()).toMatchObject({ status: 200, text: 'hello' });
    expect(startsOf(seen)).toEqual([
      'newCtx',
      'earlyRequestFilter',
      'requestFilter',
      'proxyUpstreamFilter',
      'upstreamPeer',
      'connectedToUpstream',
      'upstreamRequestFilter',
      'upstreamResponseFilter',
      'responseFilter',
      'logging',
      'persistConnectionContext',
    ]);
    // Each start has its end, at once.
    expect(eventsOf(seen).filter((event) => event.endsWith(' end'))).toHaveLength(11);
    expect(eventsOf(seen).filter((event) => / (?:error|async)/.test(event))).toEqual([]);
  });

  test('carry session, context and answer', async () => {
    const seen = watch(['newCtx', 'upstreamPeer']);
    const ctx = { mine: true };
    const proxy = openProxy({ newCtx: () => ctx });
    await proxy.inject({ target: '/a' });
    expect(eventsOf(seen)).toEqual(['newCtx start', 'newCtx end', 'upstreamPeer start', 'upstreamPeer end']);
    const [first, made, , chosen] = seen.map(({ message }) => message);
    expect(first).toEqual({ phase: 'newCtx', session: expect.anything(), ctx: undefined });
    expect(made?.result).toBe(ctx);
    expect(chosen).toMatchObject({ phase: 'upstreamPeer', result: peer });
    expect(chosen?.ctx).toBe(ctx);
    expect(chosen?.session).toBe(first?.session);
    expect(chosen?.session.requestHeader.path).toBe('/a');
  });

  test('tell of promises, thrown errors and rejections', async () => {
    const seen = watch(['earlyRequestFilter', 'requestFilter', 'failToProxy', 'logging']);
    const broken = new Error('broken');
    const proxy = openProxy({
      earlyRequestFilter: () => Promise.resolve(),
      requestFilter: () => Promise.reject(broken),
      logging: () => {
        throw broken;
      },
    });
    expect(await proxy.inject()).toMatchObject({ status: 500 });
    expect(eventsOf(seen)).toEqual([
      'earlyRequestFilter start',
      'earlyRequestFilter end',
      'earlyRequestFilter asyncStart',
      'earlyRequestFilter asyncEnd',
      'requestFilter start',
      'requestFilter end',
      'requestFilter error',
      'requestFilter asyncStart',
      'requestFilter asyncEnd',
      'failToProxy start',
      'failToProxy end',
      'logging start',
      'logging error',
      'logging end',
    ]);
    expect(seen.find(({ event }) => event === 'requestFilter error')?.message.error).toBe(broken);
    expect(seen.find(({ event }) => event === 'failToProxy start')?.message.failure).toMatchObject({ cause: broken });
    expect(proxy.logs.at(-1)).toMatchObject({ message: 'logging failed' });
  });

  test('tell what absent phases judge: failed attempts', async () => {
    const seen = watch(['failToConnect', 'errorWhileProxy', 'failToProxy']);
    const proxy = openProxy({}, { upstream: ['refuse', 'reset'] });
    await proxy.inject();
    await proxy.inject({ method: 'POST' });
    expect(startsOf(seen)).toEqual(['failToConnect', 'failToProxy', 'errorWhileProxy', 'failToProxy']);
    expect(seen.every(({ message }) => CirqueError.is(message.failure))).toBe(true);
  });

  test('tell of body filters where there are some, piece by piece', async () => {
    const seen = watch(['requestBodyFilter', 'responseBodyFilter']);
    const proxy = openProxy({ responseBodyFilter: () => undefined }, { upstream: () => ({ body: 'hello' }) });
    await proxy.inject({ method: 'POST', body: 'abc' });
    expect(startsOf(seen)).toEqual(['responseBodyFilter', 'responseBodyFilter']);
  });

  test('change nothing for the request', async () => {
    const run = async (): Promise<unknown> => {
      const proxy = openProxy(
        {
          requestFilter: async (session) => {
            if (session.requestHeader.path !== '/own') return false;
            session.respond(200, 'own');
            return true;
          },
          failToConnect: (_session, _peer, _ctx, error) => error.setRetry(true),
        },
        { upstream: ['refuse', { body: 'hello', trailers: { a: 'b' } }, 'hang'] },
      );
      const answers = [await proxy.inject({ target: '/own' }), await proxy.inject()];
      return [
        answers.map(({ status, text }) => [status, text]),
        proxy.takePhases(),
        proxy.logs.map(({ message }) => message),
      ];
    };
    const before = await run();
    watch();
    expect(await run()).toEqual(before);
  });

  test('bind stores: what is bound to a phase is there within it', async () => {
    const storage = new AsyncLocalStorage<{ readonly id: string }>();
    const channel = tracingChannel(phaseChannelName('requestFilter')).start;
    channel.bindStore(storage, (message) => ({ id: (message as PhaseMessage).session.requestId }));
    undo.push(() => void channel.unbindStore(storage));
    const seen: unknown[] = [];
    const proxy = openProxy({
      requestFilter: async (session) => {
        await Promise.resolve();
        seen.push(storage.getStore()?.id === session.requestId);
      },
      logging: () => {
        seen.push(storage.getStore());
      },
    });
    await proxy.inject();
    expect(seen).toEqual([true, undefined]);
  });

  test('are free where nobody listens: the phases are those of the proxy', async () => {
    const seen = watch(['logging']);
    for (const step of undo.splice(0)) step();
    const proxy = openProxy();
    await proxy.inject();
    expect(seen).toEqual([]);
  });
});

describe('the channels of requests', () => {
  test('tell of the beginning and the end, with the same session', async () => {
    const seen: [string, RequestMessage][] = [];
    for (const [name, channel] of Object.entries(PROXY_CHANNELS)) {
      const listener = (message: unknown): void => {
        seen.push([name, message as RequestMessage]);
      };
      subscribe(channel, listener);
      undo.push(() => unsubscribe(channel, listener));
    }
    const proxy = openProxy({ newCtx: () => ({ n: 1 }) }, { upstream: ['refuse', {}] });
    await proxy.inject();
    await proxy.inject();
    expect(seen.map(([name]) => name)).toEqual(['requestStart', 'requestEnd', 'requestStart', 'requestEnd']);
    const [, failed, start, end] = seen.map(([, message]) => message);
    expect(end?.session).toBe(start?.session);
    expect(end).toMatchObject({ ctx: { n: 1 }, peer, error: undefined });
    expect(end?.session.responseHeader?.status).toBe(200);
    expect(failed).toMatchObject({ error: { type: 'ConnectRefused' } });
  });
});
