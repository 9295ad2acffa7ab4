import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { CirqueError } from '@cirque/error';
import { byteByByte, cutAtRandom, SeededRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { ALGORITHMS, type Algorithm } from './algorithm.ts';
import { Decoder, type DecodingLimits } from './decoder.ts';

const ENCODE: Readonly<Record<Algorithm, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  brotli: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  zstd: (bytes) => zstdCompressSync(bytes),
};

const ROOM: DecodingLimits = { maxOutputBytes: Number.MAX_SAFE_INTEGER, maxRatio: 100 };
const TEXT = Buffer.from(
  Array.from({ length: 4_000 }, (_, i) => `{"id":${i},"name":"user ${(i * 7919) % 1000}"}`).join('\n'),
);

function decoder(algorithm: Algorithm, limits: DecodingLimits = ROOM): Decoder {
  return new Decoder(algorithm, limits, (problem, context, cause) => new CirqueError(problem, context, { cause }));
}

async function decode(algorithm: Algorithm, pieces: Iterable<Uint8Array>, limits = ROOM): Promise<Buffer> {
  const one = decoder(algorithm, limits);
  const out: Buffer[] = [];
  try {
    for (const piece of pieces) out.push(await one.push(Buffer.from(piece), false));
    out.push(await one.push(undefined, true));
    return Buffer.concat(out);
  } finally {
    one.close();
  }
}

const malformed = expect.objectContaining({ type: 'malformed' });
const tooLarge = expect.objectContaining({ type: 'too large' });

