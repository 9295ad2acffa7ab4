import { FakeClock } from '@cirque/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StickyTable } from './sticky-table.ts';

describe('StickyTable', () => {
  it('StickyTable remembers, changes and forgets', () => {
    const table = new StickyTable();
    expect(table.get('client')).toBeUndefined();
    table.set('client', 'a:1');
    table.set('client', 'b:1');
    expect([table.get('client'), table.size]).toEqual(['b:1', 1]);
    expect([table.delete('client'), table.delete('client'), table.get('client')]).toEqual([true, false, undefined]);
    table.set('client', 'a:1');
    table.clear();
    expect([table.size, table.get('client')]).toEqual([0, undefined]);
    table.set('client', 'c:1');
    expect(table.get('client')).toBe('c:1');
  });

  it('StickyTable forgets who was away for ttlMs', () => {
    const clock = new FakeClock();
    const table = new StickyTable({ ttlMs: 1_000, clock });
    table.set('client', 'a:1');
    for (let i = 0; i < 5; i += 1) {
      clock.advance(999);
      expect(table.get('client')).toBe('a:1');
    }
    clock.advance(1_000);
    expect(table.get('client')).toBeUndefined();
    expect(table.size).toBe(0);
  });

  it('StickyTable forgets who was away for longest, beyond maxEntries', () => {
    const table = new StickyTable({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) table.set(key, key);
    table.get('a');
    table.set('b', 'B');
    table.set('d', 'd');
    expect(['a', 'b', 'c', 'd'].map((key) => table.get(key))).toEqual(['a', 'B', undefined, 'd']);
  });

  it('StickyTable clears those away who are never seen again', () => {
    const clock = new FakeClock();
    const table = new StickyTable({ ttlMs: 1_000, clock });
    for (let i = 0; i < 1_000; i += 1) table.set(`old-${i}`, 'a:1');
    clock.advance(1_000);
    for (let i = 0; i < 500; i += 1) table.set(`new-${i}`, 'a:1');
    expect(table.size).toBe(500);
  });

  it('StickyTable refuses what cannot work', () => {
    expect(() => new StickyTable({ ttlMs: 0 })).toThrow('ttlMs must be an integer from 1, got 0');
    expect(() => new StickyTable({ maxEntries: 0 })).toThrow('maxEntries must be an integer from 1 to 10000000, got 0');
  });

  it('StickyTable agrees with a naive model', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), key, address: fc.constantFrom('x', 'y') }),
      fc.record({ kind: fc.constant('get' as const), key }),
      fc.record({ kind: fc.constant('delete' as const), key }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60 }) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 80 }), (maxEntries, steps) => {
        const clock = new FakeClock();
        const table = new StickyTable({ ttlMs: 100, maxEntries, clock });
        let model: { key: string; address: string; at: number }[] = [];
        for (const one of steps) {
          const now = clock.now();
          model = model.filter(({ at }) => now - at < 100);
          if (one.kind === 'wait') {
            clock.advance(one.ms);
            continue;
          }
          const known = model.find((entry) => entry.key === one.key);
          const others = model.filter((entry) => entry !== known);
          if (one.kind === 'set') {
            table.set(one.key, one.address);
            model = [...others, { key: one.key, address: one.address, at: now }].slice(-maxEntries);
          } else if (one.kind === 'delete') {
            table.delete(one.key);
            model = others;
          } else {
            expect(table.get(one.key)).toBe(known?.address);
            if (known !== undefined) model = [...others, { ...known, at: now }];
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
