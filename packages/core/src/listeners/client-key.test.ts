import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientKey } from './client-key.ts';

const DEFAULT = { v4: 32, v6: 64 };

describe('clientKey', () => {
  test('clientKey takes an IPv4 address as a whole, and an IPv6 network of 64 bits', () => {
    expect(clientKey('192.0.2.1', DEFAULT)).toBe('192.0.2.1');
    expect(clientKey('2001:db8::1', DEFAULT)).toBe(clientKey('2001:db8:0:0:ffff::2', DEFAULT));
    expect(clientKey('2001:db8::1', DEFAULT)).not.toBe(clientKey('2001:db8:0:1::1', DEFAULT));
    expect(clientKey('fe80::1%eth0', DEFAULT)).toBe(clientKey('fe80::2', DEFAULT));
  });

  test('clientKey of a prefix agrees with bits compared one by one', () => {
    const octet = fc.nat({ max: 255 });
    const address = fc.tuple(octet, octet, octet, octet);
    const bits = (parts: readonly number[]): string => parts.map((part) => part.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(address, address, fc.integer({ min: 1, max: 32 }), (one, other, v4) => {
        const same = bits(one).slice(0, v4) === bits(other).slice(0, v4);
        expect(clientKey(one.join('.'), { v4, v6: 64 }) === clientKey(other.join('.'), { v4, v6: 64 })).toBe(same);
      }),
    );
  });

  test('clientKey never takes an IPv4 network for one of IPv6', () => {
    expect(clientKey('32.1.13.184', { v4: 24, v6: 24 })).not.toBe(clientKey('2001:db8::', { v4: 24, v6: 24 }));
  });
});
