import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedGauge } from './shared-gauge.ts';

describe('SharedGauge', () => {
  it('SharedGauge counts alone, in memory of its own', () => {
    const gauge = new SharedGauge({ rows: 1, row: 0 });
    expect([gauge.add(3), gauge.add(-1), gauge.total, gauge.own]).toEqual([2 + 1, 2, 2, 2]);
  });

  it('SharedGauge agrees with a model, whatever rows add and reset', () => {
    const step = fc.record({
      row: fc.nat({ max: 3 }),
      n: fc.integer({ min: -50, max: 50 }),
      reset: fc.nat({ max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(step), fc.boolean(), (steps, shared) => {
        const bytes = SharedGauge.bytes(4);
        const buffer = shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
        const gauges = [0, 1, 2, 3].map((row) => new SharedGauge({ rows: 4, row, buffer }));
        const model = [0, 0, 0, 0];
        for (const { row, n, reset } of steps) {
          model[row] = reset === 0 ? 0 : (model[row] as number) + n;
          const sum = model.reduce((a, b) => a + b);
          if (reset === 0) gauges[row]?.reset();
          else expect(gauges[row]?.add(n)).toBe(sum);
          expect(gauges.map((gauge) => gauge.total)).toEqual([sum, sum, sum, sum]);
          expect(gauges.map((gauge) => gauge.own)).toEqual(model);
        }
      }),
    );
  });

  it('SharedGauge leaves a used buffer as it is until reset', () => {
    const buffer = new SharedArrayBuffer(SharedGauge.bytes(2));
    new SharedGauge({ rows: 2, row: 1, buffer }).add(7);
    const next = new SharedGauge({ rows: 2, row: 1, buffer });
    expect(next.own).toBe(7);
    next.reset();
    expect(next.total).toBe(0);
  });

  it('SharedGauge refuses rows and buffers that cannot be', () => {
    expect(SharedGauge.bytes(3)).toBe(192);
    expect(() => SharedGauge.bytes(0)).toThrow('rows must be an integer from 1 to 1024, got 0');
    expect(() => new SharedGauge({ rows: 2, row: 2 })).toThrow('row must be an integer from 0 to 1, got 2');
    expect(() => new SharedGauge({ rows: 2, row: 0, buffer: new ArrayBuffer(64) })).toThrow(
      /buffer must have at least 128 bytes for 2 rows, got 64/,
    );
    // @ts-expect-error no buffer
    expect(() => new SharedGauge({ rows: 2, row: 0, buffer: [] })).toThrow(TypeError);
  });
});
