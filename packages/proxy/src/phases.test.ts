import { CirqueError } from '@cirque/error';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openProxy, peer } from '../test/open-proxies.ts';
import { PHASES, type PhaseName } from './phases.ts';
import type { ProxyPhases } from './proxy-http.ts';
import type { TestProxy, TestRequest, TestUpstream } from './testing.ts';

type Ctx = { attempts: number };
type Phases = ProxyPhases<Ctx>;

/** Every phase, doing nothing. */
function allPhases(): Required<Pick<Phases, PhaseName>> {
  return {
    newCtx: () => ({ attempts: 0 }),
    onConnectionReuse() {},
    earlyRequestFilter() {},
    requestFilter: () => false,
    proxyUpstreamFilter: () => true,
    upstreamPeer: () => peer,
    failToConnect: (_session, _peer, _ctx, error) => error,
    connectedToUpstream() {},
    upstreamRequestFilter() {},
    requestBodyFilter() {},
    upstreamResponseFilter() {},
    responseFilter() {},
    upstreamResponseBodyFilter() {},
    responseBodyFilter() {},
    upstreamResponseTrailerFilter() {},
    responseTrailerFilter() {},
    errorWhileProxy: (_peer, _session, error) => error,
    failToProxy: () => ({ errorCode: 502, canReuseDownstream: false }),
    suppressErrorLog: () => false,
    requestSummary: () => 'a request',
    logging() {},
    persistConnectionContext: () => 'kept',
  };
}

const BEFORE: PhaseName[] = ['newCtx', 'earlyRequestFilter', 'requestFilter', 'proxyUpstreamFilter', 'upstreamPeer'];
const CONNECTED: PhaseName[] = [...BEFORE, 'connectedToUpstream', 'upstreamRequestFilter'];
const RESPONSE: PhaseName[] = ['upstreamResponseFilter', 'responseFilter'];
const BODY: PhaseName[] = ['upstreamResponseBodyFilter', 'responseBodyFilter'];
const FAILED: PhaseName[] = [
  'failToProxy',
  'suppressErrorLog',
  'requestSummary',
  'logging',
  'persistConnectionContext',
];
const DONE: PhaseName[] = ['logging', 'persistConnectionContext'];

const boom = (): never => {
  throw new Error('boom');
};

interface Path {
  readonly name: string;
  readonly phases?: Partial<Phases>;
  readonly upstream?: TestUpstream;
  readonly request?: TestRequest;
  readonly expected: readonly PhaseName[];
}

