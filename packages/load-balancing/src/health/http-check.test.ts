import { describe, expect, it } from 'vitest';
import { HttpHealthCheck, type HttpHealthCheckOptions } from './http-check.ts';

const host = 'example.com';

describe('HttpHealthCheck', () => {
  it('HttpHealthCheck has Pingora’s defaults', () => {
    const check = new HttpHealthCheck({ host, consecutiveFailure: 2 });
    expect(check).toMatchObject({ connectionTimeoutMs: 1_000, readTimeoutMs: 1_000, timeoutMs: 6_000 });
    expect([check.healthThreshold(true), check.healthThreshold(false)]).toEqual([1, 2]);
  });

  it.each<[HttpHealthCheckOptions, RegExp]>([
    [{ host: '' }, /^host must be the value of the Host field/],
    [{ host: 'a\r\nb' }, /"Host": "a\\r\\nb" is not a valid header field/],
    [{ host, method: 'GET /' }, /^method must be an HTTP method other than CONNECT, got "GET \/"/],
    [{ host, method: 'CONNECT' }, /^method must be/],
    [{ host, path: 'health' }, /^path must begin with a slash/],
    [{ host, path: '/a b' }, /^path must begin with a slash/],
    [{ host, path: '/a\n' }, /^path must begin with a slash/],
    [{ host, headers: { 'x y': '1' } }, /^headers: "x y": "1" is not a valid header field/],
    [{ host, headers: { x: '1\n2' } }, /is not a valid header field/],
    [{ host, headers: { hOST: 'b' } }, /must not have a Host field: use the option host/],
    [
      { host, expectedStatus: 99 },
      /^expectedStatus must be one or more integers from 200 to 599, or ranges \[from, to\] of them, got 99$/,
    ],
    [{ host, expectedStatus: [[300, 200]] }, /^expectedStatus must be .* got \[\[300,200\]\]$/],
    [{ host, expectedStatus: [[200, 600]] }, /^expectedStatus must be/],
    [{ host, expectedStatus: '2xx' as unknown as number }, /^expectedStatus must be .* got "2xx"$/],
    [{ host, expectedBody: '' }, /^expectedBody must be a text or a regular expression, got ""$/],
    [{ host, expectedBody: 'ok', method: 'HEAD' }, /^expectedBody cannot be met by method HEAD/],
    [{ host, maxBodyBytes: 0 }, /^maxBodyBytes must be an integer from 1/],
    [{ host, expectedStatus: [200, 600] }, /^expectedStatus must be/],
    [{ host, expectedStatus: [] }, /^expectedStatus must be/],
    [{ host, portOverride: 0 }, /^portOverride must be an integer from 1 to 65535, got 0/],
    [{ host, readTimeoutMs: 0 }, /^readTimeoutMs must be an integer from 1, got 0/],
    [{ host, timeoutMs: -1 }, /^timeoutMs must be an integer from 1, got -1/],
  ])('HttpHealthCheck refuses %j', (options, message) => {
    expect(() => new HttpHealthCheck(options)).toThrow(message);
  });

  it('HttpHealthCheck does not compile without a host', () => {
    // @ts-expect-error host is required
    expect(() => new HttpHealthCheck({})).toThrow(TypeError);
  });
});
