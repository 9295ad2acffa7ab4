import { describe, expect, it } from 'vitest';
import { BackOff } from './back-off.ts';

describe('BackOff', () => {
  it('doubles the wait with each failure, up to half a minute', () => {
    const backOff = new BackOff();
    const waits = Array.from({ length: 12 }, () => backOff.next(0));
    expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(waits.at(-1)).toBe(30_000);
  });

  it('begins anew after a long run', () => {
    const backOff = new BackOff();
    backOff.next(0);
    backOff.next(0);
    expect(backOff.next(10_000)).toBe(100);
    expect(backOff.next(0)).toBe(200);
  });
});
