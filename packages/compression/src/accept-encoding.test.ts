import { describe, expect, test } from 'vitest';
import { codingWeight, negotiate, parseAcceptEncoding } from './accept-encoding.ts';
import { ALGORITHMS, type Algorithm } from './algorithm.ts';

describe('parseAcceptEncoding', () => {
  test.each([
    ['', {}],
    [' , ,', {}],
    ['gzip', { gzip: 1 }],
    ['GZip , BR', { gzip: 1, br: 1 }],
    ['gzip;q=0.5,br ; q=0.25', { gzip: 0.5, br: 0.25 }],
    ['gzip;Q=1.000', { gzip: 1 }],
    ['gzip;q=0.', { gzip: 0 }],
    ['x-gzip;q=0.3', { gzip: 0.3 }],
    ['*;q=0', { '*': 0 }],
    ['gzip;q=2, br', { br: 1 }],
    ['gzip;q=-1, br', { br: 1 }],
    ['gzip;q=0.1234, br', { br: 1 }],
    ['gzip;q=, br', { br: 1 }],
    ['gzip;level=9, br', { br: 1 }],
    ['gzip;q=0, gzip', { gzip: 0 }],
  ])('parseAcceptEncoding of "%s"', (value, weights) => {
    expect(Object.fromEntries(parseAcceptEncoding(value))).toEqual(weights);
  });

  test('codingWeight falls back on the asterisk, else a coding is not acceptable', () => {
    expect(codingWeight(parseAcceptEncoding('gzip;q=0.5, *;q=0.1'), 'gzip')).toBe(0.5);
    expect(codingWeight(parseAcceptEncoding('gzip;q=0.5, *;q=0.1'), 'br')).toBe(0.1);
    expect(codingWeight(parseAcceptEncoding('gzip'), 'br')).toBe(0);
  });
});

describe('negotiate', () => {
  test.each([
    // Nothing
    ['', undefined, false],
    // One, several, all
    ['gzip', 'gzip', false],
    ['x-gzip', 'gzip', false],
    ['br', 'brotli', false],
    ['zstd', 'zstd', false],
    ['gzip, deflate, br, zstd', 'zstd', false],
    ['gzip, deflate, br', 'brotli', false],
    ['gzip, deflate', 'gzip', false],
    ['deflate, compress', undefined, false],
    // Weights beat preference
    ['gzip;q=1.0, br;q=0.9, zstd;q=0.8', 'gzip', false],
    ['gzip;q=0.001, br;q=0', 'gzip', false],
    ['gzip;q=0, br;q=0, zstd;q=0', undefined, false],
    ['zstd;q=0, *', 'brotli', false],
    ['*', 'zstd', false],
    ['*;q=0.5, gzip', 'gzip', false],
    ['*;q=0', undefined, true],
    ['gzip, *;q=0', 'gzip', true],
    // identity
    ['identity', undefined, false],
    ['gzip, identity', 'gzip', false],
    ['gzip;q=0.5, identity', undefined, false],
    ['gzip;q=0.5, identity;q=0.5', 'gzip', false],
    ['gzip;q=0.6, identity;q=0.5', 'gzip', false],
    ['gzip;q=0.5, *;q=0.6', 'zstd', false],
    ['gzip;q=0.5, br;q=0, zstd;q=0, *;q=0.6', undefined, false],
    ['gzip, identity;q=0', 'gzip', true],
    ['identity;q=0', undefined, true],
    ['deflate, identity;q=0', undefined, true],
    ['*;q=0, identity', undefined, false],
    // Malformed members count as absent
    ['zstd;q=9, gzip', 'gzip', false],
    ['zstd;;, gzip', 'gzip', false],
  ] as [string, Algorithm | undefined, boolean][])(
    'negotiate for "%s": %s, identity refused: %s',
    (value, algorithm, identityRefused) => {
      expect(negotiate(value, ALGORITHMS)).toEqual({ algorithm, identityRefused });
    },
  );

  test('negotiate decides between equals by the order of what is offered', () => {
    expect(negotiate('zstd, br, gzip', ['gzip', 'brotli']).algorithm).toBe('gzip');
    expect(negotiate('zstd, br, gzip', ['brotli', 'gzip']).algorithm).toBe('brotli');
    expect(negotiate('zstd, br;q=0.5, gzip;q=0.5', ['gzip', 'brotli']).algorithm).toBe('gzip');
    expect(negotiate('zstd, br, gzip', []).algorithm).toBeUndefined();
  });
});
