import { FakeClock } from '@cirque/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proportionalRate, Rate, type RateComponents } from './rate.ts';

function rateOf(intervalMs: number): { clock: FakeClock; rate: Rate } {
  const clock = new FakeClock();
  return { clock, rate: new Rate({ intervalMs, clock }) };
}

describe('Rate', () => {
  it('Rate counts in the present window and tells the last full one per second', () => {
    const { clock, rate } = rateOf(500);
    expect([rate.observe('a'), rate.observe('a', 2), rate.observe('b')]).toEqual([1, 3, 1]);
    expect([rate.rate('a'), rate.currentWindow('a')]).toEqual([0, 3]);
    clock.advance(500);
    expect([rate.rate('a'), rate.rate('b'), rate.currentWindow('a')]).toEqual([6, 2, 0]);
    expect(rate.observe('a', 10)).toBe(10);
    clock.advance(499);
    expect(rate.rate('a')).toBe(6);
    clock.advance(1);
    expect([rate.rate('a'), rate.rate('b')]).toEqual([20, 0]);
  });

  it('Rate is 0 after two idle windows, however many follow', () => {
    for (const idle of [2, 3, 4, 1_000_001]) {
      const { clock, rate } = rateOf(100);
      rate.observe('a', 5);
      clock.advance(100 * idle);
      expect([rate.rate('a'), rate.currentWindow('a')]).toEqual([0, 0]);
    }
  });

  it('Rate agrees with an exact model over several rows', () => {
    const step = fc.record({
      row: fc.nat({ max: 2 }),
      key: fc.constantFrom('a', 'b', 'c'),
      n: fc.nat({ max: 5 }),
      waitMs: fc.oneof(fc.constant(0), fc.nat({ max: 250 })),
    });
    fc.assert(
      fc.property(fc.array(step), fc.nat({ max: 2 ** 40 }), (steps, start) => {
        const clock = new FakeClock();
        clock.advance(start);
        const buffer = new SharedArrayBuffer(Rate.bytes({ rows: 3 }));
        const rows = [0, 1, 2].map((row) => new Rate({ intervalMs: 100, rows: 3, row, buffer, clock }));
        const counts = new Map<string, number>();
        const exact = (key: string, back: number): number =>
          counts.get(`${key} ${Math.floor(clock.now() / 100) - back}`) ?? 0;
        for (const { row, key, n, waitMs } of steps) {
          clock.advance(waitMs);
          counts.set(`${key} ${Math.floor(clock.now() / 100)}`, exact(key, 0) + n);
          expect(rows[row]?.observe(key, n)).toBe(exact(key, 0));
          for (const rate of rows) {
            expect(rate.rate(key)).toBe(exact(key, 1) * 10);
            expect(rate.currentWindow(key)).toBe(exact(key, 0));
          }
        }
      }),
    );
  });

  it('Rate.rateWith gives both windows and how much of the present one has passed', () => {
    const { clock, rate } = rateOf(1_000);
    rate.observe('a', 100);
    clock.advance(1_250);
    rate.observe('a', 20);
    const seen: RateComponents[] = [];
    expect(rate.rateWith('a', (components) => seen.push(components))).toBe(1);
    expect(seen).toEqual([{ previous: 100, current: 20, intervalMs: 1_000, elapsed: 0.25 }]);
    expect(rate.rateWith('a', proportionalRate)).toBe(95);
  });

  it('Rate forgets its own row only', () => {
    const clock = new FakeClock();
    const buffer = new SharedArrayBuffer(Rate.bytes({ rows: 2 }));
    const rows = [0, 1].map((row) => new Rate({ intervalMs: 100, rows: 2, row, buffer, clock })) as [Rate, Rate];
    clock.advance(700);
    for (const rate of rows) rate.observe('a', 3);
    clock.advance(100);
    for (const rate of rows) rate.observe('a', 3);
    rows[0].reset();
    expect([rows[1].rate('a'), rows[1].currentWindow('a')]).toEqual([30, 3]);
  });

  it('Rate goes by the time of the system unless told otherwise', () => {
    const rate = new Rate({ intervalMs: 2 ** 31 - 1 });
    rate.observe('a');
    expect(rate.currentWindow('a')).toBe(1);
  });

  it('Rate refuses what cannot be, naming it', () => {
    expect(() => new Rate({ intervalMs: 0 })).toThrow('intervalMs must be an integer from 1 to 2147483647, got 0');
    expect(() => new Rate({ intervalMs: 1 }).observe('a', -1)).toThrow(RangeError);
    const buffer = new SharedArrayBuffer(Rate.bytes());
    new Rate({ intervalMs: 1_000, buffer });
    expect(() => new Rate({ intervalMs: 500, buffer })).toThrow(
      'buffer is in use with intervalMs 1000, got 500: all threads must give the same options',
    );
  });
});
