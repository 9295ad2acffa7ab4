import { constants, zstdCompressSync } from 'node:zlib';
import { byteByByte, cutAtRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { ZstdFrames } from './zstd-frames.ts';

const SKIPPABLE = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const DATA = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
const FRAMES: readonly Buffer[] = [
  zstdCompressSync(''),
  zstdCompressSync('short'),
  zstdCompressSync(Buffer.alloc(500_000)),
  zstdCompressSync(DATA),
  zstdCompressSync(DATA, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  zstdCompressSync(DATA, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } }),
  zstdCompressSync(DATA.subarray(0, 300), { pledgedSrcSize: 300 }),
  SKIPPABLE,
];

describe('ZstdFrames', () => {
  test.each(FRAMES.map((frame, i) => [i, frame] as const))(
    'ZstdFrames finds the end of frame %i, and no other',
    (_, frame) => {
      const frames = new ZstdFrames();
      expect(frames.complete).toBe(true);
      for (const [at, byte] of byteByByte(frame).entries()) {
        expect(frames.split(byte)).toEqual([byte]);
        if (frames.complete !== (at === frame.length - 1)) expect.fail(`complete at ${at} of ${frame.length}`);
      }
    },
  );

  test('ZstdFrames cuts behind each frame, however the body comes', () => {
    const body = Buffer.concat([...FRAMES, ...FRAMES]);
    expect(new ZstdFrames().split(body)).toEqual([...FRAMES, ...FRAMES]);
    for (let seed = 0; seed < 20; seed++) {
      const frames = new ZstdFrames();
      const ends: number[] = [];
      let at = 0;
      for (const piece of cutAtRandom(body, seed)) {
        const slices = frames.split(piece);
        expect(Buffer.concat(slices)).toEqual(piece);
        for (const [i, slice] of slices.entries()) {
          at += slice.length;
          if (i < slices.length - 1 || frames.complete) ends.push(at);
        }
      }
      expect(ends).toHaveLength(2 * FRAMES.length);
    }
  });

  test('ZstdFrames refuses what is no zstd', () => {
    expect(() => new ZstdFrames().split(Buffer.from('<html>'))).toThrow(/unknown frame magic/);
    const reserved = Buffer.from(FRAMES[3] as Buffer);
    reserved[(reserved[4] as number) & 0x20 ? 9 : 6] = 6;
    expect(() => new ZstdFrames().split(reserved)).toThrow(/reserved block type/);
  });

  test('ZstdFrames refuses a body of very many frames', () => {
    const tiny = FRAMES[0] as Buffer;
    expect(new ZstdFrames().split(Buffer.concat(Array(1_000).fill(tiny)))).toHaveLength(1_000);
    expect(() => new ZstdFrames().split(Buffer.concat(Array(1_001).fill(tiny)))).toThrow(/more than 1000 frames/);
  });
});
