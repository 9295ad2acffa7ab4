import { expect, test } from 'vitest';
import { Disturbance, isDisturbed, shareOfOthers } from './disturbance.ts';

test('shareOfOthers: what was busy without being our own', () => {
  expect(shareOfOthers(150, 50, 2_000)).toBe(0.5);
  expect(shareOfOthers(150, 150, 2_000)).toBe(0);
  // Ticks are counted at different moments.
  expect([shareOfOthers(50, 60, 2_000), shareOfOthers(500, 0, 2_000)]).toEqual([0, 1]);
});

test('isDisturbed: from a twelfth of the two cores on', () => {
  expect([0, 0.08, 0.09, 1].map(isDisturbed)).toEqual([false, false, true, true]);
});

test.skipIf(process.platform !== 'linux')('Disturbance: a share of the present cores', async () => {
  const disturbance = new Disturbance({ load: 0, proxy: 0 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const share = disturbance.foreignShare();
  expect(share).toBeGreaterThanOrEqual(0);
  expect(share).toBeLessThanOrEqual(1);
});
