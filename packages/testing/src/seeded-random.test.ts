import { expect, test } from 'vitest';
import { SeededRandom } from './seeded-random.ts';

test('SeededRandom gives the same numbers for the same seed, others for another', () => {
  const take = (seed: number): number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 5 }, () => random.uint32());
  };
  expect(take(7)).toEqual(take(7));
  expect(take(7)).not.toEqual(take(8));
});

test('SeededRandom never changes its sequence, so that printed seeds stay useful', () => {
  const random = new SeededRandom(1);
  expect([random.uint32(), random.uint32(), random.uint32()]).toEqual([2130308394, 2568868641, 924333478]);
});

test('SeededRandom.next is spread evenly over [0, 1)', () => {
  const random = new SeededRandom(42);
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i += 1) {
    const value = random.next();
    const bucket = Math.floor(value * 10);
    buckets[bucket] = (buckets[bucket] as number) + 1;
  }
  expect(buckets).toHaveLength(10);
  for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test('SeededRandom.int reaches both ends and nothing else', () => {
  const random = new SeededRandom(3);
  const seen = new Set(Array.from({ length: 1_000 }, () => random.int(-2, 2)));
  expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  expect(() => random.int(2, 1)).toThrow('int needs whole numbers with min <= max, got 2 and 1');
});

test('SeededRandom.pick and chance draw from what they are given', () => {
  const random = new SeededRandom(5);
  expect(new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c'])))).toEqual(new Set(['a', 'b', 'c']));
  expect(() => random.pick([])).toThrow(RangeError);
  const hits = Array.from({ length: 10_000 }, () => random.chance(0.25)).filter(Boolean).length;
  expect(Math.abs(hits - 2_500)).toBeLessThan(250);
});

test('SeededRandom.bytes uses all byte values', () => {
  expect(new Set(new SeededRandom(9).bytes(10_000)).size).toBe(256);
});
