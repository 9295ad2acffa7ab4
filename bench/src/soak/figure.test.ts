import { expect, test } from 'vitest';
import { answered, exactly, figure, healthyFigures, isKept, printBound, printValue, rangeFigures } from './figure.ts';

const quiet = { requests: 100, errors: 0, reasons: [], p50Ms: 1, p99Ms: 4, maxMs: 9 };

test('isKept: both limits are included, and none means that nothing was promised', () => {
  expect([4, 5, 6, 7, 8].filter((value) => isKept(figure('n', value, '', { least: 5, most: 7 })))).toEqual([5, 6, 7]);
  expect(isKept(figure('n', 1e9))).toBe(true);
  expect(isKept(exactly('n', 1, 2))).toBe(false);
});

test('printValue: no more decimals than needed, and never for a time that did not come', () => {
  const print = (value: number): string => printValue({ value, unit: 'ms' });
  expect([0, 3, 0.1234, 12.34, 123.4].map(print)).toEqual(['0 ms', '3 ms', '0.12 ms', '12.3 ms', '123 ms']);
  expect(printValue(rangeFigures('cut', undefined, {})[0] as ReturnType<typeof figure>)).toBe('never');
});

test('printBound: one limit, two limits, one value', () => {
  expect(printBound({ most: 5 })).toBe('at most 5');
  expect(printBound({ least: 1, most: 5 })).toBe('at least 1, at most 5');
  expect(printBound({ least: 5, most: 5 })).toBe('exactly 5');
});

test('healthyFigures: twice the p99 alone, or the floor where that is more', () => {
  const bounds = (floorMs: number) => healthyFigures(quiet, { ...quiet, p99Ms: 9 }, floorMs)[1]?.bound;
  expect(bounds(5)).toEqual({ most: 8 });
  expect(bounds(20)).toEqual({ most: 20 });
});

test('healthyFigures: an error breaks a promise and says why', () => {
  const [, , errors] = healthyFigures(quiet, { ...quiet, errors: 1, reasons: ['answered 502'] }, 5);
  expect(errors).toMatchObject({ value: 1, note: 'answered 502' });
  expect(isKept(errors as ReturnType<typeof figure>)).toBe(false);
});

test('answered: 0 for a status that nobody got', () => {
  const report = { answers: { 200: 3 } } as unknown as Parameters<typeof answered>[0];
  expect([answered(report, 200), answered(report, 503)]).toEqual([3, 0]);
});
