/**
 * Nothing that happens while a list is taken over, step by step, is lost.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { type BalancerParts, joinParts } from './balancer-parts.ts';
import { LoadBalancer } from './load-balancer.ts';
import type { Pick } from './pick.ts';
import type { OperatorState } from './pick-options.ts';
import { runAtOnce, type Steps } from './run-in-slices.ts';
import { RoundRobin } from './selection/round-robin.ts';
import type { Selection, SelectionFactory } from './selection/selection.ts';
import { tierAt } from './tier.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Round robin, built in three steps, that knows what it has been told of loads. */
class Recorder implements Selection {
  readonly loads = new Map<string, number>();
  readonly #inner: Selection;
  readonly #backends: readonly Backend[];

  constructor(backends: readonly Backend[]) {
    this.#inner = RoundRobin.build(backends, undefined);
    this.#backends = backends;
  }

  first(key: string): number {
    return this.#inner.first(key);
  }

  next(): number {
    return this.#inner.next();
  }

  onLoad(position: number, inFlight: number): void {
    this.loads.set((this.#backends[position] as Backend).address, inFlight);
  }
}

const recording: SelectionFactory = { name: 'Recorder', build: (backends) => new Recorder(backends) };

const address = fc.constantFrom(...Array.from({ length: 8 }, (_, i) => `10.0.0.${i}:80`));
const backend = fc
  .record({ address, weight: fc.constantFrom(1, 1, 2), priority: fc.constantFrom(0, 0, 1) })
  .map(({ address: text, ...options }) => Backend.parse(text, options));
const list = fc.uniqueArray(backend, { selector: (one) => one.address, minLength: 1, maxLength: 8 });
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('step' as const), steps: fc.nat({ max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const), list }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pick' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('done' as const), at: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('health' as const), address, healthy: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('state' as const),
      address,
      state: fc.constantFrom<OperatorState>('active', 'draining'),
    }),
  },
);

/** What one address should look like. */
interface Expected {
  healthy: boolean;
  state: OperatorState;
}

/** Runs operations against a set whose lists are taken over step by step. */
class Scene {
  readonly parts: BalancerParts = joinParts({
    discovery: { discover: () => ({ backends: [] }) },
    selection: recording,
  });
  readonly expected = new Map<string, Expected>();
  readonly picks: Pick[] = [];
  chosen = 0;
  #next: { list: readonly Backend[]; steps: Steps<unknown> } | undefined;

