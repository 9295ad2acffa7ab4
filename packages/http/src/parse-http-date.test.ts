import { expect, test } from 'vitest';
import { parseHttpDate } from './parse-http-date.ts';

const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);
const NOW = Date.UTC(2026, 10, 21);

test.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE],
  ['Sunday, 06-Nov-94 08:49:37 GMT', EXAMPLE],
  ['Sun Nov  6 08:49:37 1994', EXAMPLE],
  ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
  ['Fri, 30 Jun 1972 23:59:60 GMT', Date.UTC(1972, 6, 1)],
  ['Fri, 01 Jan 0001 00:00:00 GMT', Date.parse('0001-01-01T00:00:00Z')],
])('parseHttpDate reads %s', (text, ms) => {
  expect(parseHttpDate(text, NOW)).toBe(ms);
});

test('parseHttpDate puts a year of two digits at most 50 years ahead', () => {
  expect(parseHttpDate('Saturday, 21-Nov-76 00:00:00 GMT', NOW)).toBe(Date.UTC(2076, 10, 21));
  expect(parseHttpDate('Saturday, 21-Nov-77 00:00:00 GMT', NOW)).toBe(Date.UTC(1977, 10, 21));
});

test.each([
  '',
  '0',
  '1994-11-06T08:49:37Z',
  'Sun, 06 Nov 1994 08:49:37',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'sun, 06 nov 1994 08:49:37 gmt',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 31 Nov 1994 08:49:37 GMT',
  'Wed, 29 Feb 2023 00:00:00 GMT',
  'Sun, 00 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Sun, 06 Nov 1994 08:60:00 GMT',
  'Sun, 06 Nov 1994 08:49:61 GMT',
  'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
])('parseHttpDate refuses "%s"', (text) => {
  expect(parseHttpDate(text, NOW)).toBeUndefined();
});
