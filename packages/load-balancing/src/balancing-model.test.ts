/**
 * Everything that decides who is chosen, against a model that is slow and obvious: tiers, states, health, panic, caps, and what
 * is under way, through changes of the list.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { LoadBalancer } from './load-balancer.ts';
import type { Pick } from './pick.ts';
import type { OperatorState } from './pick-options.ts';
import { FnvHash } from './selection/fnv-hash.ts';
import { Random } from './selection/random.ts';
import { RoundRobin } from './selection/round-robin.ts';
import type { Selection, SelectionFactory } from './selection/selection.ts';

/** What the model knows of one address. */
interface Entry {
  backend: Backend;
  state: OperatorState;
  healthy: boolean;
}

/** An algorithm that writes down what it is told of loads, by address. */
function recording(inner: SelectionFactory, loads: Map<Selection, Map<string, number>>): SelectionFactory {
  return {
    name: inner.name,
    build: (backends, _, context) => {
      const built = inner.build(backends, undefined, context);
      const told = new Map<string, number>();
      const selection: Selection = {
        first: (key) => built.first(key),
        next: () => built.next(),
        onLoad: (position, inFlight) => {
          told.set((backends[position] as Backend).address, inFlight);
        },
      };
      loads.set(selection, told);
      return selection;
    },
  };
}

class Model {
  readonly entries = new Map<string, Entry>();
  readonly picks: { address: string; pick: Pick }[] = [];
  readonly threshold: number;
  readonly cap: number;

  constructor(threshold: number, cap: number) {
    this.threshold = threshold;
    this.cap = cap;
  }

  inFlight(address: string): number {
    return this.picks.filter((one) => one.address === address).length;
  }

  isFull({ backend }: Entry): boolean {
    const cap = backend.maxConnections === 0 ? this.cap : backend.maxConnections;
    return cap > 0 && this.inFlight(backend.address) >= cap;
  }

  /** Tier by tier: who is in rotation. */
  tiers(): Entry[][] {
    const weighted = [...this.entries.values()].filter(({ backend }) => backend.weight > 0);
    const priorities = [...new Set(weighted.map(({ backend }) => backend.priority))].sort((a, b) => a - b);
    return priorities.map((priority) => {
      const enabled = weighted.filter((one) => one.backend.priority === priority && one.state === 'active');
      const well = enabled.filter((one) => one.healthy);
      return this.threshold > 0 && well.length < this.threshold * enabled.length ? enabled : well;
    });
  }

  /** Who may be the answer of `select`, and of `pick`. */
  get selectable(): Set<string> {
    return addresses(this.tiers().find((tier) => tier.length > 0));
  }

  get pickable(): Set<string> {
    const free = this.tiers().map((tier) => tier.filter((one) => !this.isFull(one)));
    return addresses(free.find((tier) => tier.length > 0));
  }
}

function addresses(entries: readonly Entry[] = []): Set<string> {
  return new Set(entries.map(({ backend }) => backend.address));
}

const address = fc.constantFrom('a:1', 'b:1', 'c:1', 'd:1', 'e:1', 'f:1');
const backend = fc
  .record({
    address,
    weight: fc.constantFrom(0, 1, 1, 1, 3),
    priority: fc.constantFrom(0, 0, 1, 5),
    maxConnections: fc.constantFrom(0, 0, 1, 2),
  })
  .map(({ address: text, ...options }) => Backend.parse(text, options));
const list = fc.uniqueArray(backend, { selector: (one) => one.address, maxLength: 6 });
const operation = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('list' as const), list }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('state' as const),
      address,
      state: fc.constantFrom<OperatorState>('active', 'active', 'draining', 'maintenance'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('health' as const), down: fc.uniqueArray(address) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pick' as const), key: fc.string() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('done' as const), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('prefer' as const), address }) },
);
type Operation = (typeof operation extends fc.Arbitrary<infer T> ? T : never) & object;

