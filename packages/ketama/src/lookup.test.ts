import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PointIndex } from './lookup.ts';
import { runToEnd } from './steps.ts';

function naive(hashes: readonly number[], hash: number): number {
  const found = hashes.findIndex((one) => one >= hash);
  return found < 0 ? hashes.length : found;
}

/** Both spread hashes and crowds of neighbours. */
const anyHash = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0xffffff00, max: 0xffffffff }),
);

test('PointIndex.find is the position of the first hash not below', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyHash, { maxLength: 200 }), fc.array(anyHash, { maxLength: 20 }), (some, wanted) => {
      const hashes = some.sort((a, b) => a - b);
      const index = runToEnd(PointIndex.steps(Uint32Array.from(hashes)));
      const near = hashes.flatMap((hash) => [hash, (hash + 1) >>> 0, (hash - 1) >>> 0]);
      for (const hash of [...wanted, ...near]) expect(index.find(hash)).toBe(naive(hashes, hash));
    }),
  );
});

test('PointIndex.find takes signed numbers for their 32 bits', () => {
  const index = runToEnd(PointIndex.steps(Uint32Array.of(5, 0xfffffff0)));
  expect([index.find(-20), index.find(-16), index.find(-1)]).toEqual([1, 1, 2]);
});

test('PointIndex.find in an empty ring finds the end', () => {
  expect(runToEnd(PointIndex.steps(new Uint32Array(0))).find(7)).toBe(0);
});
