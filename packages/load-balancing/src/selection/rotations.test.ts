import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineRotation } from './deadline-rotation.ts';
import type { Selection } from './selection.ts';
import { SmoothRotation } from './smooth-rotation.ts';
import { runToEnd } from './steps.ts';

/** nginx's algorithm: credits grow by the weight, the richest pays the sum. */
class NginxModel {
  readonly #peers: { readonly weight: number; current: number }[];

  constructor(weights: readonly number[]) {
    this.#peers = weights.map((weight) => ({ weight, current: 0 }));
  }

  choose(): number {
    let total = 0;
    let best = 0;
    for (const [i, peer] of this.#peers.entries()) {
      peer.current += peer.weight;
      total += peer.weight;
      if (peer.current > (this.#peers[best]?.current ?? 0)) best = i;
    }
    const chosen = this.#peers[best];
    if (chosen !== undefined) chosen.current -= total;
    return best;
  }
}

const weightLists = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 12 });

function chooseUp(selection: Selection, down: ReadonlySet<number>): number {
  let position = selection.first('');
  while (down.has(position)) position = selection.next();
  return position;
}

/** How far anyone was ahead of or behind his exact share at any moment, in turns. */
function largestLag(weights: readonly number[], choose: () => number, length: number): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const counts = weights.map(() => 0);
  let largest = 0;
  for (let time = 1; time <= length; time += 1) {
    const position = choose();
    counts[position] = (counts[position] ?? 0) + 1;
    for (const [i, weight] of weights.entries()) {
      largest = Math.max(largest, Math.abs((counts[i] ?? 0) - (time * weight) / sum));
    }
  }
  return largest;
}

/** Longest run of one and the same, going round the end. */
function longestRun(picks: readonly number[]): number {
  let longest = 0;
  let run = 0;
  for (let i = 0; i < 2 * picks.length; i += 1) {
    run = picks[i % picks.length] === picks[(i + 1) % picks.length] ? run + 1 : 0;
    longest = Math.max(longest, run + 1);
  }
  return Math.min(longest, picks.length);
}

/**
 * What both rotations hold to when candidates are refused. Each of the others may have had one turn in advance, so the
 * bound is their number; without a bound the lag would be that of the hundreds of choices during the outage.
 */
function outageProperties(name: string, build: (weights: readonly number[]) => Selection): void {
  it(`${name} shares in proportion among those that are up, whoever is down`, () => {
    const plan = fc.tuple(weightLists, fc.array(fc.nat({ max: 11 }), { maxLength: 6 }));
    fc.assert(
      fc.property(plan, ([weights, downList]) => {
        const down = new Set(downList.map((i) => i % weights.length));
        fc.pre(down.size < weights.length);
        const up = weights.map((weight, i) => (down.has(i) ? 0 : weight));
        const sum = up.reduce((total, weight) => total + weight, 0);
        const rotation = build(weights);
        expect(largestLag(up, () => chooseUp(rotation, down), 4 * sum)).toBeLessThanOrEqual(weights.length);
      }),
    );
  });

  it(`${name} makes nobody pay or profit for long after an outage`, () => {
    fc.assert(
      fc.property(weightLists, fc.nat({ max: 11 }), fc.nat({ max: 400 }), (weights, victim, length) => {
        const down = new Set([victim % weights.length]);
        const sum = weights.reduce((total, weight) => total + weight, 0);
        const rotation = build(weights);
        for (let i = 0; i < length; i += 1) chooseUp(rotation, down);
        expect(largestLag(weights, () => rotation.first(''), 2 * sum)).toBeLessThanOrEqual(weights.length);
      }),
    );
  });
}

describe('SmoothRotation', () => {
  it('SmoothRotation equals nginx pick by pick', () => {
    fc.assert(
      fc.property(weightLists, (weights) => {
        const rotation = new SmoothRotation(Float64Array.from(weights));
        const model = new NginxModel(weights);
        for (let i = 0; i < 300; i += 1) expect(rotation.first()).toBe(model.choose());
      }),
    );
  });

  outageProperties('SmoothRotation', (weights) => new SmoothRotation(Float64Array.from(weights)));
});

describe('DeadlineRotation', () => {
  it('DeadlineRotation never lets anyone be more than one turn ahead or behind', () => {
    fc.assert(
      fc.property(weightLists, (weights) => {
        const sum = weights.reduce((total, weight) => total + weight, 0);
        const rotation = runToEnd(DeadlineRotation.steps(Float64Array.from(weights)));
        expect(largestLag(weights, () => rotation.first(), 3 * sum)).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it('DeadlineRotation repeats itself after each full turn, in which everyone comes up as often as he weighs', () => {
    fc.assert(
      fc.property(weightLists, (weights) => {
        const sum = weights.reduce((total, weight) => total + weight, 0);
        const rotation = runToEnd(DeadlineRotation.steps(Float64Array.from(weights)));
        const turns = Array.from({ length: 3 }, () => Array.from({ length: sum }, () => rotation.first()));
        expect(turns[1]).toEqual(turns[0]);
        expect(turns[2]).toEqual(turns[0]);
        for (const [i, weight] of weights.entries()) {
          expect(turns[0]?.filter((position) => position === i)).toHaveLength(weight);
        }
      }),
    );
  });

  it('DeadlineRotation bunches nobody more than nginx does, give or take one', () => {
    fc.assert(
      fc.property(weightLists, (weights) => {
        const sum = weights.reduce((total, weight) => total + weight, 0);
        const rotation = runToEnd(DeadlineRotation.steps(Float64Array.from(weights)));
        const model = new NginxModel(weights);
        const ours = Array.from({ length: sum }, () => rotation.first());
        const nginx = Array.from({ length: sum }, () => model.choose());
        expect(longestRun(ours)).toBeLessThanOrEqual(longestRun(nginx) + 1);
      }),
    );
  });

  outageProperties('DeadlineRotation', (weights) => runToEnd(DeadlineRotation.steps(Float64Array.from(weights))));
});
