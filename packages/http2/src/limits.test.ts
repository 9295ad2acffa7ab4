import { expect, test } from 'vitest';
import { DEFAULT_HTTP2_LIMITS, type Http2Limits, resolveHttp2Limits } from './limits.ts';

test('resolveHttp2Limits completes with the defaults', () => {
  expect(resolveHttp2Limits()).toEqual(DEFAULT_HTTP2_LIMITS);
  const some: Partial<Http2Limits> = { maxHeaderFields: 7 };
  Object.assign(some, { maxPendingBytes: undefined });
  expect(resolveHttp2Limits(some)).toEqual({ ...DEFAULT_HTTP2_LIMITS, maxHeaderFields: 7 });
});

test('resolveHttp2Limits allows twice as many resets as streams', () => {
  expect(resolveHttp2Limits({}, 10).maxResetsPerInterval).toBe(100);
  expect(resolveHttp2Limits({}, 1_000).maxResetsPerInterval).toBe(2_000);
  expect(resolveHttp2Limits({ maxResetsPerInterval: 5 }, 1_000).maxResetsPerInterval).toBe(5);
});

test.each([
  [{ maxHeaderFields: 0.5 }, RangeError, /limit maxHeaderFields is 0\.5: expected an integer of at least 1/],
  [{ maxHeaderListBytes: '1' as unknown as number }, RangeError, /limit maxHeaderListBytes is 1/],
  [{ constructor: 1 } as object, TypeError, /limit constructor is unknown: expected one of maxHeaderListBytes/],
])('resolveHttp2Limits refuses %o', (limits, type, message) => {
  expect(() => resolveHttp2Limits(limits)).toThrow(type);
  expect(() => resolveHttp2Limits(limits)).toThrow(message);
});
