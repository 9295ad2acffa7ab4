import { expect, test } from 'vitest';
import { integerOption, shareOption } from './number-option.ts';

test('integerOption gives the value, or the default', () => {
  expect(integerOption('x', undefined, 7, 1)).toBe(7);
  expect(integerOption('x', 1, 7, 1)).toBe(1);
  expect(integerOption('x', 9, 7, 1, 9)).toBe(9);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3' as unknown as number])(
  'integerOption refuses %j',
  (value) => {
    expect(() => integerOption('retries', value, 7, 1)).toThrow(
      new RangeError(`retries must be an integer from 1, got ${value}`),
    );
  },
);

test('integerOption names both bounds', () => {
  expect(() => integerOption('port', 70_000, 1, 1, 65_535)).toThrow(
    'port must be an integer from 1 to 65535, got 70000',
  );
});

test('shareOption gives the value, or the default', () => {
  expect([shareOption('x', undefined, 0.1), shareOption('x', 0, 1), shareOption('x', 1, 0)]).toEqual([0.1, 0, 1]);
});

test.each([-0.1, 1.1, Number.NaN, '0.5' as unknown as number])('shareOption refuses %j', (value) => {
  const message = `errorRate must be a number from 0 to 1, got ${value}`;
  if (value === ('0.5' as unknown)) expect(() => shareOption('errorRate', value, 0)).toThrow(RangeError);
  else expect(() => shareOption('errorRate', value, 0)).toThrow(message);
});