const PATHS: readonly Path[] = [
  {
    name: 'a request without bodies',
    expected: [...CONNECTED, 'requestBodyFilter', ...RESPONSE, ...BODY, ...DONE],
  },
  {
    name: 'both bodies in pieces',
    upstream: [{ body: ['a', 'b'] }],
    request: { method: 'POST', body: ['1', '2'] },
    expected: [
      ...CONNECTED,
      'requestBodyFilter',
      'requestBodyFilter',
      'requestBodyFilter',
      ...RESPONSE,
      ...BODY,
      ...BODY,
      ...BODY,
      ...DONE,
    ],
  },
  {
    name: 'informational responses',
    upstream: [{ informational: [{ status: 103 }, { status: 102 }] }],
    expected: [...CONNECTED, 'requestBodyFilter', ...RESPONSE, ...RESPONSE, ...RESPONSE, ...BODY, ...DONE],
  },
  {
    name: 'an answer of requestFilter',
    phases: {
      requestFilter(session) {
        session.respond(200, 'mine');
        return true;
      },
    },
    expected: ['newCtx', 'earlyRequestFilter', 'requestFilter', ...DONE],
  },
  {
    name: 'a refusal of proxyUpstreamFilter',
    phases: { proxyUpstreamFilter: () => false },
    expected: ['newCtx', 'earlyRequestFilter', 'requestFilter', 'proxyUpstreamFilter', ...DONE],
  },
  {
    name: 'a refused connection, and another attempt',
    phases: { failToConnect: (_session, _peer, _ctx, error) => error.setRetry(true) },
    upstream: ['refuse', {}],
    expected: [
      ...BEFORE,
      'failToConnect',
      'requestSummary',
      ...CONNECTED.slice(4),
      'requestBodyFilter',
      ...RESPONSE,
      ...BODY,
      ...DONE,
    ],
  },
  {
    name: 'a refused connection',
    upstream: ['refuse'],
    expected: [...BEFORE, 'failToConnect', ...FAILED],
  },
  {
    name: 'a connection that broke, and another attempt',
    phases: { errorWhileProxy: (_peer, _session, error) => error.setRetry(true) },
    upstream: ['reset', {}],
    expected: [
      ...CONNECTED,
      'requestBodyFilter',
      'errorWhileProxy',
      'requestSummary',
      ...CONNECTED.slice(4),
      'requestBodyFilter',
      ...RESPONSE,
      ...BODY,
      ...DONE,
    ],
  },
  {
    name: 'a connection that broke',
    upstream: ['close'],
    expected: [...CONNECTED, 'requestBodyFilter', 'errorWhileProxy', ...FAILED],
  },
  {
    name: 'a response that was cut',
    upstream: [{ body: 'half', cut: 'close' }],
    expected: [...CONNECTED, 'requestBodyFilter', ...RESPONSE, ...BODY, 'errorWhileProxy', ...FAILED],
  },
  {
    name: 'an error of upstreamPeer that asks for another attempt',
    phases: {
      upstreamPeer(_session, ctx) {
        ctx.attempts += 1;
        if (ctx.attempts === 1) throw CirqueError.http(503).setRetry(true);
        return peer;
      },
    },
    expected: [...BEFORE, 'requestSummary', ...CONNECTED.slice(4), 'requestBodyFilter', ...RESPONSE, ...BODY, ...DONE],
  },
  {
    name: 'a throwing earlyRequestFilter',
    phases: { earlyRequestFilter: boom },
    expected: ['newCtx', 'earlyRequestFilter', ...FAILED],
  },
  {
    name: 'a throwing requestFilter',
    phases: { requestFilter: boom },
    expected: ['newCtx', 'earlyRequestFilter', 'requestFilter', ...FAILED],
  },
  {
    name: 'a throwing proxyUpstreamFilter',
    phases: { proxyUpstreamFilter: boom },
    expected: [...BEFORE.slice(0, -1), ...FAILED],
  },
  { name: 'a throwing upstreamPeer', phases: { upstreamPeer: boom }, expected: [...BEFORE, ...FAILED] },
  {
    name: 'a throwing connectedToUpstream',
    phases: { connectedToUpstream: boom },
    expected: [...BEFORE, 'connectedToUpstream', 'errorWhileProxy', ...FAILED],
  },
  {
    name: 'a throwing upstreamRequestFilter',
    phases: { upstreamRequestFilter: boom },
    expected: [...CONNECTED, 'errorWhileProxy', ...FAILED],
  },
  {
    name: 'a throwing requestBodyFilter',
    phases: { requestBodyFilter: boom },
    expected: [...CONNECTED, 'requestBodyFilter', 'errorWhileProxy', ...FAILED],
  },
  {
    name: 'a throwing upstreamResponseFilter',
    phases: { upstreamResponseFilter: boom },
    expected: [...CONNECTED, 'requestBodyFilter', 'upstreamResponseFilter', 'errorWhileProxy', ...FAILED],
  },
  {
    name: 'a throwing responseFilter',
    phases: { responseFilter: boom },
    expected: [...CONNECTED, 'requestBodyFilter', ...RESPONSE, 'errorWhileProxy', ...FAILED],
  },
  {
    name: 'a throwing upstreamResponseBodyFilter',
    phases: { upstreamResponseBodyFilter: boom },
    expected: [
      ...CONNECTED,
      'requestBodyFilter',
      ...RESPONSE,
      'upstreamResponseBodyFilter',
      'errorWhileProxy',
      ...FAILED,
    ],
  },
  {
    name: 'a throwing responseBodyFilter',
    phases: { responseBodyFilter: boom },
    expected: [...CONNECTED, 'requestBodyFilter', ...RESPONSE, ...BODY, 'errorWhileProxy', ...FAILED],
  },
];

/** What the table does not allow in a sequence of phases, absent ones taken as run through. */
function violations(sequence: readonly PhaseName[], present: ReadonlySet<PhaseName>): string[] {
  const found: string[] = [];
  for (const [at, name] of sequence.entries()) {
    const next = sequence[at + 1] ?? 'the end';
    if (!reachable(name, present).has(next)) found.push(`${name} -> ${next}`);
  }
  return found;
}

/** The phases that can come next when those that are not present are skipped. */
function reachable(from: PhaseName, present: ReadonlySet<PhaseName>): Set<PhaseName | 'the end'> {
  const result = new Set<PhaseName | 'the end'>();
  const visited = new Set<PhaseName>();
  const visit = (name: PhaseName): void => {
    visited.add(name);
    const row = PHASES.find((one) => one.name === name);
    if (row?.next.length === 0) result.add('the end');
    for (const next of row?.next ?? []) {
      if (present.has(next)) result.add(next);
      else if (!visited.has(next)) visit(next);
    }
  };
  visit(from);
  return result;
}

