import { createHash } from 'node:crypto';
import { brotliDecompressSync, constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { byteByByte, cutAtRandom, SeededRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { ALGORITHMS, type Algorithm } from './algorithm.ts';
import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';

const DECODE: Readonly<Record<Algorithm, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gunzipSync(bytes),
  brotli: (bytes) => brotliDecompressSync(bytes),
  zstd: (bytes) => zstdDecompressSync(bytes, { params: { [constants.ZSTD_d_windowLogMax]: 23 } }),
};

const TEXT = Buffer.from(
  Array.from({ length: 4_000 }, (_, i) => `{"id":${i},"name":"user ${(i * 7919) % 1000}"}`).join('\n'),
);

async function encode(encoder: Encoder, pieces: Iterable<Uint8Array>, endAlone = true): Promise<Buffer> {
  const all = Array.from(pieces, (piece) => Buffer.from(piece));
  const out: Buffer[] = [];
  const last = endAlone ? undefined : all.pop();
  for (const piece of all) out.push(await encoder.push(piece, false));
  out.push(await encoder.push(last, true));
  return Buffer.concat(out);
}

describe.each(ALGORITHMS)('Encoder of %s', (algorithm) => {
  test.each([0, 1, 100, 8_191, 8_192, 8_193, TEXT.length])(
    'Encoder keeps every byte of a body of %i',
    async (length) => {
      const body = TEXT.subarray(0, length);
      for (const known of [length, -1]) {
        for (const endAlone of [true, false]) {
          const whole = await encode(new Encoder(algorithm, 3, known), length > 0 ? [body] : [], endAlone);
          expect(DECODE[algorithm](whole).equals(body)).toBe(true);
        }
        for (let seed = 1; seed <= 3; seed++) {
          const cut = await encode(new Encoder(algorithm, 3, known), cutAtRandom(body, seed));
          expect(DECODE[algorithm](cut).equals(body)).toBe(true);
        }
      }
    },
  );

  test('Encoder keeps every byte of tiny pieces and of noise', async () => {
    const noise = new SeededRandom(1).bytes(200_000);
    expect(DECODE[algorithm](await encode(new Encoder(algorithm, 3, -1), byteByByte(TEXT.subarray(0, 500))))).toEqual(
      TEXT.subarray(0, 500),
    );
    expect(DECODE[algorithm](await encode(new Encoder(algorithm, 3, -1), cutAtRandom(noise, 2))).equals(noise)).toBe(
      true,
    );
  });

  test('Encoder keeps every byte of a large body', async () => {
    const encoder = new Encoder(algorithm, 1, -1);
    const decoder = new Decoder(
      algorithm,
      { maxOutputBytes: 1e9, maxRatio: 1e9 },
      (_, context) => new Error(context) as never,
    );
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    const random = new SeededRandom(9);
    for (let left = 256; left > 0; left--) {
      // 16 MiB in all
      const piece = Buffer.concat([random.bytes(2_048), Buffer.alloc(61_440, left), random.bytes(2_048)]);
      sent.update(piece);
      received.update(await decoder.push(await encoder.push(piece, left === 1), left === 1));
    }
    expect(received.digest('hex')).toBe(sent.digest('hex'));
  });

  test('Encoder gives out all that was put in, piece by piece', async () => {
    const encoder = new Encoder(algorithm, 3, -1);
    const decoder = new Decoder(
      algorithm,
      { maxOutputBytes: 1e9, maxRatio: 1e9 },
      (_, context) => new Error(context) as never,
    );
    for (const piece of cutAtRandom(TEXT.subarray(0, 20_000), 5)) {
      const encoded = await encoder.push(piece, false);
      expect(await decoder.push(encoded, false)).toEqual(piece);
    }
    encoder.close();
    decoder.close();
  });

  test('Encoder compresses a body that outgrows its length all the same', async () => {
    const body = TEXT.subarray(0, 30_000);
    expect(DECODE[algorithm](await encode(new Encoder(algorithm, 3, 100), cutAtRandom(body, 1)))).toEqual(body);
  });

  test('Encoder compresses small bodies at once, others without stopping this thread', async () => {
    const small = new Encoder(algorithm, 3, 50);
    expect(small.push(TEXT.subarray(0, 50), false)).toHaveLength(0);
    expect(small.push(undefined, true)).toBeInstanceOf(Buffer);
    for (const [level, length] of [
      [3, 8_193],
      [7, 50],
      [3, -1],
    ] as const) {
      const encoder = new Encoder(algorithm, level, length);
      const answer = encoder.push(TEXT.subarray(0, 50), false);
      expect(answer).toBeInstanceOf(Promise);
      encoder.close();
      await expect(answer).rejects.toThrow(/closed in the middle of a body/);
    }
  });

  test('Encoder is of no use when it was closed', async () => {
    const encoder = new Encoder(algorithm, 3, -1);
    await encoder.push(TEXT, false);
    encoder.close();
    expect(() => encoder.push(TEXT, false)).toThrow(/CompressionError/);
  });
});
