import { describe, expect, test } from 'vitest';
import { LEASED_READ_BYTES, Lease, SHARED_READ_BYTES, sharedReadBuffer } from './read-buffer.ts';

test('sharedReadBuffer has room for a head of the greatest size', () => {
  expect(sharedReadBuffer).toHaveLength(SHARED_READ_BYTES);
  expect(SHARED_READ_BYTES).toBeGreaterThanOrEqual(65_536);
});

describe('Lease', () => {
  test('Lease.take gives different buffers, each held once', () => {
    const first = Lease.take();
    const second = Lease.take();
    expect(first.buffer).not.toBe(second.buffer);
    expect(first.buffer).toHaveLength(LEASED_READ_BYTES);
    expect([first.exclusive, second.exclusive]).toEqual([true, true]);
    first.release();
    second.release();
  });

  test('Lease comes back when everybody has given it back, not before', () => {
    const lease = Lease.take();
    lease.retain();
    lease.retain();
    expect(lease.exclusive).toBe(false);
    lease.release();
    const other = Lease.take();
    expect(other).not.toBe(lease);
    lease.release();
    expect(lease.exclusive).toBe(true);
    lease.release();
    const again = Lease.take();
    expect(again).toBe(lease);
    expect(again.exclusive).toBe(true);
    again.release();
    other.release();
  });

  test('Lease.release can be a callback as it is', () => {
    const lease = Lease.take();
    const { release } = lease;
    release();
    expect(Lease.take()).toBe(lease);
    release();
  });

  test('Lease keeps 64 buffers for reuse and leaves more to the garbage collector', () => {
    const leases = Array.from({ length: 80 }, () => Lease.take());
    expect(new Set(leases).size).toBe(80);
    for (const lease of leases) lease.release();
    const again = Array.from({ length: 80 }, () => Lease.take());
    expect(new Set(again).size).toBe(80);
    expect(again.filter((lease) => leases.includes(lease))).toHaveLength(64);
    for (const lease of again) lease.release();
  });
});
