import { cutAtRandom, SeededRandom } from '@cirque/testing';
import { expect, test } from 'vitest';
import { Base64Decoder } from './base64-decoder.ts';
import { GrpcTextEncoder } from './text-encoder.ts';

function message(length: number, flag = 0): Buffer {
  const bytes = Buffer.alloc(5 + length, length % 251);
  bytes[0] = flag;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

test('GrpcTextEncoder gives text that decodes to the body, and never keeps a complete message back', () => {
  const random = new SeededRandom(11);
  for (let round = 0; round < 300; round++) {
    const messages = Array.from({ length: random.int(0, 5) }, () => message(random.int(0, 40), random.int(0, 1)));
    const ends = messages.map((_, at) => Buffer.concat(messages.slice(0, at + 1)).length);
    const body = Buffer.concat([...messages, Buffer.alloc(random.int(0, 4))]);
    const encoder = new GrpcTextEncoder();
    const decoder = new Base64Decoder();
    let sent = 0;
    const decoded: Buffer[] = [];
    for (const piece of cutAtRandom(body, round)) {
      sent += piece.length;
      decoded.push(decoder.push(encoder.push(Buffer.from(piece))));
      const complete = Math.max(0, ...ends.filter((end) => end <= sent));
      expect(Buffer.concat(decoded).length).toBeGreaterThanOrEqual(complete);
    }
    decoded.push(decoder.push(encoder.finish()));
    decoder.finish();
    expect(Buffer.concat(decoded)).toEqual(body);
  }
});

test('GrpcTextEncoder pads behind messages only', () => {
  const encoder = new GrpcTextEncoder();
  const [a, b] = [message(2), message(6)];
  expect(String(encoder.push(Buffer.concat([a, b.subarray(0, 1)])))).toBe(a.toString('base64'));
  expect(String(encoder.push(b.subarray(1, 4)))).toBe(b.subarray(0, 3).toString('base64'));
  expect(String(encoder.push(b.subarray(4)))).toBe(b.subarray(3).toString('base64'));
  expect(String(encoder.finish())).toBe('');
});
