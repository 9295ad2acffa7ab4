import { DEFAULT_HTTP1_LIMITS } from '@cirque/http1';
import { describe, expect, test } from 'vitest';
import { type HttpServerOptions, resolveHttpServerOptions } from './http-server-options.ts';
import { resolveHttp2ServerOptions } from './http2-server-options.ts';

const DEFAULTS = {
  headTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  readTimeoutMs: 30_000,
  writeTimeoutMs: 60_000,
  minSendRate: 0,
  keepaliveRequestLimit: 0,
  abortOnClose: true,
  h2c: false,
  h2: resolveHttp2ServerOptions(),
  limits: DEFAULT_HTTP1_LIMITS,
  lenient: {},
};

const NUMBERS = ['headTimeoutMs', 'idleTimeoutMs', 'readTimeoutMs', 'writeTimeoutMs', 'keepaliveRequestLimit'] as const;

/** What a caller without types can pass. */
function resolve(options: Record<string, unknown>): unknown {
  return resolveHttpServerOptions(options as HttpServerOptions);
}

function refusal(options: Record<string, unknown>): Error {
  try {
    resolve(options);
  } catch (error) {
    return error as Error;
  }
  throw new Error(`accepted ${JSON.stringify(options)}`);
}

describe('resolveHttpServerOptions', () => {
  test('resolveHttpServerOptions fills in every default', () => {
    expect(resolveHttpServerOptions()).toEqual(DEFAULTS);
    expect(resolveHttpServerOptions({})).toEqual(DEFAULTS);
  });

  test('resolveHttpServerOptions takes undefined as not given', () => {
    const names = Object.keys(DEFAULTS);
    expect(resolve(Object.fromEntries(names.map((name) => [name, undefined])))).toEqual(DEFAULTS);
  });

  test.each(NUMBERS)('resolveHttpServerOptions takes %s, zero included, and leaves the others alone', (name) => {
    expect(resolve({ [name]: 1_234 })).toEqual({ ...DEFAULTS, [name]: 1_234 });
    expect(resolve({ [name]: 0 })).toEqual({ ...DEFAULTS, [name]: 0 });
  });

  test('resolveHttpServerOptions takes abortOnClose, single limits and single leniencies', () => {
    const options = { abortOnClose: false, limits: { maxFields: 7 }, lenient: { obsFold: true } };
    expect(resolveHttpServerOptions(options)).toEqual({
      ...DEFAULTS,
      ...options,
      limits: { ...DEFAULT_HTTP1_LIMITS, maxFields: 7 },
    });
  });

  test('resolveHttpServerOptions answers with an object of its own', () => {
    const lenient = { obsFold: true };
    const options = { headTimeoutMs: 1, lenient };
    const resolved = resolveHttpServerOptions(options);
    options.headTimeoutMs = 2;
    lenient.obsFold = false;
    expect(resolved).toMatchObject({ headTimeoutMs: 1, lenient: { obsFold: true } });
    expect(resolveHttpServerOptions().headTimeoutMs).toBe(10_000);
  });

  const wrong: readonly unknown[] = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5000', null, true, 5n];

  test.each(NUMBERS.flatMap((name) => wrong.map((value) => [name, value] as const)))(
    'resolveHttpServerOptions refuses %s %s, saying what would be right',
    (name, value) => {
      const error = refusal({ [name]: value });
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toBe(`HTTP server option ${name} is ${String(value)}: expected an integer of at least 0`);
    },
  );

  test.each(['abortOnClose', 'h2c'].flatMap((name) => ['yes', 0, 1].map((value) => [name, value] as const)))(
    'resolveHttpServerOptions refuses %s %s',
    (name, value) => {
      const error = refusal({ [name]: value });
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toBe(`HTTP server option ${name} is ${value}: expected true or false`);
    },
  );

  test.each(['headTimeout', 'keepAliveTimeout', '', 'constructor', 'toString'])(
    'resolveHttpServerOptions refuses the unknown option %o and lists those that exist',
    (name) => {
      const error = refusal({ [name]: 1 });
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain(`HTTP server option ${name} is unknown: expected one of `);
      for (const option of Object.keys(DEFAULTS)) expect(error.message).toContain(option);
    },
  );

  test.each([
    [{ limits: { maxFields: 0 } }, RangeError, 'limit maxFields is 0: expected an integer of at least 1'],
    [{ limits: { maxHeadByte: 1 } }, TypeError, 'limit maxHeadByte is unknown: expected one of maxHeadBytes'],
    [
      { h2: { maxHeaderFields: 0 } },
      RangeError,
      'HTTP/2 server option maxHeaderFields is 0: expected an integer from 1',
    ],
    [{ lenient: { obsFold: 1 } }, TypeError, 'leniency obsFold is 1: expected true or false'],
    [{ lenient: { everything: true } }, TypeError, 'leniency everything is unknown: expected one of content'],
  ])('resolveHttpServerOptions refuses %o', (options, kind, message) => {
    const error = refusal(options);
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(message);
  });
});

test.each(['abortOnClose', 'h2c', 'h2', 'limits', 'lenient'])(
  'resolveHttpServerOptions refuses null for %s and names it',
  (name) => {
    const options = { [name]: null } as unknown as HttpServerOptions;
    expect(() => resolveHttpServerOptions(options)).toThrow(`HTTP server option ${name} is null: leave it out`);
  },
);