const EVERY = new Set(PHASES.map(({ name }) => name));

async function run(proxy: TestProxy, request: TestRequest | undefined): Promise<PhaseName[]> {
  await proxy.inject(request).catch(() => undefined);
  return proxy.takePhases();
}

test('PHASES has every phase once, and leads to phases only', () => {
  expect(new Set(PHASES.map(({ name }) => name))).toEqual(new Set(Object.keys(allPhases())));
  expect(PHASES).toHaveLength(EVERY.size);
  for (const { next } of PHASES) expect(next.filter((name) => !EVERY.has(name))).toEqual([]);
  for (const { name } of PHASES) expect(reachable(name, new Set()).has('the end'), name).toBe(true);
});

describe.each(PATHS)('PHASES and $name', ({ phases, upstream, request, expected }) => {
  test('run in this order, which the table allows', async () => {
    const proxy = openProxy({ ...allPhases(), ...phases }, { upstream });
    expect(await run(proxy, request)).toEqual(expected);
    expect(violations(expected, EVERY)).toEqual([]);
  });

  test('run in the same order when every phase answers with a promise', async () => {
    const proxy = openProxy(asynchronous({ ...allPhases(), ...phases }), { upstream });
    expect(await run(proxy, request)).toEqual(expected);
  });

  test('leave out what is absent, in the same order otherwise', async () => {
    const optional = PHASES.map(({ name }) => name).filter((name) => name !== 'newCtx' && name !== 'upstreamPeer');
    const subset = fc.subarray(optional.filter((name) => phases?.[name] === undefined));
    await fc.assert(
      fc.asyncProperty(subset, async (absent) => {
        const some: Partial<Phases> = { ...allPhases(), ...phases };
        for (const name of absent) delete some[name];
        const proxy = openProxy(some, { upstream });
        const sequence = await run(proxy, request);
        const present = new Set(Object.keys(some) as PhaseName[]);
        expect(violations(sequence, present)).toEqual([]);
        expect(sequence).toEqual(expected.filter((name) => present.has(name)));
      }),
      { numRuns: 15 },
    );
  });
});

test('PHASES: a request whose context cannot be made is only logged', async () => {
  const proxy = openProxy({ ...allPhases(), newCtx: boom });
  expect(await run(proxy, undefined)).toEqual(['newCtx', 'logging']);
  expect(reachable('newCtx', EVERY).has('logging')).toBe(true);
});

test('PHASES: onConnectionReuse runs for the second request of a connection, with what the first one kept', async () => {
  const seen: unknown[] = [];
  const proxy = openProxy({
    ...allPhases(),
    onConnectionReuse: (_session, _ctx, kept) => {
      seen.push(kept);
    },
  });
  const client = proxy.connect();
  await client.inject();
  expect(proxy.takePhases()).not.toContain('onConnectionReuse');
  await client.inject();
  expect(proxy.phases.slice(0, 3)).toEqual(['newCtx', 'onConnectionReuse', 'earlyRequestFilter']);
  expect(violations(proxy.phases, EVERY)).toEqual([]);
  expect(seen).toEqual(['kept']);
});

test('PHASES: an early response lets both bodies run side by side', async () => {
  const proxy = openProxy(allPhases(), {
    upstream: {
      early: async (_request, connection) => {
        await connection.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
        return undefined;
      },
      respond: async (_request, connection) => {
        await connection.write('cd');
        return undefined;
      },
    },
  });
  const client = proxy.connect();
  const response = client.response('POST');
  await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n');
  await proxy.clock.settle();
  await client.send('12');
  expect(await response).toMatchObject({ status: 200, text: 'abcd', complete: true });
  expect(proxy.phases.indexOf('requestBodyFilter')).toBeGreaterThan(proxy.phases.indexOf('responseBodyFilter'));
  expect(violations(proxy.phases, EVERY)).toEqual([]);
});

const SYNCHRONOUS: readonly PhaseName[] = [
  'newCtx',
  'failToConnect',
  'errorWhileProxy',
  'suppressErrorLog',
  'requestSummary',
];

/** The same phases, each that may be asynchronous answering, or failing, in a later microtask. */
function asynchronous(phases: Required<Pick<Phases, PhaseName>>): Required<Pick<Phases, PhaseName>> {
  const result: Record<string, unknown> = {};
  for (const [name, phase] of Object.entries(phases)) {
    result[name] = SYNCHRONOUS.some((one) => one === name)
      ? phase
      : async (...values: unknown[]): Promise<unknown> => {
          await undefined;
          return Reflect.apply(phase, phases, values);
        };
  }
  return result as unknown as Required<Pick<Phases, PhaseName>>;
}