describe('LoadBalancer', () => {
  it.each([RoundRobin, Random, FnvHash])(
    'LoadBalancer with $name does what a slow and obvious model does',
    async (inner) => {
      const property = fc.asyncProperty(
        fc.array(operation, { maxLength: 40 }),
        list,
        fc.constantFrom(0, 0, 0.5, 1),
        fc.constantFrom(0, 0, 1, 2),
        async (operations, first, panicThreshold, maxConnections) => {
          const model = new Model(panicThreshold, maxConnections);
          const loads = new Map<Selection, Map<string, number>>();
          const down = new Set<string>();
          let found = first;
          const balancer = new LoadBalancer({
            discovery: { discover: () => ({ backends: found }) },
            selection: recording(inner, loads),
            healthCheck: {
              check: async (one) => {
                if (down.has(one.address)) throw new Error('down');
              },
              healthThreshold: () => 1,
            },
            panicThreshold,
            maxConnections,
          });

          async function run(one: Operation): Promise<void> {
            if (one.kind === 'list') await takeList(one.list);
            else if (one.kind === 'state') setState(one.address, one.state);
            else if (one.kind === 'health') await check(one.down);
            else if (one.kind === 'pick') pick(one.key);
            else if (one.kind === 'prefer') prefer(one.address);
            else release(one.at);
          }

          async function takeList(next: Backend[]): Promise<void> {
            found = next;
            await balancer.update();
            const before = new Map(model.entries);
            model.entries.clear();
            for (const one of next) {
              const known = before.get(one.address);
              model.entries.set(one.address, { state: 'active', healthy: true, ...known, backend: one });
            }
          }

          function setState(text: string, state: OperatorState): void {
            const entry = model.entries.get(text);
            expect(balancer.setState(text, state)).toBe(entry !== undefined);
            if (entry !== undefined) entry.state = state;
            expect(balancer.stateOf(text)).toBe(entry?.state);
          }

          async function check(ill: string[]): Promise<void> {
            down.clear();
            for (const text of ill) down.add(text);
            await balancer.runHealthCheck();
            // Nobody checks what is being repaired.
            for (const [text, entry] of model.entries)
              if (entry.state !== 'maintenance') entry.healthy = !down.has(text);
          }

          function pick(key: string): void {
            expectOneOf(balancer.select(key)?.address, model.selectable);
            const isFull = model.selectable.size > 0 && model.pickable.size === 0;
            const got = balancer.pick(key);
            expectOneOf(got?.backend.address, model.pickable);
            if (got !== undefined) model.picks.push({ address: got.backend.address, pick: got });
            else expect(() => balancer.acquire(key)).toThrow(isFull ? 'queue full' : 'no backend in rotation');
          }

          function prefer(text: string): void {
            const entry = model.entries.get(text);
            const isInPanic =
              entry !== undefined && model.tiers().some((tier) => tier.includes(entry) && !entry.healthy);
            const tierIsInPanic = model
              .tiers()
              .some((tier) => tier.some((one) => !one.healthy && one.backend.priority === entry?.backend.priority));
            const isWell =
              entry !== undefined && (entry.healthy || isInPanic || (tierIsInPanic && entry.backend.weight > 0));
            const takesIt = entry !== undefined && entry.state !== 'maintenance' && isWell && !model.isFull(entry);
            const expected = takesIt ? new Set([text]) : model.pickable;
            const got = balancer.pick('', { prefer: text });
            expectOneOf(got?.backend.address, expected);
            if (got !== undefined) model.picks.push({ address: got.backend.address, pick: got });
          }

          function release(at: number): void {
            const [one] = model.picks.splice(at % Math.max(1, model.picks.length), 1);
            one?.pick.done({ ok: true });
            one?.pick.done();
          }

          function expectAgreement(): void {
            const { byAddress, inFlight } = balancer.stats();
            expect(inFlight).toBe(model.picks.length);
            const counted = Object.entries(byAddress).map(([text, stats]) => [text, stats.inFlight, stats.state]);
            const expected = [...balancer.backends].map((one) => [
              one.address,
              model.inFlight(one.address),
              model.entries.get(one.address)?.state,
            ]);
            expect(counted).toEqual(expected);
            for (const { end, selection, start } of balancer.backends.lineup.tiers) {
              for (const one of [...balancer.backends].slice(start, end)) {
                expect(loads.get(selection)?.get(one.address) ?? 0).toBe(model.inFlight(one.address));
              }
            }
          }

          await takeList(first);
          for (const one of operations) {
            await run(one);
            expectAgreement();
          }
          for (const { pick: left } of model.picks.splice(0)) left.done();
          expectAgreement();
        },
      );
      await fc.assert(property, { numRuns: 150 });
    },
  );
});

/** Undefined exactly when there is nobody. */
function expectOneOf(chosen: string | undefined, possible: ReadonlySet<string>): void {
  if (possible.size === 0) expect(chosen).toBeUndefined();
  else expect([...possible]).toContain(chosen);
}
