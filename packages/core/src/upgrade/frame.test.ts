import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, FrameReader, MAX_FRAME_BYTES } from './frame.ts';

describe('FrameReader', () => {
  test('FrameReader puts messages together however they are cut', () => {
    const values = fc.array(fc.dictionary(fc.string(), fc.string()), { maxLength: 8 });
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(values, cuts, (messages, sizes) => {
        const bytes = Buffer.concat(messages.map(encodeFrame));
        const reader = new FrameReader();
        const read: unknown[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const end = at + (sizes[turn % sizes.length] ?? 1);
          read.push(...reader.push(bytes.subarray(at, end)));
          at = end;
        }
        expect(JSON.stringify(read)).toBe(JSON.stringify(messages));
      }),
    );
  });

  test('FrameReader takes the longest frame and refuses a longer one at its first bytes', () => {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(MAX_FRAME_BYTES);
    expect(new FrameReader().push(prefix)).toEqual([]);
    prefix.writeUInt32BE(MAX_FRAME_BYTES + 1);
    expect(() => new FrameReader().push(prefix)).toThrow('does not speak the upgrade protocol');
  });

  test('FrameReader does not quote what it cannot read', () => {
    const bytes = Buffer.from('\0\0\0\u0006secret');
    expect(() => new FrameReader().push(bytes)).toThrow(/^(?!.*secret).*\(a frame that is not JSON\)$/);
  });

  test('encodeFrame refuses what no reader would take', () => {
    expect(() => encodeFrame({ text: 'x'.repeat(MAX_FRAME_BYTES) })).toThrow('8388608 are allowed');
  });
});
