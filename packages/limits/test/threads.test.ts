import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Estimator, Inflight, Rate, SharedGauge } from '../src/index.ts';
import type { CountJob } from './fixtures/count-worker.ts';

const rows = 2;
const TIMES = 20_000;
/** So long that all of the test falls into one window. */
const intervalMs = 2 ** 31 - 1;
const workers: Worker[] = [];

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

async function count(job: CountJob): Promise<number> {
  const worker = new Worker(new URL('./fixtures/count-worker.ts', import.meta.url), { workerData: job, execArgv: [] });
  workers.push(worker);
  const [lost] = await once(worker, 'message', { signal: AbortSignal.timeout(15_000) });
  return lost as number;
}

describe('counters shared by two threads', () => {
  it('lose nothing, and a third looks at the sum', async () => {
    const shared = {
      estimator: new SharedArrayBuffer(Estimator.bytes({ rows })),
      inflight: new SharedArrayBuffer(Inflight.bytes({ rows })),
      rate: new SharedArrayBuffer(Rate.bytes({ rows })),
      gauge: new SharedArrayBuffer(SharedGauge.bytes(rows)),
      gate: new SharedArrayBuffer(4),
    };
    const lost = await Promise.all([0, 1].map((row) => count({ ...shared, rows, row, times: TIMES, intervalMs })));
    expect(lost).toEqual([0, 0]);
    // Views of the main thread, which writes nothing but a reset.
    const views = [0, 1].map((row) => ({
      estimator: new Estimator({ rows, row, buffer: shared.estimator }),
      inflight: new Inflight({ rows, row, buffer: shared.inflight }),
      rate: new Rate({ rows, row, buffer: shared.rate, intervalMs }),
      gauge: new SharedGauge({ rows, row, buffer: shared.gauge }),
    }));
    const [first, second] = views as [(typeof views)[0], (typeof views)[0]];
    expect([first.estimator.get('both'), first.estimator.get(0), first.estimator.get(1)]).toEqual([
      2 * TIMES,
      TIMES,
      TIMES,
    ]);
    expect([first.inflight.observe('both'), first.rate.currentWindow('both')]).toEqual([TIMES, 2 * TIMES]);
    expect([first.gauge.total, first.gauge.own, second.gauge.own]).toEqual([2 * TIMES, TIMES, TIMES]);
    // The first thread is replaced.
    for (const counter of Object.values(first)) counter.reset();
    expect([second.estimator.get('both'), second.estimator.get(0)]).toEqual([TIMES, 0]);
    expect([second.inflight.observe('both'), second.rate.currentWindow('both')]).toEqual([TIMES / 2, TIMES]);
    expect([second.gauge.total, first.gauge.own]).toEqual([TIMES, 0]);
  });
});
