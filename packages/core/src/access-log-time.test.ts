import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { combinedTime, unixTime } from './access-log-time.ts';

const ZONE = process.env.TZ;
afterEach(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

// A second of its own for each, because the text of the last one is kept.
test.each([
  ['UTC', '2026-11-21T05:09:07.999Z', '21/Nov/2026:05:09:07 +0000'],
  ['America/St_Johns', '2026-01-02T03:04:05Z', '01/Jan/2026:23:34:05 -0330'],
  ['Asia/Kolkata', '2026-12-31T20:00:00Z', '01/Jan/2027:01:30:00 +0530'],
])('combinedTime in %s', (zone, time, text) => {
  process.env.TZ = zone;
  expect(combinedTime(Date.parse(time))).toBe(text);
});

test('combinedTime is the same within a second, and another one in the next', () => {
  const start = Date.parse('2026-05-05T05:05:05.000Z');
  expect(combinedTime(start + 999)).toBe(combinedTime(start));
  expect(combinedTime(start + 1_000)).not.toBe(combinedTime(start));
  expect(combinedTime(start)).toBe(combinedTime(start + 1));
});

test('unixTime is the number as text, within a second and from one to the next', () => {
  const times = fc.oneof(
    fc.integer({ min: 1_795_222_485_000, max: 1_795_222_487_000 }),
    fc.constantFrom(0, 5, 999, 1_000, 1_001, -1, 8_640_000_000_000_000),
    fc.double({ min: -8.64e15, max: 8.64e15, noNaN: true }),
  );
  fc.assert(
    fc.property(times, (time) => {
      expect(unixTime(time)).toBe(String(time));
    }),
  );
});
