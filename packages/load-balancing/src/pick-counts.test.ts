import { describe, expect, it } from 'vitest';
import { PickCounts } from './pick-counts.ts';

describe('PickCounts', () => {
  it('PickCounts goes on where the list before ended, and beyond 32 bits', () => {
    const before = new PickCounts(3);
    before.recent[2] = 5;
    const counts = new PickCounts(2);
    counts.takeOver(before, Int32Array.of(2, -1));
    expect([counts.at(0), counts.at(1)]).toEqual([5, 0]);
    for (let look = 1; look <= 4; look += 1) {
      // As often as 2^32 - 1 choices would have moved it.
      counts.recent[1] = ((counts.recent[1] as number) + (2 ** 32 - 1)) >>> 0;
      expect(counts.at(1)).toBe(look * (2 ** 32 - 1));
      expect(counts.at(1)).toBe(look * (2 ** 32 - 1));
    }
    expect(counts.at(0)).toBe(5);
  });
});
