/**
 * What every selection algorithm has to hold to, as a suite that each algorithm's test calls with its factory.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backend } from '../src/backend.ts';
import { seededRandom } from '../src/selection/seeded-random.ts';
import type { Selection, SelectionContext, SelectionFactory } from '../src/selection/selection.ts';
import { UsesUnderWay } from './uses-under-way.ts';

/** Facts in which algorithms may differ. */
export interface ContractOptions {
  /** Largest relative difference between a backend's share of many keys and its weight's share. */
  readonly shareTolerance: number;
  /** Whether it draws at random: then two of them choose differently. Default false. */
  readonly draws?: boolean;
  /** Whether only some of the backends are used as long as they can be. Default false. */
  readonly isPartial?: boolean;
  /** Whether it builds in a step or two. Default false. */
  readonly buildsQuickly?: boolean;
}

/** `count` backends with distinct addresses and the given weights. */
export function backendsOf(weights: readonly number[]): Backend[] {
  return weights.map((weight, i) => Backend.parse(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:80`, { weight }));
}

/** A clock that the test moves, and the same random numbers each time. */
export function contextOf(previous?: Selection): SelectionContext & { nowMs: number } {
  const random = seededRandom(1);
  return {
    previous,
    nowMs: 1_000,
    now() {
      return this.nowMs;
    },
    random: () => random(),
  };
}

/** All candidates of one choice, in order; one more than there are backends if they do not end. */
export function candidates(selection: Selection, key: string, count: number): number[] {
  const found: number[] = [];
  for (let position = selection.first(key); position !== -1 && found.length <= count; position = selection.next()) {
    found.push(position);
  }
  return found;
}

const weightLists = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 12 })), {
  minLength: 1,
  maxLength: 80,
});

/** What a balancer may do with a selection, in any order. */
const acts = fc.array(
  fc.oneof(
    fc.record({ act: fc.constant('choose' as const), refusals: fc.nat({ max: 90 }) }),
    fc.record({ act: fc.constant('load' as const), at: fc.nat(), inFlight: fc.nat({ max: 5 }) }),
    fc.record({
      act: fc.constant('done' as const),
      at: fc.nat(),
      ok: fc.boolean(),
      latencyMs: fc.option(fc.double(), { nil: undefined }),
    }),
  ),
  { maxLength: 60 },
);

const build = (factory: SelectionFactory, weights: readonly number[]): Selection =>
  factory.build(backendsOf(weights), undefined, contextOf());

export function selectionContract(factory: SelectionFactory, options: ContractOptions): void {
  describe(`${factory.name}: selection contract`, () => {
    candidateContract(factory, options);
    loadContract(factory, options);
    stepContract(factory, options);
    if (options.isPartial !== true) shareContract(factory, options);
  });
}

function candidateContract(factory: SelectionFactory, { draws = false }: ContractOptions): void {
  it('offers nothing from an empty list', () => {
    const selection = factory.build([], undefined);
    expect([selection.first('a'), selection.next(), selection.first('b')]).toEqual([-1, -1, -1]);
  });

  it('offers the only backend once per choice', () => {
    const selection = factory.build(backendsOf([7]), undefined);
    expect([selection.first('a'), selection.next(), selection.next(), selection.first('a')]).toEqual([0, -1, -1, 0]);
  });

  it('offers every backend exactly once in each choice', () => {
    fc.assert(
      fc.property(weightLists, fc.array(fc.string(), { minLength: 1, maxLength: 8 }), (weights, keys) => {
        const selection = build(factory, weights);
        for (const key of keys) {
          const found = candidates(selection, key, weights.length);
          expect(found.toSorted((a, b) => a - b)).toEqual([...weights.keys()]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('takes text and its UTF-8 bytes for the same key, or ignores keys', () => {
    const byText = build(factory, [3, 1, 2, 5]);
    const byBytes = build(factory, [3, 1, 2, 5]);
    for (const key of ['', 'a', '/some/path', 'ключ', '鍵', '🗝️', 'lone \ud800 half']) {
      const found = byText.first(key);
      expect(found).toBeGreaterThanOrEqual(0);
      expect(byBytes.first(new TextEncoder().encode(key))).toBe(found);
    }
  });

  it('survives a thousand backends of widely differing weights', () => {
    const weights = Array.from({ length: 1_000 }, (_, i) => 1 + ((i * i) % 13));
    const selection = build(factory, weights);
    expect(new Set(candidates(selection, 'key', weights.length)).size).toBe(weights.length);
    expect(candidates(selection, 'key', weights.length)).toHaveLength(weights.length);
  });

  it.runIf(draws)('draws from the random numbers of its context', () => {
    const draw = (): number[] => {
      const selection = build(factory, [1, 2, 3, 4]);
      return Array.from({ length: 50 }, () => selection.first(''));
    };
    expect(draw()).toEqual(draw());
    const other = factory.build(backendsOf([1, 2, 3, 4]), undefined, { ...contextOf(), random: () => 0.1 });
    expect(draw()).not.toEqual(Array.from({ length: 50 }, () => other.first('')));
  });
}

function loadContract(factory: SelectionFactory, { isPartial = false }: ContractOptions): void {
  it('offers distinct candidates, and all of them in the end, whatever is abandoned, in use and reported', () => {
    fc.assert(
      fc.property(weightLists, acts, (weights, sequence) => {
        const selection = build(factory, weights);
        for (const [i, one] of sequence.entries()) {
          if (one.act === 'load') selection.onLoad?.(one.at % weights.length, one.inFlight);
          if (one.act === 'done') selection.onDone?.(one.at % weights.length, one);
          if (one.act !== 'choose') continue;
          const offered = [selection.first(`key ${i}`)];
          for (let n = 0; n < one.refusals; n += 1) offered.push(selection.next());
          const real = offered.filter((position) => position !== -1);
          expect(new Set(real).size).toBe(real.length);
          expect(real.length).toBe(Math.min(one.refusals + 1, weights.length));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('finds someone in rotation within 256 candidates, also when half of a thousand have left it at once', () => {
    const weights = Array.from({ length: 1_000 }, (_, i) => 1 + (i % 3));
    const context = contextOf();
    const uses = new UsesUnderWay(factory.build(backendsOf(weights), undefined, context), 1_500);
    let offers = 0;
    for (let i = 0; i < 6_000; i += 1) {
      context.nowMs += 1;
      // All are in rotation, then those of even position are not, then those of the lower half.
      const isOut = (position: number): boolean => (i >= 4_000 ? position < 500 : i >= 2_000 && position % 2 === 0);
      const before = uses.offers;
      expect(uses.begin(`key ${i}`, isOut)).toBeGreaterThanOrEqual(0);
      expect(uses.offers - before).toBeLessThanOrEqual(256);
      offers += uses.offers - before;
    }
    // Two of three choices meet on average one that is out for each that is not. A part of the list may be out as a whole.
    expect(offers / 6_000).toBeLessThan(isPartial ? 10 : 3);
  });
}

function stepContract(factory: SelectionFactory, { buildsQuickly = false }: ContractOptions): void {
  it.runIf(factory.buildInSteps !== undefined)(
    'builds in steps what it builds at once, also after another list',
    () => {
      const before = backendsOf(Array.from({ length: 300 }, (_, i) => 1 + (i % 7)));
      const after = before.toReversed().slice(20);
      const atOnce = new UsesUnderWay(factory.build(before, undefined, contextOf()), 200);
      const inSteps = new UsesUnderWay(buildInSteps(factory, before, undefined), 200);
      for (let i = 0; i < 500; i += 1) expect(inSteps.begin(`key ${i}`)).toBe(atOnce.begin(`key ${i}`));
      const next = factory.build(after, atOnce.selection, contextOf(atOnce.selection));
      const nextInSteps = buildInSteps(factory, after, inSteps.selection);
      for (let i = 0; i < 200; i += 1) {
        expect(candidates(nextInSteps, `key ${i}`, 280).slice(0, 40)).toEqual(
          candidates(next, `key ${i}`, 280).slice(0, 40),
        );
      }
    },
  );

  it.runIf(factory.buildInSteps !== undefined && !buildsQuickly)(
    'lets others have the thread while it builds, and may be given up',
    () => {
      const weights = Array.from({ length: 20_000 }, (_, i) => 1 + (i % 2));
      const steps = factory.buildInSteps?.(backendsOf(weights), undefined, contextOf());
      for (let pause = 0; pause < 4; pause += 1) expect(steps?.next().done).toBe(false);
      steps?.return(undefined as never);
      expect(build(factory, [1, 1]).first('')).toBeGreaterThanOrEqual(0);
    },
  );
}

function buildInSteps(factory: SelectionFactory, list: readonly Backend[], previous: Selection | undefined): Selection {
  const steps = factory.buildInSteps?.(list, previous, contextOf(previous));
  let result = steps?.next();
  while (result?.done === false) result = steps?.next();
  if (result === undefined) throw new Error('it does not build in steps');
  return result.value as Selection;
}

function shareContract(factory: SelectionFactory, { shareTolerance }: ContractOptions): void {
  const weights = [1, 2, 3, 4, 10, 20, 40];
  const begun = (): { uses: UsesUnderWay; begin(i: number, refused: number): number } => {
    const context = contextOf();
    const uses = new UsesUnderWay(factory.build(backendsOf(weights), undefined, context), 320);
    const begin = (i: number, refused: number): number => {
      context.nowMs += 1;
      return uses.begin(`/item/${i}?${(i * 7919) % 1000}`, (position) => position === refused);
    };
    return { uses, begin };
  };

  it('gives each backend its share', () => {
    const { begin } = begun();
    expectShares(weights, shareTolerance, (i) => begin(i, -1));
  });

  it('shares among the rest by weight when a backend is always refused', () => {
    for (const refused of [0, 3, 6]) {
      const { begin } = begun();
      const left = weights.map((weight, i) => (i === refused ? 0 : weight));
      expectShares(left, shareTolerance, (i) => begin(i, refused));
    }
  });
}

/** Chooses 40,000 times and compares the shares with those of the weights. */
function expectShares(weights: readonly number[], tolerance: number, choose: (i: number) => number): void {
  const rounds = 40_000;
  const counts = weights.map(() => 0);
  for (let i = 0; i < rounds; i += 1) {
    const position = choose(i);
    counts[position] = (counts[position] ?? 0) + 1;
  }
  const sum = weights.reduce((total, weight) => total + weight, 0);
  for (const [i, weight] of weights.entries()) {
    const expected = (rounds * weight) / sum;
    // Four standard deviations on top, for algorithms that draw.
    const slack = tolerance * expected + 4 * Math.sqrt(tolerance === 0 ? 0 : expected) + 2;
    expect(
      Math.abs((counts[i] ?? 0) - expected),
      `share of backend ${i}: ${counts[i]}, expected ${expected}`,
    ).toBeLessThanOrEqual(slack);
  }
}
