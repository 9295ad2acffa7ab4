import { expect, test } from 'vitest';
import { allocateShared, clearRow } from './thread-place.ts';

test('clearRow zeroes the part of one thread and no other', () => {
  const shared = allocateShared({ counts: 12, flags: 3 });
  for (const buffer of Object.values(shared)) new Uint8Array(buffer).fill(9);
  clearRow(shared, 1, 3);
  expect([...new Uint8Array(shared.counts as SharedArrayBuffer)]).toEqual([9, 9, 9, 9, 0, 0, 0, 0, 9, 9, 9, 9]);
  expect([...new Uint8Array(shared.flags as SharedArrayBuffer)]).toEqual([9, 0, 9]);
});
