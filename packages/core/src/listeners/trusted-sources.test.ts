import { describe, expect, test } from 'vitest';
import { TrustedSources, type TrustedSourcesLike } from './trusted-sources.ts';

describe('TrustedSources', () => {
  test.each<[TrustedSourcesLike, string | undefined, boolean]>([
    [['10.0.0.0/8'], '10.255.1.2', true],
    [['10.0.0.0/8'], '11.0.0.0', false],
    [['10.0.0.1'], '10.0.0.1', true],
    [['10.0.0.1'], '10.0.0.2', false],
    [['0.0.0.0/0'], '192.0.2.1', true],
    [['2001:db8::/32', '10.0.0.0/8'], '2001:db8:1::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['::1'], '::1', true],
    [['10.0.0.0/8'], undefined, false],
    [['10.0.0.0/8'], 'unix', false],
    ['any', undefined, true],
    ['any', '192.0.2.1', true],
  ])('of %j: %s is trusted: %s', (sources, address, trusted) => {
    expect(new TrustedSources(sources).trusts(address)).toBe(trusted);
  });

  test.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0/', '::/129', 'fe80::1%eth0', '10', ''])(
    'refuses %j',
    (source) => {
      expect(() => new TrustedSources([source])).toThrow(/is no address and no network/);
    },
  );

  test('refuses what is no list of texts', () => {
    expect(() => new TrustedSources([7] as unknown as string[])).toThrow(/trusted source 7 is no address/);
    expect(() => new TrustedSources({} as unknown as string[])).toThrow(/must be a list/);
  });
});
