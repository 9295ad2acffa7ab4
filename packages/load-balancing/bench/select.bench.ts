/**
 * What `select` costs, by algorithm and number of backends.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';

const load = createRequire(import.meta.url);
const { LoadBalancer } = load('../src/index.ts') as typeof import('../src/index.ts');
const { ALGORITHMS, measuredBackends } = load(
  '../test/measured-algorithms.ts',
) as typeof import('../test/measured-algorithms.ts');

const short = { time: 200, warmupTime: 50 };
const keys = Array.from({ length: 1_024 }, (_, i) => Buffer.from(`/some/path/${i * 7_919}?page=${i}`).toString());

type Algorithm = (typeof ALGORITHMS)[number];

/** 1,024 selects, with a use of the results, lest the engine leave the calls out. */
function selects(balancer: InstanceType<typeof LoadBalancer>): number {
  let sum = 0;
  for (const key of keys) sum += balancer.select(key)?.weight ?? 0;
  return sum;
}

function balancerOf({ factory, weightOf }: Algorithm, count: number): InstanceType<typeof LoadBalancer> {
  return LoadBalancer.fromAddresses(measuredBackends(count, weightOf), { selection: factory });
}

for (const count of [10, 1_000, 100_000]) {
  test(`1,024 selects over ${count} backends`, { timeout: 300_000 }, async ({ bench }) => {
    const runs = ALGORITHMS.map((algorithm) => {
      const balancer = balancerOf(algorithm, count);
      return bench(algorithm.name, () => selects(balancer));
    });
    await bench.compare(...runs, short);
  });
}

test('1,024 picks and releases over 1,000 backends', { timeout: 120_000 }, async ({ bench }) => {
  const runs = ALGORITHMS.filter(({ counts }) => counts).map((algorithm) => {
    const balancer = balancerOf(algorithm, 1_000);
    return bench(algorithm.name, () => {
      for (const key of keys) balancer.pick(key)?.done({ ok: true, latencyMs: 5 });
    });
  });
  await bench.compare(...runs, short);
});

test('1,024 selects over 1,000 backends of which 300 are out of rotation', { timeout: 120_000 }, async ({ bench }) => {
  const runs = ALGORITHMS.map((algorithm) => {
    const balancer = balancerOf(algorithm, 1_000);
    for (const [i, { address }] of [...balancer.backends].entries())
      if (i % 10 < 3) balancer.setEnabled(address, false);
    return bench(algorithm.name, () => selects(balancer));
  });
  await bench.compare(...runs, short);
});
