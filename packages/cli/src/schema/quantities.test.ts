import { describe, expect, test } from 'vitest';
import { duration, positiveDuration, share, size } from './quantities.ts';

describe('duration', () => {
  test.each([
    ['500ms', 500],
    ['5s', 5_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['0.25s', 250],
    ['576h', 2_073_600_000],
    ['0s', 0],
    [0, 0],
  ])('duration of %j is %i ms', (given, milliseconds) => {
    expect(duration.parse(given)).toBe(milliseconds);
  });

  test.each([
    '',
    's',
    '5',
    '5 s',
    '-5s',
    '5d',
    '5S',
    '1h30m',
    '577h',
    '1e3s',
    '.5s',
    5,
    -1,
    Number.NaN,
    true,
    null,
    [],
    {},
  ])('duration refuses %j', (given) => {
    expect(duration.safeParse(given).success).toBe(false);
  });

  test.each([0, '0s', '0.1ms'])('positiveDuration refuses %j', (given) => {
    expect(positiveDuration.safeParse(given).success).toBe(false);
  });
});

describe('size', () => {
  test.each([
    [0, 0],
    [1_000, 1_000],
    ['1000', 1_000],
    ['64k', 65_536],
    ['10M', 10_485_760],
    ['2g', 2_147_483_648],
    ['1.5k', 1_536],
  ])('size of %j is %i bytes', (given, bytes) => {
    expect(size.parse(given)).toBe(bytes);
  });

  test.each(['', 'k', '1.3k', '-1k', '10MB', '9999999999g', '1e3', 1.5, -1, Number.POSITIVE_INFINITY, null])(
    'size refuses %j',
    (given) => {
      expect(size.safeParse(given).success).toBe(false);
    },
  );
});

describe('share', () => {
  test.each([
    [0, 0],
    [1, 1],
    [0.5, 0.5],
    ['0%', 0],
    ['12.5%', 0.125],
    ['100%', 1],
  ])('share of %j is %f', (given, part) => {
    expect(share.parse(given)).toBe(part);
  });

  test.each(['0.5', '101%', '-1%', 'half', 1.1, -0.1, Number.NaN])('share refuses %j', (given) => {
    expect(share.safeParse(given).success).toBe(false);
  });
});
