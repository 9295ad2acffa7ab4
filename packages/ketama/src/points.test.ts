import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type KetamaBucket, splitAddress } from './bucket.ts';
import * as points from './points.ts';
import { StretchSorter } from './sort-stretch.ts';
import { runToEnd } from './steps.ts';

const makePoints = (...parameters: Parameters<typeof points.makePoints>): points.Points =>
  runToEnd(points.makePoints(...parameters));

/** The definition, as slow and plain as it can be: [hash, owner] pairs in ascending order. */
function naivePoints(buckets: readonly KetamaBucket[], pointsPerWeight: number): [number, number][] {
  const owners = new Map<number, number>();
  const order = buckets.map((bucket, index) => ({ ...bucket, index })).sort((a, b) => (a.address < b.address ? -1 : 1));
  for (const { address, weight, index } of order) {
    const { host, port } = splitAddress(address, false);
    const base = crc32(`${host}\0${port}`);
    const previous = Buffer.alloc(4);
    for (let i = 0; i < weight * pointsPerWeight; i += 1) {
      const hash = crc32(previous, base);
      previous.writeUInt32LE(hash);
      if (!owners.has(hash)) owners.set(hash, index);
    }
  }
  return [...owners].sort((a, b) => a[0] - b[0]);
}

const someBuckets = fc.uniqueArray(
  fc.record({ address: fc.string({ minLength: 1, maxLength: 12 }), weight: fc.integer({ min: 1, max: 3 }) }),
  { selector: (bucket) => bucket.address, maxLength: 12 },
);

test('makePoints equals the definition', () => {
  fc.assert(
    fc.property(someBuckets, fc.integer({ min: 1, max: 50 }), (buckets, pointsPerWeight) => {
      const { hashes, owners } = makePoints(buckets, pointsPerWeight, false);
      const pairs = Array.from(hashes, (hash, i) => [hash, owners[i]]);
      expect(pairs).toEqual(naivePoints(buckets, pointsPerWeight));
    }),
    { numRuns: 50 },
  );
});

// crc32('plumless') = crc32('buckeroo'), so the two chains are one and the same.
const COLLIDING = [
  { address: 'plumless', weight: 1 },
  { address: 'buckeroo', weight: 1 },
];

test('makePoints gives a hash that two buckets share to the address that sorts first, in whatever order they come', () => {
  expect(crc32('plumless\0')).toBe(crc32('buckeroo\0'));
  const { hashes, owners, reachable } = makePoints(COLLIDING, 160, false);
  expect(new Set(owners)).toEqual(new Set([1]));
  expect([hashes.length, reachable]).toEqual([160, 1]);
  expect(new Set(makePoints(COLLIDING.toReversed(), 160, false).owners)).toEqual(new Set([0]));
});

test('makePoints of one address twice counts the surplus of the heavier one only', () => {
  const twice = [
    { address: 'a:1', weight: 1 },
    { address: 'a:1', weight: 3 },
  ];
  const { owners } = makePoints(twice, 160, false);
  expect(owners.filter((owner) => owner === 0).length).toBe(160);
  expect(owners.filter((owner) => owner === 1).length).toBe(320);
});

test('makePoints refuses rings that no machine should hold, before it reserves the memory', () => {
  const heavy = [{ address: 'a:1', weight: 2 ** 20 }];
  expect(() => makePoints(heavy, 160, false)).toThrow(RangeError);
  expect(() => makePoints(heavy, 160, false)).toThrow('these weights make 167772160: divide them');
});

test('makePoints sorts long and short stretches alike, with few steps or with many', () => {
  const buckets = Array.from({ length: 700 }, (_, i) => ({ address: `10.0.${i}.1:80`, weight: 1 + (i % 4) }));
  const { hashes, owners, reachable } = makePoints(buckets, 160, false);
  const pairs = Array.from(hashes, (hash, i) => [hash, owners[i]]);
  expect(pairs).toEqual(naivePoints(buckets, 160));
  expect(reachable).toBe(700);
  const steps = [...points.makePoints(buckets, 160, false)].length;
  expect(steps).toBeGreaterThan(15);
});

test('makePoints sorts a stretch that is longer than any the counting foresees', () => {
  const sorter = new StretchSorter();
  const hashes = Uint32Array.from({ length: 70_000 }, (_, i) => Math.imul(i, 0x9e3779b1) & 0x1fffff);
  const owners = Uint32Array.from(hashes);
  runToEnd(sorter.sort(hashes, owners, 21));
  expect(hashes).toEqual(owners);
  expect(hashes).toEqual(owners.toSorted());
});