  begin(next: readonly Backend[]): void {
    if (this.#next !== undefined) this.step(Number.POSITIVE_INFINITY);
    this.#next = { list: next, steps: this.parts.set.replace({ backends: next }) };
  }

  step(count: number): void {
    for (let i = 0; i < count && this.#next !== undefined; i += 1) {
      if (this.#next.steps.next().done !== true) continue;
      const here = new Set(this.#next.list.map((one) => one.address));
      for (const text of this.expected.keys()) if (!here.has(text)) this.expected.delete(text);
      for (const text of here) {
        if (!this.expected.has(text)) this.expected.set(text, { healthy: true, state: 'active' });
      }
      this.#next = undefined;
    }
  }

  pick(): void {
    const pick = this.parts.chooser.pick('', {});
    if (pick === undefined) return;
    this.chosen += 1;
    this.picks.push(pick);
  }

  done(at: number): void {
    const [pick] = this.picks.splice(at % Math.max(1, this.picks.length), 1);
    pick?.done();
  }

  setHealth(text: string, healthy: boolean): void {
    this.parts.set.become(text, healthy);
    const expected = this.expected.get(text);
    if (expected !== undefined) expected.healthy = healthy;
  }

  setState(text: string, state: OperatorState): void {
    this.parts.set.setState(text, state);
    const expected = this.expected.get(text);
    if (expected !== undefined) expected.state = state;
  }

  agree(): void {
    const { lineup, rotation } = this.parts.set.snapshot;
    let picks = this.parts.set.formerPicks;
    for (const [i, { address: text }] of lineup.list.entries()) {
      const expected = this.expected.get(text);
      expect([text, rotation.isReadyAt(i)]).toEqual([text, expected?.healthy === true && expected.state === 'active']);
      const inFlight = this.picks.filter((one) => one.backend.address === text).length;
      expect([text, lineup.states[i]?.inFlight]).toEqual([text, inFlight]);
      const selection = tierAt(lineup.tiers, i)?.selection as Recorder;
      expect([text, selection.loads.get(text) ?? 0]).toEqual([text, inFlight]);
      picks += lineup.picks.at(i);
    }
    expect(picks).toBe(this.chosen);
  }
}

describe('NextLineup', () => {
  it('NextLineup takes over with everything that happened while it was being made', () => {
    fc.assert(
      fc.property(list, fc.array(operation, { maxLength: 60 }), (first, operations) => {
        const scene = new Scene();
        scene.begin(first);
        scene.step(Number.POSITIVE_INFINITY);
        for (const one of operations) {
          if (one.kind === 'step') scene.step(one.steps);
          else if (one.kind === 'list') scene.begin(one.list);
          else if (one.kind === 'pick') scene.pick();
          else if (one.kind === 'done') scene.done(one.at);
          else if (one.kind === 'health') scene.setHealth(one.address, one.healthy);
          else scene.setState(one.address, one.state);
          scene.agree();
        }
        scene.step(Number.POSITIVE_INFINITY);
        scene.agree();
      }),
      { numRuns: 300 },
    );
  });

  it('NextLineup that is given up leaves no trace', () => {
    const { chooser, set } = joinParts({ discovery: { discover: () => ({ backends: [] }) }, selection: recording });
    runAtOnce(set.replace({ backends: ['a:1', 'b:1'].map((text) => Backend.parse(text)) }));
    const pick = chooser.pick('', {});
    const before = set.snapshot;
    const next = set.replace({ backends: ['b:1', 'c:1'].map((text) => Backend.parse(text, { weight: 2 })) });
    for (let i = 0; i < 4; i += 1) expect(next.next().done).toBe(false);
    next.return({ changed: false, removed: [], flipped: [] });
    expect(set.snapshot).toBe(before);
    pick?.done();
    expect(set.stateOf('a:1')?.inFlight).toBe(0);
    expect(set.stateOf('c:1')).toBeUndefined();
  });

  it('NextLineup lets an algorithm that can be built in steps be built so, when the list is long', () => {
    const calls: string[] = [];
    const factory: SelectionFactory = {
      name: 'Stepper',
      build: (backends) => {
        calls.push(`build ${backends.length}`);
        return new Recorder(backends);
      },
      *buildInSteps(backends, previous, context) {
        yield;
        calls.push(`steps ${backends.length} ${previous !== undefined} ${context?.previous === previous}`);
        return new Recorder(backends);
      },
    };
    const { set } = joinParts({ discovery: { discover: () => ({ backends: [] }) }, selection: factory });
    const backends = Array.from({ length: 2_001 }, (_, i) => Backend.parse(`10.0.${i >> 8}.${i & 255}:80`));
    runAtOnce(set.replace({ backends: backends.slice(1) }));
    runAtOnce(set.replace({ backends }));
    expect(calls).toEqual(['build 0', 'build 2000', 'steps 2001 true true']);
  });
});

describe('LoadBalancer.update', () => {
  const many = (count: number, from = 0): Backend[] =>
    Array.from({ length: count }, (_, i) => Backend.parse(`10.1.${(i + from) >> 8}.${(i + from) & 255}:80`));

  it('LoadBalancer.update of a long list lets the loop turn and the old list serve until the new one is complete', async () => {
    let found = many(30_000);
    const balancer = new LoadBalancer({ discovery: { discover: () => ({ backends: found }) } });
    await balancer.update();
    found = many(30_000, 1);
    let turns = 0;
    const update = balancer.update();
    const isOver = update.then(() => true);
    while (!(await Promise.race([isOver, turn()]))) {
      turns += 1;
      expect(balancer.select('')).toBeDefined();
      expect(balancer.backends.size).toBe(30_000);
    }
    expect(turns).toBeGreaterThan(2);
    expect(balancer.backends.find('10.1.0.0:80')).toBeUndefined();
    expect(balancer.backends.find('10.1.117.48:80')).toBeDefined();
  });

  it('LoadBalancer.update that is called off keeps the list', async () => {
    let found = many(10);
    const balancer = new LoadBalancer({ discovery: { discover: () => ({ backends: found }) } });
    await balancer.update();
    found = many(30_000);
    const controller = new AbortController();
    const update = balancer.update(controller.signal);
    await turn();
    controller.abort(new Error('enough'));
    await expect(update).rejects.toThrow('enough');
    expect(balancer.backends.size).toBe(10);
    expect(await balancer.update()).toBe(true);
    expect(balancer.backends.size).toBe(30_000);
  });

  it('LoadBalancer.apply of a long list makes what follows wait, in order, and tells it on in order', async () => {
    const original = LoadBalancer.fromAddresses(many(3_000));
    const lines: string[] = [];
    const ignore = (): void => undefined;
    const logger = { debug: ignore, info: ignore, warn: ignore, error: (_: object, text: string) => lines.push(text) };
    const copy = LoadBalancer.fromAddresses(['a:1'], { logger });
    const told: string[] = [];
    copy.onChange(({ kind }) => told.push(kind));
    copy.apply(original.snapshot());
    copy.apply({ kind: 'state', address: '10.1.0.7:80', state: 'draining' });
    copy.apply({ ...original.snapshot(), weights: original.snapshot().weights.map(() => -1) });
    copy.apply({ kind: 'health', address: '10.1.0.8:80', healthy: false });
    expect(copy.backends.size).toBe(1);
    await copy.applied();
    expect(copy.backends.size).toBe(3_000);
    expect(copy.stateOf('10.1.0.7:80')).toBe('draining');
    expect(copy.backends.isHealthy({ address: '10.1.0.8:80' })).toBe(false);
    expect(lines).toEqual(['change of the original balancer could not be taken over']);
    for (let i = 0; i < 4; i += 1) await turn();
    expect(told).toEqual(['backends', 'state', 'health']);
  });

  it('LoadBalancer.apply takes the first list of a copy over at once, however long it is', () => {
    const original = LoadBalancer.fromAddresses(many(3_000));
    const copy = LoadBalancer.fromAddresses([]);
    copy.apply(original.snapshot());
    expect(copy.backends.size).toBe(3_000);
  });

  it('LoadBalancer.onChange tells of a flip that comes while a long list is described after that list', async () => {
    let found = many(10);
    const balancer = new LoadBalancer({ discovery: { discover: () => ({ backends: found }) } });
    const copy = LoadBalancer.fromAddresses([]);
    balancer.onChange((change) => copy.apply(structuredClone(change)));
    await balancer.update();
    found = many(30_000);
    const isOver = balancer.update().then(() => true);
    let states = 0;
    while (!(await Promise.race([isOver, turn()]))) {
      // Also of those at the end of the list, which have been described by now or not.
      for (const text of ['10.1.0.1:80', '10.1.117.40:80']) {
        const state = states % 2 === 0 ? 'draining' : 'active';
        if (balancer.setState(text, state)) states += 1;
      }
    }
    for (let i = 0; i < 5; i += 1) await turn();
    await copy.applied();
    expect(states).toBeGreaterThan(0);
    for (const text of ['10.1.0.1:80', '10.1.117.40:80']) expect(copy.stateOf(text)).toBe(balancer.stateOf(text));
    expect(copy.backends.size).toBe(30_000);
  });
});
