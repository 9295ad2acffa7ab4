import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { processStats } from './process-stats.ts';

test('processStats: memory at once, the delay of the event loop since the last call from the second one on', async () => {
  const first = processStats();
  expect(first).toEqual({ heapUsed: expect.any(Number), heapTotal: expect.any(Number), external: expect.any(Number) });
  await sleep(200);
  // An idle loop is nearly on time; the time between two looks is not part of the delay.
  expect(processStats().eventLoopDelayP50Ms).toBeLessThan(9);
  await sleep(50);
  const end = performance.now() + 100;
  while (performance.now() < end);
  await sleep(50);
  expect(processStats().eventLoopDelayP99Ms).toBeGreaterThan(80);
});
