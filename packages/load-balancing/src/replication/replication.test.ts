import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backend } from '../backend.ts';
import type { Discovered } from '../discovery/discovery.ts';
import type { HealthCheck, HealthEvent } from '../health/health-check.ts';
import { LoadBalancer } from '../load-balancer.ts';
import type { OperatorState } from '../pick-options.ts';
import { Consistent } from '../selection/consistent.ts';
import { FnvHash } from '../selection/fnv-hash.ts';
import { RoundRobin } from '../selection/round-robin.ts';
import type { SelectionFactory } from '../selection/selection.ts';
import type { BackendsChange, BalancerChange } from './balancer-change.ts';

const parse = (...texts: string[]): Backend[] => texts.map((text) => Backend.parse(text));

/** An original whose discovery and checks a test decides on, and a copy that hears of every change. */
class Pair {
  found: Discovered;
  readonly down = new Set<string>();
  readonly changes: BalancerChange[] = [];
  readonly original: LoadBalancer;
  readonly copy: LoadBalancer;

  constructor(found: Discovered, selection: SelectionFactory = RoundRobin, copy?: LoadBalancer) {
    this.found = found;
    const healthCheck: HealthCheck = {
      check: async ({ address }) => {
        if (this.down.has(address)) throw new Error(`${address} is down`);
      },
      healthThreshold: () => 1,
    };
    const discovery = { discover: () => this.found };
    this.original = new LoadBalancer({ discovery, selection, healthCheck });
    this.copy = copy ?? new LoadBalancer({ discovery: { discover: () => ({ backends: [] }) }, selection });
    this.copy.apply(structuredClone(this.original.snapshot()));
    this.original.onChange((change) => {
      this.changes.push(change);
      this.copy.apply(structuredClone(change));
    });
  }

  async check(...down: string[]): Promise<void> {
    this.down.clear();
    for (const address of down) this.down.add(address);
    await this.original.runHealthCheck();
  }
}

const STATES: readonly OperatorState[] = ['active', 'draining', 'maintenance'];

/** All that others can see of a balancer's backends. */
function seen(balancer: LoadBalancer): unknown[] {
  const { backends } = balancer;
  return [...backends].map((backend) => [
    backend.address,
    backend.weight,
    backend.priority,
    backend.maxConnections,
    balancer.stateOf(backend),
    [...backend.ext],
    backends.isHealthy(backend),
    backends.isEnabled(backend),
    backends.isReady(backend),
  ]);
}

