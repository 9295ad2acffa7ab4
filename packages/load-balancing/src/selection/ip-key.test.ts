import { isIP } from 'node:net';
import { ipToBytes } from '@cirque/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IpKey } from './ip-key.ts';
import type { SelectionKey } from './selection.ts';

const whole = new IpKey(32, 128);
const hexOf = (key: SelectionKey): string => (typeof key === 'string' ? key : Buffer.from(key).toString('hex'));

/** What the address means, by a slower reader: its bytes in hex, an IPv4 address inside an IPv6 one as that. */
function meaning(address: string): string {
  const hex = ipToBytes(address)?.toString('hex') ?? '';
  return hex.startsWith(`${'0'.repeat(20)}ffff`) ? hex.slice(24) : hex;
}

describe('IpKey', () => {
  it.each([
    ['10.1.2.3', '0a010203'],
    ['10.1.2.3:65535', '0a010203'],
    ['255.255.255.255', 'ffffffff'],
    ['::ffff:10.1.2.3', '0a010203'],
    ['::FFFF:a01:203', '0a010203'],
    ['[::ffff:10.1.2.3]:80', '0a010203'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['[::1]', `${'0'.repeat(31)}1`],
    ['[2001:db8::a]:443', '20010db800000000000000000000000a'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['fe80::1%eth0', 'fe800000000000000000000000000001'],
    ['[fe80::1%eth0]:80', 'fe800000000000000000000000000001'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ])('IpKey reads %s', (text, hex) => {
    expect(hexOf(whole.networkOf(text))).toBe(hex);
  });

  it.each([
    '',
    'name',
    '/path',
    '10.1.2',
    '10.1.2.3.4',
    '10.1.2.256',
    '010.1.2.3',
    '10.1.2.3:',
    '10.1.2.3:80x',
    '10.1..3',
    '10.1.2.3 ',
    ':',
    ':1',
    '1:',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '::1.2.3',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    '[::1',
    '[::1]80',
    '[::1]:',
    '[10.1.2.3]',
    '::1%',
    '::1%%',
    '::1%eth 0',
    '%eth0',
    '::1]:80',
    'a:80',
  ])('IpKey leaves %j as it is', (text) => {
    expect(whole.networkOf(text)).toBe(text);
  });

  it('IpKey reads whatever node:net calls an address, and nothing else', () => {
    const letters = fc.constantFrom(...'0123456789abcdefF:.%[]', '::', ':0', 'ffff:', '1.2', '255');
    const odd = fc.array(letters, { maxLength: 14 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), odd), (text) => {
        // A port behind an IPv4 address, and brackets, are ours.
        fc.pre(!/^[\d.]+:\d+$/.test(text) && !text.startsWith('['));
        const network = whole.networkOf(text);
        if (isIP(text) === 0) expect(network).toBe(text);
        else expect(hexOf(network)).toBe(meaning(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it('IpKey takes 4 and 16 bytes for addresses, and other bytes as they are', () => {
    expect(hexOf(whole.networkOf(Uint8Array.of(10, 1, 2, 3)))).toBe('0a010203');
    expect(hexOf(whole.networkOf(ipToBytes('2001:db8::1') ?? Buffer.alloc(0)))).toBe(meaning('2001:db8::1'));
    expect(hexOf(whole.networkOf(ipToBytes('::ffff:1.2.3.4') ?? Buffer.alloc(0)))).toBe('01020304');
    const other = Buffer.from('five!');
    expect(whole.networkOf(other)).toBe(other);
  });

  it.each([
    [24, 64, '10.1.2.3', '0a010200'],
    [20, 64, '10.1.31.3', '0a011000'],
    [0, 64, '10.1.2.3', '00000000'],
    [32, 64, '2001:db8:1:2:3:4:5:6', '20010db8000100020000000000000000'],
    [32, 60, '2001:db8:1:fff:3:4:5:6', '20010db800010ff00000000000000000'],
    [32, 0, '2001:db8::1', '0'.repeat(32)],
  ])('IpKey with prefixes of %i and %i makes a network of %s', (ipv4, ipv6, text, hex) => {
    expect(hexOf(new IpKey(ipv4, ipv6).networkOf(text))).toBe(hex);
  });
});
