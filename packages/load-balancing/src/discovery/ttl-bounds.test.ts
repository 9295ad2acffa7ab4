import { expect, test } from 'vitest';
import { TtlBounds } from './ttl-bounds.ts';

test('TtlBounds keeps a time within its bounds', () => {
  const bounds = new TtlBounds({ minTtlMs: 5_000, maxTtlMs: 60_000 });
  expect([0, 4_999, 5_000, 30_000, 60_001].map((ttl) => bounds.apply(ttl))).toEqual([
    5_000, 5_000, 5_000, 30_000, 60_000,
  ]);
  expect(bounds.apply(undefined)).toBe(30_000);
  expect(new TtlBounds({ maxTtlMs: 2_000 }).apply(undefined)).toBe(2_000);
});

test('TtlBounds has defaults that fit each other', () => {
  expect([0, 1e9].map((ttl) => new TtlBounds({}).apply(ttl))).toEqual([1_000, 300_000]);
  expect(new TtlBounds({ minTtlMs: 600_000 }).apply(0)).toBe(600_000);
});

test('TtlBounds refuses what cannot work', () => {
  expect(() => new TtlBounds({ minTtlMs: 0 })).toThrow('minTtlMs must be an integer from 1, got 0');
  expect(() => new TtlBounds({ maxTtlMs: 10 })).toThrow('maxTtlMs must be at least minTtlMs (1000), got 10');
});
