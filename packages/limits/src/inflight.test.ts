import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Guard, Inflight } from './inflight.ts';

describe('Inflight', () => {
  it('Inflight counts until the guard is released, once', () => {
    const inflight = new Inflight();
    const first = inflight.increment('a');
    const second = inflight.increment('a', 3);
    expect([first.count, second.count, inflight.observe('a'), inflight.observe('b')]).toEqual([1, 4, 4, 0]);
    second.release();
    second.release();
    expect(inflight.observe('a')).toBe(1);
    first.release();
    expect(inflight.observe('a')).toBe(0);
  });

  it('Inflight is never below an exact model, over rows, and empty when all guards are released', () => {
    const step = fc.record({ row: fc.nat({ max: 2 }), key: fc.nat({ max: 30 }), release: fc.nat({ max: 60 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const options = { hashes: 3, slots: 16, rows: 3 };
        const buffer = new SharedArrayBuffer(Inflight.bytes(options));
        const rows = [0, 1, 2].map((row) => new Inflight({ ...options, row, buffer }));
        const held: { key: number; guard: Guard }[] = [];
        const exact = (key: number): number => held.filter((one) => one.key === key).length;
        for (const { row, key, release } of steps) {
          const [ended] = held.splice(release, 1);
          ended?.guard.release();
          const guard = (rows[row] as Inflight).increment(key);
          held.push({ key, guard });
          expect(guard.count).toBeGreaterThanOrEqual(exact(key));
          expect(guard.count).toBeLessThanOrEqual(held.length);
        }
        for (const { guard } of held) guard.release();
        for (let key = 0; key <= 30; key += 1) expect(rows[0]?.observe(key)).toBe(0);
      }),
    );
  });

  it('Inflight takes nothing back for guards from before a reset', () => {
    const inflight = new Inflight();
    const guard = inflight.increment('a');
    inflight.reset();
    const next = inflight.increment('a');
    guard.release();
    expect(inflight.observe('a')).toBe(1);
    next.release();
    expect(inflight.observe('a')).toBe(0);
  });

  it('Inflight frees what a dead thread had under way when its successor resets the row', () => {
    const buffer = new SharedArrayBuffer(Inflight.bytes({ rows: 2 }));
    const [dead, alive] = [0, 1].map((row) => new Inflight({ rows: 2, row, buffer })) as [Inflight, Inflight];
    dead.increment('a', 5);
    alive.increment('a', 2);
    const successor = new Inflight({ rows: 2, row: 0, buffer });
    expect(alive.observe('a')).toBe(7);
    successor.reset();
    expect(alive.observe('a')).toBe(2);
  });
});
