import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Estimator } from './estimator.ts';
import { Inflight } from './inflight.ts';

const ROWS = 3;

/** Memory whose secret is known, so that a test sees the same every time. */
function memory(bytes: number, secret = 1): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes);
  new Int32Array(buffer).set([secret, secret + 1]);
  return buffer;
}

function estimators(size: { hashes: number; slots: number }, rows: number, secret?: number): Estimator[] {
  const options = { ...size, rows };
  const buffer = memory(Estimator.bytes(options), secret);
  return Array.from({ length: rows }, (_, row) => new Estimator({ ...options, row, buffer }));
}

const steps = fc.array(
  fc.record({
    row: fc.nat({ max: ROWS - 1 }),
    key: fc.oneof(fc.nat({ max: 40 }), fc.constantFrom('a', 'b', 'c', '')),
    by: fc.nat({ max: 9 }),
    down: fc.boolean(),
  }),
  { maxLength: 200 },
);

describe('Estimator', () => {
  it('Estimator is exact for few keys, and gives the estimate that follows', () => {
    const estimator = new Estimator();
    expect([estimator.increment('a'), estimator.increment('a', 4), estimator.increment('b', 0)]).toEqual([1, 5, 0]);
    estimator.decrement('a', 2);
    expect([estimator.get('a'), estimator.get('b'), estimator.get(7)]).toEqual([3, 0, 0]);
    estimator.reset();
    expect(estimator.get('a')).toBe(0);
  });

  it('Estimator is never below an exact model nor above its total, and rows are together what one row would be', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 64 }), (list, hashes, slots) => {
        const rows = estimators({ hashes, slots }, ROWS);
        const [alone] = estimators({ hashes, slots }, 1) as [Estimator];
        const exact = new Map<string | number, number>();
        let total = 0;
        for (const { row, key, by, down } of list) {
          const known = exact.get(key) ?? 0;
          const estimator = rows[row] as Estimator;
          // Taken back by whichever row it is, but never more than there is.
          const n = down ? -Math.min(by, known) : by;
          if (n < 0) {
            estimator.decrement(key, -n);
            alone.decrement(key, -n);
          } else {
            expect(estimator.increment(key, n)).toBe(alone.increment(key, n));
          }
          exact.set(key, known + n);
          total += n;
        }
        for (const [key, count] of exact) {
          const found = rows.map((estimator) => estimator.get(key));
          expect(new Set(found)).toEqual(new Set([alone.get(key)]));
          expect(found[0]).toBeGreaterThanOrEqual(count);
          expect(found[0]).toBeLessThanOrEqual(total);
        }
      }),
    );
  });

  it.each([1, 2, 3, 4, 5])('Estimator keeps the error it promises, whatever the secret (%i)', (secret) => {
    const size = { hashes: 4, slots: 128 };
    const [estimator] = estimators(size, 1, secret * 0x9e3779b) as [Estimator];
    const counts = Array.from({ length: 3_000 }, (_, i) => 1 + Math.floor(20_000 / (i + 1)));
    for (const [i, count] of counts.entries()) estimator.increment(`10.0.${i >> 8}.${i & 255}`, count);
    const total = counts.reduce((a, b) => a + b);
    const off = counts.filter(
      (count, i) => estimator.get(`10.0.${i >> 8}.${i & 255}`) > count + (Math.E / size.slots) * total,
    );
    expect(off.length / counts.length).toBeLessThan(Math.exp(-size.hashes));
  });

  it('Estimator spreads keys over all of its slots', () => {
    const [estimator] = estimators({ hashes: 1, slots: 100 }, 1) as [Estimator];
    for (let i = 0; i < 100_000; i += 1) estimator.increment(`key ${i}`);
    // A thousand each; 150 are nearly five standard deviations.
    for (let i = 0; i < 2_000; i += 1) expect(Math.abs(estimator.get(`key ${i}`) - 1_000)).toBeLessThan(150);
  });

  it('Estimator stops at the end of a counter instead of beginning anew', () => {
    const [one, other] = estimators({ hashes: 2, slots: 8 }, 2) as [Estimator, Estimator];
    expect(one.increment('a', 2 ** 31 - 1)).toBe(2 ** 31 - 1);
    expect(one.increment('a', 5)).toBe(2 ** 31 - 1);
    expect(other.increment('a', 5)).toBe(2 ** 31 + 4);
    for (let i = 0; i < 4; i += 1) one.decrement('a', 2 ** 31 - 1);
    expect(one.get('a')).toBe(0);
  });

  it('Estimator forgets its own row only', () => {
    const [one, other] = estimators({ hashes: 4, slots: 64 }, 2) as [Estimator, Estimator];
    one.increment('a', 3);
    other.increment('a', 4);
    one.reset();
    expect([one.get('a'), other.get('a')]).toEqual([4, 4]);
  });

  it('Estimator survives that any row is zeroed by somebody who does not know what is in it', () => {
    const options = { hashes: 4, slots: 64, rows: 3 };
    const buffer = memory(Estimator.bytes(options));
    const part = buffer.byteLength / 3;
    const rows = [0, 1, 2].map((row) => new Estimator({ ...options, row, buffer })) as Estimator[];
    for (const dead of [0, 2, 1, 0]) {
      for (const estimator of rows) estimator.increment('a');
      const before = rows[0]?.get('a') ?? 0;
      const own = new Estimator({ ...options, row: dead, buffer: buffer.slice(0) });
      own.reset();
      const others = own.get('a');
      expect(others).toBeLessThan(before);
      new Uint8Array(buffer, dead * part, part).fill(0);
      rows[dead] = new Estimator({ ...options, row: dead, buffer });
      expect(rows.map((estimator) => estimator.get('a'))).toEqual([others, others, others]);
    }
  });

  it('Estimator draws a secret once per buffer', () => {
    const [one, other] = [new SharedArrayBuffer(Estimator.bytes()), new SharedArrayBuffer(Estimator.bytes())];
    new Estimator({ buffer: one });
    new Estimator({ buffer: other });
    const secretOf = (buffer: SharedArrayBuffer): number[] => [...new Int32Array(buffer).slice(0, 2)];
    const before = secretOf(one);
    expect(before).not.toContain(0);
    expect(secretOf(other)).not.toEqual(before);
    new Estimator({ buffer: one });
    expect(secretOf(one)).toEqual(before);
  });

  it('Estimator refuses what cannot be, naming it', () => {
    expect(() => new Estimator({ slots: 0 })).toThrow('slots must be an integer from 1 to 1048576, got 0');
    expect(() => Estimator.bytes({ hashes: 17 })).toThrow('hashes must be an integer from 1 to 16, got 17');
    expect(() => Estimator.bytes({ hashes: 16, slots: 2 ** 20, rows: 64 })).toThrow(/bytes of counters are too many/);
    expect(() => new Estimator().increment('a', -1)).toThrow('a count must be an integer from 0 to 2147483647, got -1');
    expect(() => new Estimator().decrement('a', 0.5)).toThrow(RangeError);
    expect(() => new Estimator({ buffer: new SharedArrayBuffer(64) })).toThrow(/at least \d+ bytes for 1 rows, got 64/);
    const buffer = new SharedArrayBuffer(Inflight.bytes({ rows: 2 }));
    new Inflight({ rows: 2, row: 1, buffer });
    expect(() => new Estimator({ rows: 2, buffer })).toThrow(
      'buffer is in use with slots 8192, got 1024: all threads must give the same options',
    );
  });
});
