import { expect, test } from 'vitest';
import { QueueProgress } from './queue-progress.ts';

test('QueueProgress: without a rate any progress will do', () => {
  const progress = new QueueProgress();
  expect(progress.begin(1_000, 5_000, 60_000, 0)).toBe(60_000);
  expect(progress.stalled(1_000, 5_000)).toBe(true);
  expect(progress.stalled(999, 5_000)).toBe(false);
  // More was written, nothing was taken.
  expect(progress.stalled(3_000, 7_000)).toBe(true);
});

test('QueueProgress: with a rate all that was queued must be taken, in a second at least', () => {
  const progress = new QueueProgress();
  expect(progress.begin(3_000, 5_000, 60_000, 1_000)).toBe(3_000);
  expect(progress.stalled(1, 5_000)).toBe(true);
  expect(progress.stalled(0, 5_000)).toBe(false);
  // What was written later may wait.
  expect(progress.stalled(2_000, 7_000)).toBe(false);
  expect(progress.begin(10, 10, 60_000, 1_000)).toBe(1_000);
});
