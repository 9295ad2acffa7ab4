import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderInSteps } from './merge-order.ts';
import { runToEnd } from './steps.ts';

describe('orderInSteps', () => {
  it('orderInSteps sorts positions as Array.prototype.sort does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 }), (keys) => {
        const key = (i: number): number => (keys[i] ?? 0) * 1_000 + i;
        const order = runToEnd(orderInSteps(keys.length, (a, b) => key(a) < key(b)));
        expect([...order]).toEqual([...keys.keys()].sort((a, b) => key(a) - key(b)));
      }),
    );
  });

  it('orderInSteps stops in between, however long the runs are', () => {
    let compared = 0;
    let most = 0;
    const steps = orderInSteps(20_000, (a, b) => {
      compared += 1;
      return (a * 7_919) % 20_011 < (b * 7_919) % 20_011;
    });
    for (let result = steps.next(); result.done !== true; result = steps.next()) {
      most = Math.max(most, compared);
      compared = 0;
    }
    expect(most).toBeLessThanOrEqual(2_048);
  });
});
