/**
 * What `select` costs, by algorithm and number of backends.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';

const { Backend, Consistent, FnvHash, FnvHash32, LoadBalancer, Random, RoundRobin } = createRequire(import.meta.url)(
  '../src/index.ts',
) as typeof import('../src/index.ts');

const short = { time: 200, warmupTime: 50 };
const keys = Array.from({ length: 1_024 }, (_, i) => Buffer.from(`/some/path/${i * 7_919}?page=${i}`).toString());

const equal = (): number => 1;
const few = (i: number): number => 1 + (i % 5);
const arbitrary = (i: number): number => 1 + ((i * 7_919) % 100_003);

type Factory = typeof RoundRobin;

/** 1,024 selects, with a use of the results, lest the engine leave the calls out. */
function selects(selection: Factory, count: number, weightOf: (i: number) => number): () => number {
  const backends = Array.from({ length: count }, (_, i) =>
    Backend.of({ host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port: 443 }, { weight: weightOf(i) }),
  );
  const balancer = LoadBalancer.fromAddresses(backends, { selection });
  return () => {
    let sum = 0;
    for (const key of keys) sum += balancer.select(key)?.weight ?? 0;
    return sum;
  };
}

for (const count of [10, 1_000, 100_000]) {
  test(`1,024 selects over ${count} backends`, { timeout: 120_000 }, async ({ bench }) => {
    await bench.compare(
      bench('RoundRobin, equal weights', selects(RoundRobin, count, equal)),
      bench('RoundRobin, weights 1 to 5', selects(RoundRobin, count, few)),
      bench('RoundRobin, arbitrary weights', selects(RoundRobin, count, arbitrary)),
      bench('Random, weights 1 to 5', selects(Random, count, few)),
      bench('FnvHash, weights 1 to 5', selects(FnvHash, count, few)),
      bench('FnvHash32, weights 1 to 5', selects(FnvHash32, count, few)),
      bench('Consistent, equal weights', selects(Consistent, count, equal)),
      short,
    );
  });
}

test('1,024 selects over 1,000 backends of which 300 are out of rotation', async ({ bench }) => {
  const outOf = (selection: Factory): (() => number) => {
    const texts = Array.from({ length: 1_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`);
    const balancer = LoadBalancer.fromAddresses(texts, { selection });
    for (const [i, text] of texts.entries()) if (i % 10 < 3) balancer.setEnabled(text, false);
    return () => {
      let sum = 0;
      for (const key of keys) sum += balancer.select(key)?.weight ?? 0;
      return sum;
    };
  };
  await bench.compare(
    bench('RoundRobin', outOf(RoundRobin)),
    bench('Random', outOf(Random)),
    bench('FnvHash', outOf(FnvHash)),
    bench('Consistent', outOf(Consistent)),
    short,
  );
});
