import { DEFAULT_HTTP2_LIMITS, resolveHttp2Limits } from '@cirque/http2';
import { describe, expect, test } from 'vitest';
import { type Http2ServerOptions, resolveHttp2ServerOptions } from './http2-server-options.ts';

const DEFAULTS = {
  maxConcurrentStreams: 100,
  connectionWindowSize: 1_048_576,
  pingIntervalMs: 0,
  pingTimeoutMs: 5_000,
  settings: {
    maxConcurrentStreams: 100,
    maxHeaderListSize: 65_536,
    initialWindowSize: 262_144,
    maxFrameSize: 16_384,
    headerTableSize: 4_096,
    enableConnectProtocol: true,
  },
  limits: DEFAULT_HTTP2_LIMITS,
};

function refusal(options: unknown): Error {
  try {
    resolveHttp2ServerOptions(options as Http2ServerOptions);
  } catch (error) {
    return error as Error;
  }
  throw new Error(`accepted ${String(options)}`);
}

describe('resolveHttp2ServerOptions', () => {
  test('resolveHttp2ServerOptions fills in every default', () => {
    expect(resolveHttp2ServerOptions()).toEqual(DEFAULTS);
    expect(resolveHttp2ServerOptions({})).toEqual(DEFAULTS);
  });

  test('resolveHttp2ServerOptions takes undefined as not given', () => {
    const options = { maxHeaderFields: undefined, extendedConnect: undefined, pingIntervalMs: undefined };
    expect(resolveHttp2ServerOptions(options as unknown as Http2ServerOptions)).toEqual(DEFAULTS);
  });

  test('resolveHttp2ServerOptions lets the resets follow the streams, unless they are given', () => {
    const resets = (options: Http2ServerOptions): number | undefined =>
      resolveHttp2ServerOptions(options).limits.maxResetsPerInterval;
    expect(resets({ maxConcurrentStreams: 1_000 })).toBe(2_000);
    expect(resets({ maxConcurrentStreams: 10 })).toBe(100);
    expect(resets({ maxConcurrentStreams: 1_000, maxResetsPerInterval: 7 })).toBe(7);
  });

  test('resolveHttp2ServerOptions announces what it enforces', () => {
    const { settings, limits } = resolveHttp2ServerOptions({ maxHeaderListBytes: 9_000, maxConcurrentStreams: 3 });
    expect(settings).toMatchObject({ maxHeaderListSize: 9_000, maxConcurrentStreams: 3 });
    expect(limits.maxHeaderListBytes).toBe(9_000);
  });

  test('resolveHttp2ServerOptions makes limits that the engine accepts at their lowest', () => {
    const lowest = resolveHttp2ServerOptions({
      maxConcurrentStreams: 1,
      maxHeaderListBytes: 1_024,
      maxHeaderFields: 1,
      maxContinuationFrames: 1,
      maxResetsPerInterval: 1,
      maxControlFramesPerInterval: 1,
      maxPendingBytes: 1_024,
    });
    expect(() => resolveHttp2Limits(lowest.limits, 1)).not.toThrow();
  });

  test('resolveHttp2ServerOptions switches extended CONNECT off', () => {
    expect(resolveHttp2ServerOptions({ extendedConnect: false }).settings.enableConnectProtocol).toBe(false);
  });

  test.each([
    ['maxConcurrentStreams', 0, 'from 1 to 2147483647'],
    ['initialWindowSize', 2 ** 31, 'from 1 to 2147483647'],
    ['connectionWindowSize', 65_534, 'from 65535 to 2147483647'],
    ['maxFrameSize', 16_383, 'from 16384 to 16777215'],
    ['maxFrameSize', 16_777_216, 'from 16384 to 16777215'],
    ['headerTableSize', 65_537, 'from 0 to 65536'],
    ['maxHeaderListBytes', 1_023, 'from 1024 to'],
    ['maxHeaderFields', 0, 'from 1 to'],
    ['maxContinuationFrames', 0, 'from 1 to'],
    ['maxResetsPerInterval', 0, 'from 1 to'],
    ['maxControlFramesPerInterval', 0.5, 'from 1 to'],
    ['maxPendingBytes', Number.NaN, 'from 1024 to'],
    ['pingIntervalMs', -1, 'from 0 to'],
    ['pingTimeoutMs', '5000', 'from 1 to'],
    ['maxHeaderFields', null, 'from 1 to'],
  ])('resolveHttp2ServerOptions refuses %s %s', (name, value, range) => {
    const error = refusal({ [name]: value });
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain(`HTTP/2 server option ${name} is ${String(value)}: expected an integer ${range}`);
  });

  test.each([0, 'yes', null])('resolveHttp2ServerOptions refuses extendedConnect %s', (value) => {
    const error = refusal({ extendedConnect: value });
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(`HTTP/2 server option extendedConnect is ${value}: expected true or false`);
  });

  test.each(['maxStreams', 'toString', ''])('resolveHttp2ServerOptions refuses the unknown option %o', (name) => {
    const error = refusal({ [name]: 1 });
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(`HTTP/2 server option ${name} is unknown: expected one of maxConcurrentStreams, `);
  });

  test.each([true, 5, 'h2'])('resolveHttp2ServerOptions refuses %s in the place of options', (value) => {
    expect(refusal(value)).toBeInstanceOf(TypeError);
    expect(refusal(value).message).toBe(`HTTP server option h2 is ${value}: expected an object of HTTP/2 options`);
  });
});
