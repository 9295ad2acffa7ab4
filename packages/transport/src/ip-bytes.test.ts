import { describe, expect, test } from 'vitest';
import { ipFromBytes, ipToBytes, toSixteen } from './ip-bytes.ts';

describe('ipToBytes and ipFromBytes', () => {
  test.each([
    ['192.0.2.1', 'c0000201'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::a:0:1', '20010db8000000000000000a00000001'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['fe80::', 'fe800000000000000000000000000000'],
  ])('ipToBytes reads %s and ipFromBytes writes it back', (text, hex) => {
    expect(ipToBytes(text)?.toString('hex')).toBe(hex);
    expect(ipFromBytes(Buffer.from(hex, 'hex'))).toBe(text);
  });

  test('ipToBytes reads every spelling, ipFromBytes has one', () => {
    const canonical = (text: string): string => ipFromBytes(ipToBytes(text) as Buffer);
    expect(canonical('2001:DB8:0:0:0:0:0:1')).toBe('2001:db8::1');
    expect(canonical('fe80::1%eth0')).toBe('fe80::1');
    expect(canonical('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(canonical('::ffff:c000:201')).toBe('192.0.2.1');
    expect(canonical('64:ff9b::192.0.2.33')).toBe('64:ff9b::c000:221');
  });

  test.each(['', 'localhost', '1.2.3', '1.2.3.256', '1:2', 'g::'])('ipToBytes answers undefined for %j', (text) => {
    expect(ipToBytes(text)).toBeUndefined();
  });

  test('toSixteen maps IPv4 and leaves IPv6', () => {
    const six = ipToBytes('2001:db8::1') as Buffer;
    expect(toSixteen(six)).toBe(six);
    expect(toSixteen(Buffer.from([192, 0, 2, 1])).toString('hex')).toBe('00000000000000000000ffffc0000201');
  });
});
