import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCheckResponse, encodeCheckRequest } from './grpc-health-message.ts';

const framed = (...bytes: number[]): Buffer => Buffer.from([0, 0, 0, 0, bytes.length, ...bytes]);

test('encodeCheckRequest writes what other implementations write', () => {
  expect(encodeCheckRequest('').toString('hex')).toBe('0000000000');
  expect(encodeCheckRequest('a.B').toString('hex')).toBe('0000000005' + '0a03' + '612e42');
  const long = encodeCheckRequest('x'.repeat(300));
  expect(long.subarray(0, 9).toString('hex')).toBe('000000012f' + '0aac02' + '78');
  expect(long).toHaveLength(5 + 303);
});

test.each([
  [[], 'UNKNOWN'],
  [[0x08, 0], 'UNKNOWN'],
  [[0x08, 1], 'SERVING'],
  [[0x08, 2], 'NOT_SERVING'],
  [[0x08, 3], 'SERVICE_UNKNOWN'],
  [[0x08, 99], 'UNKNOWN'],
  [[0x08, 2, 0x08, 1], 'SERVING'],
  [[0x08, 0x81, 0x00], 'SERVING'],
  [[0x10, 7, 0x1a, 2, 1, 1, 0x25, 1, 2, 3, 4, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 1], 'SERVING'],
])('decodeCheckResponse reads %j as %s', (bytes, status) => {
  expect(decodeCheckResponse(framed(...bytes))).toBe(status);
});

test.each([
  [Buffer.alloc(0), 'a message of 0 bytes is cut off'],
  [Buffer.from([1, 0, 0, 0, 0]), 'the message is compressed, though nobody asked for that'],
  [Buffer.from([0, 0, 0, 0, 2, 8]), 'expected one message of 2 bytes, got 1'],
  [Buffer.concat([framed(8, 1), framed(8, 1)]), 'expected one message of 2 bytes, got 9'],
  [framed(0x08), 'a number is cut off'],
  [framed(0x08, 0x80), 'a number is cut off'],
  [framed(0x08, ...Array<number>(10).fill(0x80)), 'a number is longer than 10 bytes'],
  [framed(0x0a, 2, 1), 'a field is cut off'],
  [framed(0x0d, 1, 2), 'a field is cut off'],
  [framed(0x0b), 'wire type 3 is not known'],
])('decodeCheckResponse refuses %j', (body, message) => {
  expect(() => decodeCheckResponse(body)).toThrow(new RangeError(message));
});

test('decodeCheckResponse answers or refuses, whatever it gets', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
      try {
        expect(typeof decodeCheckResponse(framed(...bytes))).toBe('string');
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
});