describe.each(ALGORITHMS)('Decoder of %s', (algorithm) => {
  const encoded = ENCODE[algorithm](TEXT);

  test('Decoder gives the body back, however it comes', async () => {
    expect((await decode(algorithm, [encoded])).equals(TEXT)).toBe(true);
    expect((await decode(algorithm, byteByByte(encoded))).equals(TEXT)).toBe(true);
    for (let seed = 0; seed < 10; seed++)
      expect((await decode(algorithm, cutAtRandom(encoded, seed))).equals(TEXT)).toBe(true);
    expect((await decoder(algorithm).push(encoded, true)).equals(TEXT)).toBe(true);
  });

  test('Decoder takes a body without any byte for an empty one', async () => {
    expect(await decode(algorithm, [])).toHaveLength(0);
    expect(await decode(algorithm, [Buffer.alloc(0)])).toHaveLength(0);
    expect(await decode(algorithm, [ENCODE[algorithm](Buffer.alloc(0))])).toHaveLength(0);
  });

  test('Decoder refuses a body that was cut, at every place', async () => {
    const short = ENCODE[algorithm](TEXT.subarray(0, 100));
    for (let end = 1; end < short.length; end++) {
      await expect(decode(algorithm, [short.subarray(0, end)]), `cut at ${end}`).rejects.toEqual(malformed);
    }
    await expect(decode(algorithm, [encoded.subarray(0, -1)])).rejects.toEqual(malformed);
    await expect(decoder(algorithm).push(encoded.subarray(0, -1), true)).rejects.toEqual(malformed);
  });

  test.each(['\0', '\0\0\0\0', 'x', 'garbage behind it'])('Decoder refuses %j behind the end', async (garbage) => {
    const tail = Buffer.from(garbage);
    await expect(decode(algorithm, [Buffer.concat([encoded, tail])])).rejects.toEqual(malformed);
    await expect(decode(algorithm, [encoded, tail])).rejects.toEqual(malformed);
    await expect(decode(algorithm, byteByByte(Buffer.concat([encoded, tail])))).rejects.toEqual(malformed);
  });

  test('Decoder refuses what is something else, and stays refusing', async () => {
    const one = decoder(algorithm);
    await expect(one.push(Buffer.from('<!doctype html><html></html>'), false)).rejects.toEqual(malformed);
    await expect(one.push(encoded, true)).rejects.toEqual(malformed);
  });

  test('Decoder comes to an end with flipped bits, and notices them where the coding can', async () => {
    const random = new SeededRandom(3);
    for (let round = 0; round < 40; round++) {
      const bad = Buffer.from(encoded);
      const at = random.int(0, bad.length - 1);
      bad[at] = (bad[at] as number) ^ (1 << random.int(0, 7));
      const outcome = await decode(algorithm, cutAtRandom(bad, round)).catch((error: unknown) => error);
      // Of the three only gzip always has a checksum.
      if (algorithm === 'gzip' && Buffer.isBuffer(outcome)) expect(outcome.equals(TEXT)).toBe(true);
      else if (!Buffer.isBuffer(outcome)) expect(outcome).toEqual(malformed);
    }
  });

  test('Decoder stops a bomb before it is in memory', async () => {
    const bomb = ENCODE[algorithm](Buffer.alloc(100_000_000));
    const before = process.memoryUsage().arrayBuffers;
    await expect(decode(algorithm, [bomb])).rejects.toEqual(tooLarge);
    await expect(decode(algorithm, cutAtRandom(bomb, 1))).rejects.toEqual(tooLarge);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000);
  });

  test('Decoder lets small bodies have any ratio', async () => {
    expect(await decode(algorithm, [ENCODE[algorithm](Buffer.alloc(1_048_576))])).toHaveLength(1_048_576);
    await expect(decode(algorithm, [ENCODE[algorithm](Buffer.alloc(1_048_577))])).rejects.toEqual(tooLarge);
  });

  test('Decoder keeps to the limit on bytes exactly', async () => {
    const limits = { maxOutputBytes: TEXT.length, maxRatio: 100 };
    expect(await decode(algorithm, [encoded], limits)).toHaveLength(TEXT.length);
    await expect(decode(algorithm, [encoded], { ...limits, maxOutputBytes: TEXT.length - 1 })).rejects.toEqual(
      tooLarge,
    );
  });

  test('Decoder gives no piece out that is larger than 16 MiB', async () => {
    const bomb = ENCODE[algorithm](Buffer.alloc(20_000_000));
    await expect(decode(algorithm, [bomb], { ...ROOM, maxRatio: 1e9 })).rejects.toEqual(tooLarge);
  });

  test('Decoder ends a pending call when it is closed', async () => {
    const one = decoder(algorithm);
    const pending = one.push(encoded, false);
    one.close();
    await expect(pending).rejects.toEqual(malformed);
    await expect(one.push(encoded, false)).rejects.toEqual(malformed);
  });
});

test.each(['gzip', 'zstd'] as const)('Decoder of %s reads several members', async (algorithm) => {
  const two = Buffer.concat([ENCODE[algorithm](TEXT), ENCODE[algorithm](TEXT)]);
  const expected = Buffer.concat([TEXT, TEXT]);
  expect((await decode(algorithm, [two])).equals(expected)).toBe(true);
  expect((await decode(algorithm, cutAtRandom(two, 4))).equals(expected)).toBe(true);
  await expect(decode(algorithm, [two.subarray(0, -1)])).rejects.toEqual(malformed);
});

test('Decoder of zstd passes over skippable frames, and refuses windows above 8 MiB', async () => {
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
  const frame = ENCODE.zstd(TEXT);
  expect((await decode('zstd', [Buffer.concat([skippable, frame, skippable])])).equals(TEXT)).toBe(true);
  const header = zstdCompressSync(TEXT, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
  const withWindow = (log: number): Buffer => {
    const copy = Buffer.from(header);
    copy[5] = (log - 10) << 3; // Window_Descriptor, RFC 8878 section 3.1.1.1.2
    return copy;
  };
  expect((await decode('zstd', [withWindow(23)])).equals(TEXT)).toBe(true);
  await expect(decode('zstd', [withWindow(24)])).rejects.toEqual(malformed);
});
