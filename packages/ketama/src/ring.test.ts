import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from './crc32.ts';
import { KetamaRing } from './ring.ts';

function ringOf(...addresses: string[]): { ring: KetamaRing; lookup: (key: string) => string | undefined } {
  const ring = KetamaRing.build(addresses.map((address) => ({ address, weight: 1 })));
  return { ring, lookup: (key) => addresses[ring.lookup(key)] };
}

const TEN = Array.from({ length: 10 }, (_, i) => `127.0.0.${i + 1}:6443`);

test('KetamaRing.lookup maps two servers as nginx does', () => {
  const { lookup } = ringOf('127.0.0.1:7777', '127.0.0.1:7778');
  expect(lookup('/some/path')).toBe('127.0.0.1:7778');
  expect(lookup('/some/longer/path')).toBe('127.0.0.1:7777');
  expect(lookup('/sad/zaidoon')).toBe('127.0.0.1:7778');
  expect(lookup('/g')).toBe('127.0.0.1:7777');
});

test('KetamaRing.lookup keeps keys where they are when a server is added', () => {
  const before = ringOf(...TEN);
  expect([before.lookup('a'), before.lookup('b')]).toEqual(['127.0.0.10:6443', '127.0.0.5:6443']);
  const after = ringOf(...TEN, '127.0.0.11:6443');
  expect([after.lookup('a'), after.lookup('b')]).toEqual(['127.0.0.10:6443', '127.0.0.5:6443']);
});

test('KetamaRing.walk visits points in the order nginx and Pingora do', () => {
  const { ring } = ringOf('127.0.0.1:7777', '127.0.0.1:7778', '127.0.0.1:7779');
  const walk = ring.walk('doghash');
  const ports = Array.from({ length: 8 }, () => 7 + walk.next());
  expect(ports).toEqual([8, 9, 9, 7, 7, 8, 8, 9]);
});

test('KetamaRing.walk hashes IPv6 addresses without brackets, as Pingora does', () => {
  const { ring } = ringOf('[::1]:7777', '[::1]:7778', '[::1]:7779');
  const walk = ring.walk('doghash');
  const ports = Array.from({ length: 7 }, () => 7 + walk.next());
  expect(ports).toEqual([7, 8, 7, 8, 8, 7, 9]);
});

test('KetamaRing.lookup takes text and its UTF-8 bytes for the same key', () => {
  const { ring } = ringOf(...TEN);
  for (const key of ['', '/ü', '/日本', '😀']) expect(ring.lookup(Buffer.from(key))).toBe(ring.lookup(key));
});

test('KetamaRing.lookup shares keys by weight', () => {
  const weights = [1, 2, 5];
  const ring = KetamaRing.build(weights.map((weight, i) => ({ address: `10.0.0.${i}:80`, weight })));
  const counts = [0, 0, 0];
  for (let i = 0; i < 20_000; i += 1) {
    const bucket = ring.lookup(`/item/${i}`);
    counts[bucket] = (counts[bucket] as number) + 1;
  }
  // 160 points per unit leave the arcs uneven: within a quarter of the exact share.
  counts.forEach((count, i) => {
    const share = (20_000 * (weights[i] as number)) / 8;
    expect(Math.abs(count - share)).toBeLessThan(share / 4);
  });
});

test('KetamaRing: removing a bucket moves only its own keys, to those next on their walk', () => {
  const full = ringOf(...TEN);
  const left = TEN.filter((_, i) => i !== 4);
  const without = ringOf(...left);
  for (let i = 0; i < 2_000; i += 1) {
    const fallback = [...full.ring.walkDistinct(`key ${i}`)].map((bucket) => TEN[bucket]).find((a) => a !== TEN[4]);
    expect(without.lookup(`key ${i}`)).toBe(fallback);
  }
});

test('KetamaRing does not depend on the order of its buckets', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(TEN, { minLength: 1 }), fc.string(), (some, key) => {
      expect(ringOf(...some).lookup(key)).toBe(ringOf(...some.toSorted()).lookup(key));
    }),
    { numRuns: 30 },
  );
});

test('KetamaRing.walkDistinct yields every bucket once, the key’s own one first', () => {
  const { ring } = ringOf(...TEN);
  const order = [...ring.walkDistinct('some key')];
  expect(order[0]).toBe(ring.lookup('some key'));
  expect(order.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('KetamaRing.indexOf and bucketAt go around the ring', () => {
  const { ring } = ringOf(...TEN);
  expect(ring.bucketAt(ring.indexOf(crc32('x')))).toBe(ring.lookup('x'));
  expect(ring.indexOf(0)).toBe(0);
  expect(ring.bucketAt(ring.size + 3)).toBe(ring.bucketAt(3));
  const beyondLast = KetamaRing.build([{ address: 'a:1', weight: 1 }], { pointsPerWeight: 1 });
  expect([beyondLast.size, beyondLast.indexOf(0xffffffff)]).toEqual([1, 0]);
});

test('KetamaRing without buckets answers -1 everywhere', () => {
  const { ring } = ringOf();
  expect([ring.size, ring.lookup('x'), ring.indexOf(5), ring.bucketAt(5), ring.walk('x').next()]).toEqual([
    0, -1, -1, -1, -1,
  ]);
  expect([...ring.walkDistinct('x')]).toEqual([]);
});

test('KetamaRing.build takes other numbers of points, and refuses what is none', () => {
  const buckets = [{ address: '10.0.0.1:80', weight: 2 }];
  expect(KetamaRing.build(buckets, { pointsPerWeight: 40 }).size).toBe(80);
  for (const pointsPerWeight of [0, 1.5, -160]) {
    expect(() => KetamaRing.build(buckets, { pointsPerWeight })).toThrow(
      `pointsPerWeight must be a positive integer, got ${pointsPerWeight}`,
    );
  }
  expect(() => KetamaRing.build([...buckets, { address: 'b', weight: 0 }])).toThrow('weight of bucket 1 (b)');
});

test('KetamaRing.buildInSteps gives the ring of build, and lets others have the thread', () => {
  const buckets = Array.from({ length: 500 }, (_, i) => ({ address: `10.1.${i}.1:80`, weight: 1 + (i % 3) }));
  const steps = KetamaRing.buildInSteps(buckets);
  let pauses = 0;
  let result = steps.next();
  for (; result.done !== true; result = steps.next()) pauses += 1;
  const ring = KetamaRing.build(buckets);
  expect(pauses).toBeGreaterThan(5);
  expect([result.value.size, result.value.reachable]).toEqual([ring.size, 500]);
  for (let i = 0; i < ring.size; i += 7) expect(result.value.bucketAt(i)).toBe(ring.bucketAt(i));
  expect(() => KetamaRing.buildInSteps([{ address: '', weight: 1 }]).next()).toThrow('address of bucket 0');
});
