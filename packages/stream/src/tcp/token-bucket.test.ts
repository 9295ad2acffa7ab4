import { expect, test } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

test('TokenBucket begins with a quarter of a second, then waits as long as the debt takes', () => {
  const bucket = new TokenBucket(1_000, 0);
  expect(bucket.take(250, 0)).toBe(0);
  expect(bucket.take(100, 0)).toBe(100);
  // The debt is paid at 100 ms.
  expect(bucket.take(0, 100)).toBe(0);
  expect(bucket.take(50, 150)).toBe(0);
});

test('TokenBucket does not save more than a quarter of a second', () => {
  const bucket = new TokenBucket(1_000, 0);
  expect(bucket.take(0, 60_000)).toBe(0);
  expect(bucket.take(350, 60_000)).toBe(100);
});

test('TokenBucket keeps its rate on average, whatever the sizes', () => {
  const bucket = new TokenBucket(10_000, 0);
  let now = 0;
  let bytes = 0;
  for (let read = 1; read <= 500; read += 1) {
    const size = (read * 7_919) % 5_000;
    bytes += size;
    now += bucket.take(size, now);
  }
  const rate = (bytes / now) * 1_000;
  expect(rate).toBeGreaterThan(9_990);
  expect(rate).toBeLessThan(10_000 * (1 + 2_500 / bytes) + 1);
});