describe('LoadBalancer.apply', () => {
  const texts = ['10.0.0.1:80', '10.0.0.2:80', '[::1]:80', 'origin:80', 'unix:/run/x.sock', '10.0.0.6:80'];
  const address = fc.constantFrom(...texts);
  const weight = fc.constantFrom(0, 1, 1, 1, 2, 5);
  const ext = fc.option(fc.constantFrom('x', 'y'), { nil: undefined });
  const list = fc.uniqueArray(fc.record({ address, weight, ext }), { selector: (one) => one.address, maxLength: 6 });
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('discover' as const), list, off: fc.array(address, { maxLength: 2 }) }),
    fc.record({ kind: fc.constant('alter' as const), at: fc.nat({ max: 5 }), weight, ext }),
    fc.record({ kind: fc.constant('check' as const), down: fc.uniqueArray(address) }),
    fc.record({ kind: fc.constant('switch' as const), address, state: fc.constantFrom(...STATES) }),
    fc.record({ kind: fc.constant('select' as const), times: fc.nat({ max: 5 }) }),
  );
  type Operation = (typeof operation extends fc.Arbitrary<infer T> ? T : never) & object;

  function backendOf(text: string, share: number, zone: string | undefined): Backend {
    const data = zone === undefined ? undefined : new Map([['zone', { name: zone }]]);
    return Backend.parse(text, { weight: share, maxConnections: share === 2 ? 7 : 0, ext: data });
  }

  function discovered(
    entries: { address: string; weight: number; ext: string | undefined }[],
    off: string[],
  ): Discovered {
    const backends = entries.map((one) => backendOf(one.address, one.weight, one.ext));
    return { backends, enabled: new Map(off.map((text) => [text, false])) };
  }

  async function run(pair: Pair, one: Operation): Promise<void> {
    if (one.kind === 'check') await pair.check(...one.down);
    else if (one.kind === 'switch') pair.original.setState(one.address, one.state);
    else if (one.kind === 'select') for (let i = 0; i < one.times; i += 1) pair.original.select(`key ${i}`);
    else {
      const alter = (known: Backend, at: number): Backend =>
        one.kind === 'alter' && at === one.at ? backendOf(known.address, one.weight, one.ext) : known;
      if (one.kind === 'alter') pair.found = { ...pair.found, backends: [...pair.found.backends].map(alter) };
      else pair.found = discovered(one.list, one.off);
      await pair.original.update();
    }
  }

  /** What an algorithm that begins anew makes of the balancer's backends. */
  function choices({ backends }: LoadBalancer, factory: SelectionFactory): (string | undefined)[] {
    const all = [...backends];
    const weighted = all.filter((backend) => backend.weight > 0);
    const selection = factory.build(weighted, undefined);
    return Array.from({ length: 24 }, (_, i) => {
      for (let at = selection.first(`key ${i}`); at >= 0; at = selection.next()) {
        const backend = weighted[at];
        if (backend !== undefined && backends.isReady(backend)) return backend.address;
      }
      return undefined;
    });
  }

  it.each([RoundRobin, FnvHash, Consistent])(
    'LoadBalancer.apply of all changes makes a copy that agrees with the original ($name)',
    async (factory) => {
      const property = fc.asyncProperty(fc.array(operation, { maxLength: 12 }), list, async (operations, first) => {
        const pair = new Pair(discovered(first, []), factory);
        for (const one of operations) {
          await run(pair, one);
          expect(seen(pair.copy)).toEqual(seen(pair.original));
          expect(choices(pair.copy, factory)).toEqual(choices(pair.original, factory));
        }
        const late = new LoadBalancer({ discovery: { discover: () => ({ backends: [] }) }, selection: factory });
        late.apply(structuredClone(pair.original.snapshot()));
        expect(seen(late)).toEqual(seen(pair.original));
        // Switches of operator and discovery stay apart: turning one back on shows the other.
        for (const text of texts) {
          for (const balancer of [pair.original, late]) balancer.setEnabled(text, true);
        }
        expect(seen(late)).toEqual(seen(pair.original));
        expect(seen(pair.copy)).toEqual(seen(pair.original));
      });
      await fc.assert(property, { numRuns: 150 });
    },
  );

  it('LoadBalancer.apply keeps the copy’s own backends with their data, and the place of its algorithm', async () => {
    const socket = { write: () => undefined };
    const own = [Backend.parse('a:1', { ext: new Map([['agent', socket]]) }), ...parse('b:1', 'c:1')];
    const copy = LoadBalancer.fromAddresses(own);
    expect(copy.select('')?.address).toBe('a:1');
    const pair = new Pair({ backends: own }, RoundRobin, copy);
    // It has heard of an original without backends so far.
    expect(copy.backends.size).toBe(0);
    const fed = LoadBalancer.fromAddresses(own);
    expect(fed.select('')?.address).toBe('a:1');
    await pair.original.update();
    fed.apply(structuredClone(pair.original.snapshot()));
    expect([...fed.backends].every((backend, i) => backend === own[i])).toBe(true);
    expect(fed.select('')?.address).toBe('b:1');
    // A flip, a switch and switches of the discovery do not disturb it either.
    await pair.check('c:1');
    pair.found = { backends: own, enabled: new Map([['b:1', false]]) };
    await pair.original.update();
    for (const change of pair.changes) fed.apply(structuredClone(change));
    expect([fed.select('')?.address, fed.select('')?.address]).toEqual(['a:1', 'a:1']);
    expect(fed.backends.find('a:1')?.ext.get('agent')).toBe(socket);
    // Another weight makes another object, of the same data.
    pair.found = { backends: [Backend.parse('a:1', { weight: 3 })] };
    await pair.original.update();
    fed.apply(structuredClone(pair.changes.at(-1) as BalancerChange));
    expect(fed.backends.find('a:1')).toMatchObject({ weight: 3, ext: new Map([['agent', socket]]) });
  });

  it('LoadBalancer.apply passes on priorities, caps and states, also to a copy that knows the addresses', () => {
    const options = { priority: 3, maxConnections: 9 };
    const original = LoadBalancer.fromAddresses([Backend.parse('x:1', options), ...parse('a:1', 'b:1', 'c:1')]);
    original.setState('a:1', 'draining');
    original.setState('b:1', 'maintenance');
    for (const known of [[], ['x:1', 'c:1']]) {
      const copy = LoadBalancer.fromAddresses(known);
      copy.apply(structuredClone(original.snapshot()));
      expect(seen(copy)).toEqual(seen(original));
      expect(copy.backends.find('x:1')).toMatchObject(options);
      expect(copy.pick('')?.backend.address).toBe('c:1');
      expect(copy.pick('', { prefer: 'a:1' })?.backend.address).toBe('a:1');
      original.setState('c:1', 'draining');
      copy.apply(structuredClone(original.snapshot()));
      expect(copy.pick('')?.backend.address).toBe('x:1');
      original.setState('c:1', 'active');
    }
  });

  it('LoadBalancer.apply gives a copy what can be cloned of the data of backends that it does not know', async () => {
    const ext = new Map<unknown, unknown>([
      ['zone', { name: 'x' }],
      ['agent', () => undefined],
      [Symbol('key'), 1],
    ]);
    const pair = new Pair({ backends: [Backend.parse('a:1', { ext })] });
    await pair.original.update();
    expect(pair.copy.backends.find('a:1')?.ext).toEqual(new Map([['zone', { name: 'x' }]]));
    // News of it arrive, unlike those of a backend that is the copy's own.
    const before = pair.copy.backends.find('a:1');
    pair.original.setEnabled('a:1', false);
    await pair.original.update();
    pair.copy.apply(structuredClone(pair.original.snapshot()));
    expect(pair.copy.backends.find('a:1')).toBe(before);
    pair.found = { backends: [Backend.parse('a:1', { ext: new Map([['zone', { name: 'y' }]]) })] };
    await pair.original.update();
    expect(pair.copy.backends.find('a:1')?.ext).toEqual(new Map([['zone', { name: 'y' }]]));
    pair.found = { backends: parse('a:1') };
    await pair.original.update();
    expect(pair.copy.backends.find('a:1')?.ext.size).toBe(0);
  });

  it('LoadBalancer.apply tells observers of flips as a check would, after the snapshot, and no one else', async () => {
    const told: string[] = [];
    const healthCheck: HealthCheck = {
      check: () => Promise.reject(new Error('a copy checks nothing')),
      healthThreshold: () => 1,
      healthStatusChange: () => void told.push('healthStatusChange'),
    };
    const copy = LoadBalancer.fromAddresses(['a:1', 'b:1'], { healthCheck });
    const pair = new Pair({ backends: parse('a:1', 'b:1') }, RoundRobin, LoadBalancer.fromAddresses([]));
    await pair.original.update();
    copy.observe(({ backend, healthy, cause }: HealthEvent) => {
      expect(copy.backends.find(backend.address)).toBe(backend);
      expect(copy.backends.isHealthy(backend)).toBe(healthy);
      told.push(`${backend.address} ${healthy} ${cause instanceof Error ? cause.message : cause}`);
    });
    pair.original.onChange((change) => copy.apply(structuredClone(change)));
    await pair.check('a:1');
    await pair.check('a:1');
    await pair.check();
    expect(told.splice(0)).toEqual(['a:1 false a:1 is down', 'a:1 true undefined']);
    // In a complete state: those that differ from what the copy knew; a backend unknown so far counts as healthy.
    pair.found = { backends: parse('a:1', 'b:1', 'c:1') };
    await pair.original.update();
    await pair.check('b:1', 'c:1');
    const late = LoadBalancer.fromAddresses(['a:1', 'b:1']);
    late.observe(({ backend, healthy }) => void told.push(`late ${backend.address} ${healthy}`));
    told.length = 0;
    const snapshot = structuredClone(pair.original.snapshot());
    late.apply(snapshot);
    late.apply(snapshot);
    expect(told).toEqual(['late b:1 false', 'late c:1 false']);
  });

  it('LoadBalancer.apply tells the check who has left', () => {
    const forgotten: string[] = [];
    const healthCheck: HealthCheck = {
      check: async () => undefined,
      healthThreshold: () => 1,
      forget: ({ address }) => void forgotten.push(address),
    };
    const copy = LoadBalancer.fromAddresses(['a:1', 'b:1'], { healthCheck });
    copy.apply(LoadBalancer.fromAddresses(['b:1']).snapshot());
    expect(forgotten).toEqual(['a:1']);
  });

  it('LoadBalancer.apply changes nothing when it refuses', () => {
    const selection: SelectionFactory = {
      name: 'Picky',
      build: (backends, previous) => {
        if (backends.some(({ address }) => address === 'picky:1')) throw new RangeError('Picky: not that one');
        return RoundRobin.build(backends, previous);
      },
    };
    const copy = LoadBalancer.fromAddresses(['a:1', 'b:1'], { selection });
    copy.setEnabled('b:1', false);
    const good = copy.snapshot();
    const withAddress = (text: unknown): BackendsChange => ({
      ...good,
      addresses: ['a:1', text as string],
      draining: [],
      maintenance: [],
      unhealthy: ['a:1'],
    });
    const { backends } = copy;
    const refused: [BackendsChange, string][] = [
      [withAddress('nonsense'), 'backend address "nonsense" is not valid'],
      [withAddress(7), 'backend address of type number is not valid'],
      [withAddress('[0::1]:80'), 'change.addresses must be in canonical form: [::1]:80, got [0::1]:80'],
      [withAddress('a:1'), 'change.addresses must be distinct'],
      [withAddress('picky:1'), 'Picky: not that one'],
      [{ ...good, weights: [1, -1] }, 'weight of backend b:1 must be an integer'],
      [{ ...good, unhealthy: ['c:1'] }, 'change.unhealthy must name addresses of the list'],
    ];
    for (const [change, message] of refused) {
      expect(() => copy.apply(change)).toThrow(message);
      expect(copy.backends).toBe(backends);
      expect(copy.snapshot()).toEqual(good);
    }
    // @ts-expect-error nonsense
    expect(() => copy.apply('on')).toThrow(TypeError);
  });

  it('LoadBalancer.apply of news about backends that are not here does nothing', () => {
    const copy = LoadBalancer.fromAddresses(['a:1']);
    const { backends } = copy;
    const told: unknown[] = [];
    copy.observe((event) => void told.push(event));
    copy.onChange((change) => told.push(change));
    copy.apply({ kind: 'health', address: 'b:1', healthy: false });
    copy.apply({ kind: 'state', address: 'b:1', state: 'maintenance' });
    copy.apply({ kind: 'health', address: 'a:1', healthy: true });
    expect(copy.backends).toBe(backends);
    expect(told).toEqual([]);
  });
});

