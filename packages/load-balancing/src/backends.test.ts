import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backend } from './backend.ts';
import { type Accept, Backends, type ChoiceRules } from './backends.ts';
import { NO_LINEUP } from './lineup.ts';
import { NextLineup } from './next-lineup.ts';
import { Rotation } from './rotation.ts';
import { runAtOnce } from './run-in-slices.ts';
import { Consistent } from './selection/consistent.ts';
import { FnvHash } from './selection/fnv-hash.ts';
import { Random } from './selection/random.ts';
import { RoundRobin } from './selection/round-robin.ts';
import { SlowStart } from './slow-start.ts';

const FACTORIES = [RoundRobin, Random, FnvHash, Consistent];

function snapshotOf(
  factory: (typeof FACTORIES)[number],
  weights: readonly number[],
  isReady: (i: number) => boolean,
): Backends {
  const list = weights.map((weight, i) => Backend.parse(`10.0.0.${i}:80`, { weight }));
  const parts = { factory, maxConnections: 0, now: () => 0, random: () => 0.5, departed: () => undefined };
  const { lineup } = runAtOnce(NextLineup.of(list, NO_LINEUP, parts));
  for (const [i, state] of lineup.states.entries()) state.health.become(isReady(i));
  return new Backends(lineup, Rotation.of(lineup.states, lineup.tiers, 0));
}

/** What a balancer does when one backend changes. */
function changed(snapshot: Backends, fact: 'healthy' | 'enabled', address: string, value: boolean): Backends {
  const position = snapshot.lineup.positions.get(address) ?? 0;
  return new Backends(snapshot.lineup, snapshot.rotation.with(fact, position, value));
}

const slowStart = new SlowStart(0, { now: () => 0 }, () => 0.5);
const rules = (accept: Accept): ChoiceRules => ({ accept, withCaps: false, slowStart });

describe('Backends', () => {
  it.each(FACTORIES)(
    'Backends with $name chooses every backend in rotation sooner or later, and never another',
    (factory) => {
      const cases = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean()), { minLength: 1, maxLength: 40 });
      fc.assert(
        fc.property(cases, fc.array(fc.string(), { minLength: 1, maxLength: 20 }), (backends, keys) => {
          const isReady = (i: number): boolean => backends[i]?.[1] ?? false;
          const snapshot = snapshotOf(
            factory,
            backends.map(([weight]) => weight),
            isReady,
          );
          const hasAny = backends.some(([, ready]) => ready);
          for (const key of keys) {
            const position = snapshot.choose(key, 256);
            expect(position >= 0 ? isReady(position) : !hasAny).toBe(true);
          }
        }),
      );
    },
  );

  it.each(FACTORIES)(
    'Backends with $name finds the only one in rotation among 200 when it may look at all',
    (factory) => {
      const snapshot = snapshotOf(factory, new Array(200).fill(1), (i) => i === 137);
      for (let i = 0; i < 20; i += 1) expect(snapshot.choose(`key ${i}`, 200)).toBe(137);
    },
  );

  it.each(FACTORIES)('Backends with $name looks at no more candidates than it may', (factory) => {
    const snapshot = snapshotOf(factory, new Array(50).fill(1), () => false);
    for (const limit of [1, 7, 50, 1_000]) {
      const seen: string[] = [];
      const refuse = (backend: Backend, healthy: boolean): boolean => {
        expect(healthy).toBe(false);
        seen.push(backend.address);
        return false;
      };
      expect(snapshot.chooseCarefully('key', limit, rules(refuse))).toBe(-1);
      expect(seen).toHaveLength(Math.min(limit, 50));
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it.each([0, -1, Number.NaN])('Backends looks at nothing with maxIterations %d', (limit) => {
    const snapshot = snapshotOf(RoundRobin, [1, 1], () => true);
    expect(snapshot.choose('', limit)).toBe(-1);
    expect(
      snapshot.chooseCarefully(
        '',
        limit,
        rules(() => true),
      ),
    ).toBe(-1);
  });

  it('Backends may be asked about backends by address, known or not', () => {
    const snapshot = snapshotOf(RoundRobin, [1, 1], (i) => i === 1);
    expect(snapshot.find('10.0.0.1:80')?.weight).toBe(1);
    expect(snapshot.find('10.9.9.9:80')).toBeUndefined();
    expect(snapshot.isReady({ address: '10.0.0.1:80' })).toBe(true);
    expect(snapshot.isReady({ address: '10.0.0.0:80' })).toBe(false);
    expect(snapshot.isReady({ address: '10.9.9.9:80' })).toBe(false);
  });

  it('Backends keeps the states of more than 32 backends apart', () => {
    let snapshot = snapshotOf(RoundRobin, new Array(100).fill(1), () => true);
    const isOdd = (i: number): boolean => i % 2 === 1;
    for (let i = 0; i < 100; i += 1) {
      if (isOdd(i)) snapshot = changed(snapshot, 'healthy', `10.0.0.${i}:80`, false);
      else if (i % 3 === 0) snapshot = changed(snapshot, 'enabled', `10.0.0.${i}:80`, false);
    }
    for (const [i, backend] of [...snapshot].entries()) {
      expect(snapshot.isHealthy(backend)).toBe(!isOdd(i));
      expect(snapshot.isEnabled(backend)).toBe(isOdd(i) || i % 3 !== 0);
    }
  });
});
