import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { formatHttpDate, httpDate } from './http-date.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('formatHttpDate is the form of RFC 9110 section 5.6.7', () => {
  expect(formatHttpDate(Date.UTC(1994, 10, 6, 8, 49, 37))).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  expect(formatHttpDate(999.9)).toBe('Thu, 01 Jan 1970 00:00:00 GMT');
  expect(formatHttpDate(-62167219200000)).toBe('Sat, 01 Jan 0000 00:00:00 GMT');
  expect(formatHttpDate(253402300799999)).toBe('Fri, 31 Dec 9999 23:59:59 GMT');
});

test('formatHttpDate always has the fixed form and names the same second', () => {
  const form =
    /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3]\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} [0-2]\d:[0-5]\d:[0-5]\d GMT$/;
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date(253402300799999), noInvalidDate: true }), (date) => {
      const text = formatHttpDate(date.getTime());
      expect(text).toMatch(form);
      expect(Date.parse(text)).toBe(Math.floor(date.getTime() / 1000) * 1000);
    }),
  );
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, 253402300800000, -62167219200001])(
  'formatHttpDate refuses %s',
  (ms) => {
    expect(() => formatHttpDate(ms)).toThrow(RangeError);
    expect(() => formatHttpDate(ms)).toThrow(`within the years 0 to 9999, got ${ms}`);
  },
);

test('httpDate is the present moment, formatted once per second', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const format = vi.spyOn(Date.prototype, 'toUTCString');
  vi.setSystemTime(Date.UTC(2026, 10, 21, 1, 2, 3, 100));
  expect(httpDate()).toBe('Sat, 21 Nov 2026 01:02:03 GMT');
  vi.setSystemTime(Date.UTC(2026, 10, 21, 1, 2, 3, 999));
  expect(httpDate()).toBe('Sat, 21 Nov 2026 01:02:03 GMT');
  expect(format).toHaveBeenCalledTimes(1);
  vi.setSystemTime(Date.UTC(2026, 10, 21, 1, 2, 4));
  expect(httpDate()).toBe('Sat, 21 Nov 2026 01:02:04 GMT');
  vi.setSystemTime(Date.UTC(2026, 10, 21, 1, 1, 59));
  expect(httpDate()).toBe('Sat, 21 Nov 2026 01:01:59 GMT');
});
