import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';

test('systemClock goes on by itself and never back', () => {
  const readings = Array.from({ length: 1_000 }, () => systemClock.now());
  expect(readings).toEqual(readings.toSorted((a, b) => a - b));
  expect(Math.abs(systemClock.now() - performance.now())).toBeLessThan(1_000);
});
