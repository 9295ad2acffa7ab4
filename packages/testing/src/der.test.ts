import { describe, expect, test } from 'vitest';
import { bitString, integer, oid, sequence, tagged, time } from './der.ts';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('der', () => {
  test('tagged writes short and long lengths', () => {
    expect(hex(tagged(4, Buffer.alloc(2)))).toBe('04020000');
    expect(hex(tagged(4, Buffer.alloc(127)).subarray(0, 2))).toBe('047f');
    expect(hex(tagged(4, Buffer.alloc(128)).subarray(0, 3))).toBe('048180');
    expect(hex(tagged(4, Buffer.alloc(65_536)).subarray(0, 5))).toBe('0483010000');
  });

  test('integer is minimal and never negative', () => {
    expect(hex(integer(Buffer.from([0, 0, 0x7f])))).toBe('02017f');
    expect(hex(integer(Buffer.from([0x80])))).toBe('02020080');
    expect(hex(integer(Buffer.from([0, 0])))).toBe('020100');
  });

  test('oid writes the dotted text', () => {
    expect(hex(oid('1.2.840.10045.4.3.2'))).toBe('06082a8648ce3d040302');
    expect(hex(oid('2.5.29.17'))).toBe('0603551d11');
  });

  test('time changes its form in 2050', () => {
    expect(time(new Date('2049-12-31T23:59:59.500Z')).toString('latin1')).toBe('\x17\x0d491231235959Z');
    expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1')).toBe('\x18\x0f20500101000000Z');
  });

  test('sequence nests, bitString tells the bits it leaves out', () => {
    expect(hex(sequence(bitString(Buffer.from([6]), 1), sequence()))).toBe('30060302010630 00'.replace(' ', ''));
  });
});