describe('LoadBalancer.onChange', () => {
  it('LoadBalancer.onChange tells of single changes in a few bytes, whatever the number of backends', async () => {
    const backends = parse(...Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`));
    const pair = new Pair({ backends });
    await pair.original.update();
    pair.changes.length = 0;
    await pair.check('10.0.0.7:80');
    await pair.check();
    pair.original.setEnabled('10.0.0.9:80', false);
    pair.original.setEnabled('10.0.99.9:80', false);
    expect(await pair.original.update()).toBe(false);
    expect(pair.changes).toEqual([
      { kind: 'health', address: '10.0.0.7:80', healthy: false, reason: '10.0.0.7:80 is down' },
      { kind: 'health', address: '10.0.0.7:80', healthy: true },
      { kind: 'state', address: '10.0.0.9:80', state: 'maintenance' },
    ]);
  });

  it('LoadBalancer.onChange goes on through copies of copies, until it is ended', async () => {
    const pair = new Pair({ backends: parse('a:1', 'b:1') });
    const heard: BalancerChange[] = [];
    const end = pair.copy.onChange((change) => heard.push(change));
    await pair.original.update();
    await pair.check('a:1');
    pair.original.setEnabled('b:1', false);
    expect(heard).toEqual(pair.changes);
    end();
    await pair.check();
    expect(heard).toHaveLength(3);
  });

  it('LoadBalancer.onChange logs what a listener throws, and tells the others', async () => {
    const lines: string[] = [];
    const ignore = (): void => undefined;
    const logger = { debug: ignore, info: ignore, warn: ignore, error: (_: object, text: string) => lines.push(text) };
    const balancer = LoadBalancer.fromAddresses(['a:1'], { logger });
    const told: string[] = [];
    balancer.onChange(() => {
      throw new Error('broken');
    });
    balancer.onChange(({ kind }) => told.push(kind));
    expect(balancer.setEnabled('a:1', false)).toBe(true);
    expect([told, lines]).toEqual([['state'], ['listener of balancer changes failed']]);
  });

  it('LoadBalancer.apply takes its time for what is short but takes the place of a long list', async () => {
    const long = Array.from({ length: 3_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`);
    const [original, copy] = [LoadBalancer.fromAddresses(['a:1']), LoadBalancer.fromAddresses(long)];
    copy.apply(original.snapshot());
    expect(copy.backends.size).toBe(3_000);
    await copy.applied();
    expect([...copy.backends].map(String)).toEqual(['a:1']);
  });
});
