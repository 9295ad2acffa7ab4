import { describe, expect, it } from 'vitest';
import { backendsOf, contextOf, selectionContract } from '../../test/selection.contract.ts';
import { PowerOfTwoChoices } from './power-of-two.ts';

selectionContract(PowerOfTwoChoices, { shareTolerance: 0.05, draws: true });

describe('PowerOfTwoChoices', () => {
  it('PowerOfTwoChoices never takes the busiest when there are others', () => {
    const selection = PowerOfTwoChoices.build(backendsOf([1, 1, 1, 1]), undefined, contextOf());
    for (const [position, inFlight] of [3, 9, 1, 2].entries()) selection.onLoad?.(position, inFlight);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 6_000; i += 1) {
      const position = selection.first('');
      counts[position] = (counts[position] ?? 0) + 1;
    }
    // Of the six pairs the idlest wins three, the next one two, the third one one.
    expect(counts.map((count) => Math.round(count / 1_000))).toEqual([1, 0, 3, 2]);
  });

  it('PowerOfTwoChoices compares in relation to the weights', () => {
    const selection = PowerOfTwoChoices.build(backendsOf([1, 10]), undefined, contextOf());
    selection.onLoad?.(0, 2);
    selection.onLoad?.(1, 19);
    expect(Array.from({ length: 20 }, () => selection.first(''))).toEqual(new Array(20).fill(1));
    selection.onLoad?.(1, 21);
    expect(Array.from({ length: 20 }, () => selection.first(''))).toEqual(new Array(20).fill(0));
  });

  it('PowerOfTwoChoices has a choice of two also behind a refused candidate', () => {
    const selection = PowerOfTwoChoices.build(backendsOf([1, 1, 1]), undefined, contextOf());
    selection.onLoad?.(1, 5);
    selection.onLoad?.(2, 9);
    for (let i = 0; i < 100; i += 1) {
      // The idle one is refused whenever it comes up; then the busiest of the other two never wins.
      const first = selection.first('');
      if (first === 0) expect(selection.next()).toBe(1);
      else expect(first).toBe(1);
    }
  });
});
