import { expect, test } from 'vitest';
import { trendBytes } from './requests.ts';

const samples = (bytes: (index: number) => number): number[] => Array.from({ length: 200 }, (_, index) => bytes(index));

test('trendBytes: memory that grows with the requests, per million of them', () => {
  const grown = trendBytes(
    samples((index) => 1e8 + index * 1_000),
    500_000,
  );
  expect(grown).toBeCloseTo(400_000, -1);
});

test('trendBytes: neither a step nor noise is a trend', () => {
  const step = samples((index) => (index < 90 ? 1e8 : 1.3e8));
  const noise = samples((index) => 1e8 + (index % 2) * 1e6);
  expect([trendBytes(step, 1_000_000), trendBytes(noise, 1_000_000), trendBytes([], 1)]).toEqual([0, 0, 0]);
});
