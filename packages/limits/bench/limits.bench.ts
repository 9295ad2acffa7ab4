/**
 * What counting costs, for 1,024 keys, by number of rows: all of them are summed up for each estimate.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';

const { Estimator, Inflight, Rate, SharedGauge } = createRequire(import.meta.url)(
  '../src/index.ts',
) as typeof import('../src/index.ts');

const short = { time: 200, warmupTime: 50 };
const addresses = Array.from({ length: 1_024 }, (_, i) => `192.168.${i >> 8}.${i & 255}`);
const numbers = addresses.map((_, i) => i * 7_919);

/** Calls `one` for each key and uses what it returns, lest the engine leave the calls out. */
function forAll<Key>(keys: readonly Key[], one: (key: Key) => number): () => number {
  return () => {
    let sum = 0;
    for (const key of keys) sum += one(key);
    return sum;
  };
}

for (const rows of [1, 2, 8]) {
  test(`1,024 keys, ${rows} rows`, async ({ bench }) => {
    const estimator = new Estimator({ rows, buffer: new SharedArrayBuffer(Estimator.bytes({ rows })) });
    const inflight = new Inflight({ rows, buffer: new SharedArrayBuffer(Inflight.bytes({ rows })) });
    const buffer = new SharedArrayBuffer(Rate.bytes({ rows }));
    const rates = Array.from({ length: rows }, (_, row) => new Rate({ intervalMs: 2 ** 31 - 1, rows, row, buffer }));
    for (const one of rates) one.observe(0); // so that all rows are of the present window
    const rate = rates[0] as (typeof rates)[0];
    const gauge = new SharedGauge({ rows, row: 0 });
    const begun = (key: string): number => {
      const guard = inflight.increment(key);
      guard.release();
      return guard.count;
    };
    await bench.compare(
      bench(
        'Estimator.increment, addresses',
        forAll(addresses, (key) => estimator.increment(key)),
      ),
      bench(
        'Estimator.increment, numbers',
        forAll(numbers, (key) => estimator.increment(key)),
      ),
      bench(
        'Estimator.get, addresses',
        forAll(addresses, (key) => estimator.get(key)),
      ),
      bench(
        'Rate.observe, addresses',
        forAll(addresses, (key) => rate.observe(key)),
      ),
      bench(
        'Rate.rate, addresses',
        forAll(addresses, (key) => rate.rate(key)),
      ),
      bench('Inflight.increment and release, addresses', forAll(addresses, begun)),
      bench(
        'SharedGauge.add',
        forAll(numbers, () => gauge.add(1)),
      ),
      short,
    );
  });
}
