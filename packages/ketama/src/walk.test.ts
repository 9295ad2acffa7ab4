import { expect, test } from 'vitest';
import { KetamaRing } from './ring.ts';
import { KetamaWalk } from './walk.ts';

const ring = KetamaRing.build(
  ['a:1', 'b:1', 'c:1'].map((address) => ({ address, weight: 1 })),
  { pointsPerWeight: 4 },
);

test('KetamaWalk starts at the key’s bucket and comes around after all points', () => {
  const walk = ring.walk('key');
  const round = Array.from({ length: ring.size }, () => walk.next());
  expect(round[0]).toBe(ring.lookup('key'));
  expect(Array.from({ length: ring.size }, () => walk.next())).toEqual(round);
  for (const bucket of [0, 1, 2]) expect(round.filter((one) => one === bucket).length).toBe(4);
});

test('KetamaWalk.start puts the same walk on another key', () => {
  const walk = new KetamaWalk(ring);
  for (const key of ['one', 'two', 'three', Buffer.from('four')]) {
    expect(walk.start(key)).toBe(walk);
    expect(walk.next()).toBe(ring.lookup(key));
  }
});
