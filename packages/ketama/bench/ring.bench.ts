/**
 * What building and looking up cost, for rings from ten to a hundred thousand buckets.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';

const { crc32, KetamaRing } = createRequire(import.meta.url)('../src/index.ts') as typeof import('../src/index.ts');

const short = { time: 200, warmupTime: 50 };
const keys = Array.from({ length: 1_024 }, (_, i) => Buffer.from(`/some/path/${i * 7_919}?page=${i}`).toString());
const keyBytes = keys.map((key) => Buffer.from(key));

function buckets(count: number): { address: string; weight: number }[] {
  return Array.from({ length: count }, (_, i) => ({
    address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:443`,
    weight: 1,
  }));
}

/** Calls `one` for each of the 1,024 keys and uses what it returns, lest the engine leave the calls out. */
function forAll<T>(values: readonly T[], one: (value: T) => number): () => number {
  return () => {
    let sum = 0;
    for (const value of values) sum ^= one(value);
    return sum;
  };
}

test('crc32', async ({ bench }) => {
  await bench.compare(
    bench('1,024 keys as text', forAll(keys, crc32)),
    bench('1,024 keys as bytes', forAll(keyBytes, crc32)),
    short,
  );
});

for (const count of [10, 1_000, 100_000]) {
  test(`KetamaRing of ${count} buckets`, { timeout: 120_000 }, async ({ bench }) => {
    const ring = KetamaRing.build(buckets(count));
    const walk = ring.walk('');
    const threeSteps = (key: string): number => walk.start(key).next() + walk.next() + walk.next();
    await bench.compare(
      bench(
        `lookup of 1,024 keys, ${ring.size} points`,
        forAll(keys, (key) => ring.lookup(key)),
      ),
      bench(`walk of 3 steps for 1,024 keys, ${ring.size} points`, forAll(keys, threeSteps)),
      short,
    );
  });
}

test('KetamaRing.build', { timeout: 120_000 }, async ({ bench }) => {
  const thousand = buckets(1_000);
  await bench('1,000 buckets, 160,000 points', () => KetamaRing.build(thousand).size).run(short);
});
