import { describe, expect, test } from 'vitest';
import { HeaderMap } from './header-map.ts';
import { forwardableTrailers, mayTrail } from './trailers.ts';

describe('mayTrail', () => {
  test.each(['grpc-status', 'grpc-message', 'x-checksum', 'server-timing', 'etag', 'digest', 'x'])(
    'mayTrail lets %s pass',
    (name) => expect(mayTrail(name)).toBe(true),
  );

  test.each([
    'transfer-encoding',
    'content-length',
    'host',
    'connection',
    'te',
    'trailer',
    'authorization',
    'set-cookie',
    'cookie',
    'content-type',
    'content-encoding',
    'content-range',
    'x-forwarded-for',
    'x-forwarded-anything',
    'forwarded',
    'if-none-match',
    'cache-control',
  ])('mayTrail refuses %s', (name) => expect(mayTrail(name)).toBe(false));
});

describe('forwardableTrailers', () => {
  test('forwardableTrailers leaves out what may not trail, in any case of letters', () => {
    const trailers = HeaderMap.from({ 'Grpc-Status': '0', 'Content-LENGTH': '5', 'X-A': ['1', '2'], Host: 'evil' });
    expect([...(forwardableTrailers(trailers) as HeaderMap)]).toEqual([
      ['Grpc-Status', '0'],
      ['X-A', '1'],
      ['X-A', '2'],
    ]);
  });

  test('forwardableTrailers is undefined when nothing is left', () => {
    expect(forwardableTrailers(undefined)).toBeUndefined();
    expect(forwardableTrailers(HeaderMap.from({ host: 'a', 'set-cookie': 'b' }))).toBeUndefined();
  });
});
