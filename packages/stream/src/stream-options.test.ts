import { expect, test } from 'vitest';
import { resolveStreamOptions, type StreamOptions } from './stream-options.ts';

test('resolveStreamOptions fills in the defaults', () => {
  expect(resolveStreamOptions({})).toEqual({
    maxRetries: 16,
    hookTimeoutMs: 60_000,
    idleTimeoutMs: 600_000,
    halfCloseTimeoutMs: 600_000,
    peekTimeoutMs: 5_000,
    peekMaxBytes: 16_384,
    uploadRate: 0,
    downloadRate: 0,
    accessLog: false,
  });
  expect(resolveStreamOptions({ idleTimeoutMs: 7 }).halfCloseTimeoutMs).toBe(7);
  expect(resolveStreamOptions({ idleTimeoutMs: 7, halfCloseTimeoutMs: 0 }).halfCloseTimeoutMs).toBe(0);
});

test.each([
  [{ maxRetries: -1 }, RangeError, 'stream option maxRetries is -1: expected an integer of at least 0'],
  [{ idleTimeoutMs: 1.5 }, RangeError, 'stream option idleTimeoutMs is 1.5: expected an integer of at least 0'],
  [
    { halfCloseTimeoutMs: '5' },
    RangeError,
    'stream option halfCloseTimeoutMs is "5": expected an integer of at least 0',
  ],
  [{ uploadRate: Number.NaN }, RangeError, 'stream option uploadRate is NaN: expected an integer of at least 0'],
  [{ peekMaxBytes: 0 }, RangeError, 'stream option peekMaxBytes is 0: expected from 1 to 65536'],
  [{ peekMaxBytes: 65_537 }, RangeError, 'stream option peekMaxBytes is 65537: expected from 1 to 65536'],
  [{ accessLog: '' }, TypeError, 'stream option accessLog is "": expected true, false or a path'],
  [{ idleTimeout: 1 }, TypeError, 'stream option idleTimeout is unknown: expected one of maxRetries, hookTimeoutMs,'],
] as const)('resolveStreamOptions refuses %j', (options, kind, message) => {
  expect(() => resolveStreamOptions(options as StreamOptions)).toThrow(kind);
  expect(() => resolveStreamOptions(options as StreamOptions)).toThrow(message);
});
