/**
 * Who gets how much: with keys, with queues in simulated time, with servers that are slow or fail. Tolerances are in the tests.
 */
import { describe, expect, it } from 'vitest';
import {
  BoundedConsistent,
  Consistent,
  FnvHash,
  LeastConnections,
  Maglev,
  PeakEwma,
  PowerOfTwoChoices,
  Random,
  Rendezvous,
  RoundRobin,
  type SelectionFactory,
} from '../src/index.ts';
import { keysOf, movesWithout } from './moved-keys.ts';
import { type Server, simulate } from './queueing-model.ts';
import { backendsOf } from './selection.contract.ts';
import { UsesUnderWay } from './uses-under-way.ts';

const KEYS = 100_000;
const keys = keysOf(KEYS);

/** Largest relative difference between shares of keys and shares of weights. */
function largestDeviation(factory: SelectionFactory, weights: readonly number[]): number {
  const selection = factory.build(backendsOf(weights), undefined);
  const counts = weights.map(() => 0);
  for (const key of keys) {
    const position = selection.first(key);
    counts[position] = (counts[position] ?? 0) + 1;
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Math.max(...weights.map((weight, i) => Math.abs(((counts[i] ?? 0) * sum) / (KEYS * weight) - 1)));
}

describe('keys', () => {
  // With 1,000 keys for each of 100 backends the numbers of keys alone scatter by 3 %, the largest of 100 by 9 to 12 %.
  it.each([
    [FnvHash, 0.13],
    [Rendezvous, 0.13],
    [Rendezvous.with({ flatUpTo: 4_096 }), 0.13],
    [Maglev, 0.13],
    [Consistent, 0.35],
    [BoundedConsistent, 0.35],
  ] as const)('$name spreads 100,000 keys over 100 backends', (factory, tolerance) => {
    expect(largestDeviation(factory, new Array<number>(100).fill(1))).toBeLessThan(tolerance);
    expect(
      largestDeviation(
        factory,
        Array.from({ length: 20 }, (_, i) => 5 + (i % 10)),
      ),
    ).toBeLessThan(tolerance);
  });

  it.each([
    ['Rendezvous', 60, Rendezvous, 0],
    ['Consistent', 60, Consistent, 0],
    ['Maglev', 60, Maglev, 0.01],
    ['Rendezvous', 500, Rendezvous, 0.006],
    ['Maglev', 500, Maglev, 0.02],
  ] as const)('%s moves few keys between those that stay when one of %i leaves', (_, count, factory, share) => {
    const list = backendsOf(new Array<number>(count).fill(1));
    const moves = movesWithout(factory, list, count >> 1, keys);
    expect(moves.needed).toBeGreaterThan(0.5 * (KEYS / count));
    expect(moves.needless / KEYS).toBeLessThanOrEqual(share);
  });
});

describe('queues', () => {
  // 50 servers of 10 ms each, nine tenths busy.
  const servers: Server[] = Array.from({ length: 50 }, () => ({ weight: 1, serviceMs: 10 }));
  const run = (factory: SelectionFactory): ReturnType<typeof simulate> =>
    simulate(factory, { servers, requests: 60_000, rate: 4.5 });

  it('PowerOfTwoChoices keeps queues a fraction as long as those of Random, LeastConnections shorter still', () => {
    const [random, two, least] = [run(Random), run(PowerOfTwoChoices), run(LeastConnections)];
    expect(random.longestQueue).toBeGreaterThan(25);
    expect(two.longestQueue).toBeLessThanOrEqual(9);
    expect(least.longestQueue).toBeLessThanOrEqual(4);
    expect(two.meanLatencyMs).toBeLessThan(random.meanLatencyMs / 2);
    expect(least.meanLatencyMs).toBeLessThan(two.meanLatencyMs);
  });

  it('BoundedConsistent keeps queues shorter than Consistent does', () => {
    const few: Server[] = servers.slice(0, 10);
    const load = { servers: few, requests: 40_000, rate: 0.8 };
    expect(simulate(BoundedConsistent, load).longestQueue).toBeLessThan(simulate(Consistent, load).longestQueue / 2);
  });
});

describe('slow and failing servers', () => {
  const mixed = (odd: Partial<Server>): Server[] =>
    Array.from({ length: 10 }, (_, i) => ({ weight: 1, serviceMs: 10, ...(i === 3 ? odd : {}) }));
  const shareOfOdd = (factory: SelectionFactory, odd: Partial<Server>): number =>
    (simulate(factory, { servers: mixed(odd), requests: 30_000, rate: 0.3 }).counts[3] ?? 0) / 30_000;

  it('PeakEwma gives a server that is twenty times as slow less than a hundredth, others give it more', () => {
    expect(shareOfOdd(PeakEwma, { serviceMs: 200 })).toBeLessThan(0.01);
    expect(shareOfOdd(PeakEwma, { serviceMs: 200 })).toBeGreaterThan(0);
    expect(shareOfOdd(RoundRobin, { serviceMs: 200 })).toBeCloseTo(0.1, 5);
    expect(shareOfOdd(LeastConnections, { serviceMs: 200 })).toBeGreaterThan(0.01);
  });

  it('PeakEwma does not run after a server that fails at once, as LeastConnections does', () => {
    expect(shareOfOdd(PeakEwma, { fails: true })).toBeLessThan(0.02);
    expect(shareOfOdd(LeastConnections, { fails: true })).toBeGreaterThan(0.08);
  });

  it('PeakEwma finds a mean latency below that of PowerOfTwoChoices where servers differ', () => {
    const servers: Server[] = Array.from({ length: 20 }, (_, i) => ({ weight: 1, serviceMs: i % 4 === 0 ? 50 : 10 }));
    const load = { servers, requests: 30_000, rate: 0.6 };
    expect(simulate(PeakEwma, load).meanLatencyMs).toBeLessThan(0.9 * simulate(PowerOfTwoChoices, load).meanLatencyMs);
  });
});

describe('LeastConnections', () => {
  it('LeastConnections never lets loads differ by more than one use in relation to the weight, as long as uses only begin', () => {
    const weights = Array.from({ length: 40 }, (_, i) => 1 + (i % 7));
    const uses = new UsesUnderWay(LeastConnections.build(backendsOf(weights), undefined), 10_000);
    for (let i = 0; i < 2_000; i += 1) {
      uses.begin('');
      const next = weights.map((weight, at) => ((uses.inFlight.get(at) ?? 0) + 1) / weight);
      const now = weights.map((weight, at) => (uses.inFlight.get(at) ?? 0) / weight);
      expect(Math.max(...now)).toBeLessThanOrEqual(Math.min(...next) + 1e-9);
    }
  });
});
