import { CirqueError } from '@cirque/error';
import { describe, expect, test } from 'vitest';
import {
  assertField,
  isFieldValue,
  isHostValue,
  isToken,
  parseContentLength,
  TARGET_BYTES,
  TOKEN_BYTES,
  trimBlanks,
  VALUE_BYTES,
} from './validate.ts';

const everyByte = Array.from({ length: 256 }, (_, byte) => byte);

function accepted(table: Uint8Array): string {
  return String.fromCharCode(...everyByte.filter((byte) => table[byte] === 1));
}

const alphanumeric = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function sorted(text: string): string {
  return [...text].sort().join('');
}

test('TOKEN_BYTES are exactly tchar (RFC 9110 section 5.6.2)', () => {
  expect(accepted(TOKEN_BYTES)).toBe(sorted(`${alphanumeric}!#$%&'*+-.^_\`|~`));
  expect(TOKEN_BYTES).toHaveLength(256);
});

test('VALUE_BYTES are HTAB, SP, VCHAR and obs-text', () => {
  const refused = everyByte.filter((byte) => VALUE_BYTES[byte] === 0);
  expect(refused).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, ...everyByte.slice(10, 32), 127]);
});

test('TARGET_BYTES are visible ASCII but for the fragment mark', () => {
  expect(accepted(TARGET_BYTES)).toBe(String.fromCharCode(...everyByte.slice(0x21, 0x7f)).replace('#', ''));
});

test('isToken agrees with TOKEN_BYTES on every byte, and refuses the empty text', () => {
  for (const byte of everyByte) expect(isToken(`a${String.fromCharCode(byte)}`)).toBe(TOKEN_BYTES[byte] === 1);
  expect(isToken('')).toBe(false);
  expect(isToken('a\u0100')).toBe(false);
  expect(isToken('a\n')).toBe(false);
  expect(isToken(undefined as unknown as string)).toBe(false);
});

test('isFieldValue agrees with VALUE_BYTES on every byte, and refuses what is no latin1', () => {
  for (const byte of everyByte) expect(isFieldValue(String.fromCharCode(byte))).toBe(VALUE_BYTES[byte] === 1);
  expect(isFieldValue('')).toBe(true);
  // Cut down to a byte these would be CR and LF.
  expect(isFieldValue('\u010d\u010a')).toBe(false);
  expect(isFieldValue('\u{1f600}')).toBe(false);
  expect(isFieldValue(5 as unknown as string)).toBe(false);
});

describe('assertField', () => {
  test.each([
    ['', 'x', 'field name "" is not a token'],
    ['a b', 'x', 'field name "a b"'],
    ['a:', 'x', 'field name "a:"'],
    ['a\r\nB', 'x', 'field name "a\\r\\nB"'],
    ['x-a', 'a\r\nb: c', 'value of x-a "a\\r\\nb: c" holds a control character'],
    ['x-a', 'a\0', 'value of x-a'],
    ['x-a', '\u20ac', 'above U+00FF'],
  ])('assertField refuses %j: %j and says why', (name, value, message) => {
    expect(() => assertField(name, value)).toThrowError(message);
    expect(() => assertField(name, value)).toThrowError(CirqueError);
  });

  test.each([[undefined], [5], [false], [['a', 'b']], [{ toString: () => 'a' }]])(
    'assertField refuses %j for a value: it would be printed somehow',
    (value) => {
      expect(() => assertField('X-A', value as unknown as string)).toThrowError(/value of X-A is .*expected a string/);
      expect(() => assertField(value as unknown as string, 'x')).toThrowError(/field name .* is not a token/);
    },
  );

  test('assertField shows the beginning of a long value only', () => {
    expect(() => assertField('X-A', `${'x'.repeat(100_000)}\n`)).toThrowError(/^.{0,400}$/s);
  });
});

describe('isHostValue', () => {
  test.each([
    [''],
    ['a'],
    ['example.com'],
    ['EXAMPLE.com.'],
    ['a_b'],
    ['a:80'],
    ['a:'],
    ['a:65535'],
    ['a:00080'],
    ['127.0.0.1:1'],
    ['%41%7e.com'],
    ["!$&'()*+,;=~"],
    ['[::1]'],
    ['[::1]:443'],
    ['[::ffff:127.0.0.1]'],
    ['[2001:DB8::1]:'],
  ])('isHostValue accepts %j', (text) => expect(isHostValue(text)).toBe(true));

  test.each([
    ['a b'],
    ['a/b'],
    ['a?b'],
    ['a#b'],
    ['a\\b'],
    ['user@a'],
    ['a:b'],
    ['a:80:80'],
    ['a:65536'],
    ['a:123456'],
    ['a:-1'],
    ['a: 80'],
    ['a:80 '],
    ['a\t'],
    ['a"b'],
    ['a<b'],
    ['a|b'],
    ['a\xe9'],
    ['a\u0161'],
    ['%'],
    ['%4'],
    ['%4g'],
    ['a%zz'],
    ['::1'],
    ['::1:80'],
    ['[::1'],
    ['[::1]x'],
    ['[::1]80'],
    ['[]'],
    ['[1]'],
    ['[...]'],
    ['[1.2.3.4]'],
    ['[::g]'],
    ['[1:2:3:4:5:6:7:8:9]'],
    ['[fe80::1%25eth0]'],
    ['[fe80::1%eth0]'],
    ['[v1.a]'],
    ['[[::1]]'],
    [']'],
  ])('isHostValue refuses %j', (text) => expect(isHostValue(text)).toBe(false));
});

describe('parseContentLength', () => {
  test.each([
    ['0', 0],
    ['1', 1],
    ['007', 7],
    ['1234567890', 1_234_567_890],
    ['4294967296', 4_294_967_296],
    ['999999999999999', 999_999_999_999_999],
    ['000000000000001', 1],
  ])('parseContentLength reads %j', (text, length) => expect(parseContentLength(text)).toBe(length));

  test.each([
    [''],
    ['-1'],
    ['+1'],
    [' 1'],
    ['1 '],
    ['1.0'],
    ['1e3'],
    ['0x10'],
    ['1_000'],
    ['1,1'],
    ['1, 1'],
    ['a'],
    ['\u0661'],
    ['\xb2'],
    ['1000000000000000'],
    ['9007199254740993'],
    ['18446744073709551616'],
    ['0'.repeat(16)],
  ])('parseContentLength refuses %j', (text) => expect(parseContentLength(text)).toBe(-1));
});

test('trimBlanks removes SP and HTAB at both ends, and nothing that only looks like them', () => {
  expect(trimBlanks('')).toBe('');
  expect(trimBlanks(' \t ')).toBe('');
  expect(trimBlanks('\t a b\t ')).toBe('a b');
  expect(trimBlanks('\xa0a\v')).toBe('\xa0a\v');
});
