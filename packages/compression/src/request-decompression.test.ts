import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { HeaderMap, RequestHeader } from '@cirque/http';
import { cutAtRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { type RequestDecompression, requestDecompression } from './request-decompression.ts';

const BODY = Buffer.from('{"a":1}'.repeat(200));

function post(coding: string | undefined): RequestHeader {
  const request = new RequestHeader('POST', '/', HeaderMap.from({ 'Content-Length': '99', 'Content-Digest': 'x' }));
  if (coding !== undefined) request.insertHeader('Content-Encoding', coding);
  return request;
}

async function pass(module: RequestDecompression, pieces: Iterable<Uint8Array>): Promise<Buffer> {
  const out: Buffer[] = [];
  for (const piece of pieces) out.push(await module.requestBodyFilter(Buffer.from(piece), false));
  out.push(await module.requestBodyFilter(undefined, true));
  module.close();
  return Buffer.concat(out);
}

describe('RequestDecompression', () => {
  test.each([
    ['gzip', gzipSync(BODY)],
    ['br', brotliCompressSync(BODY)],
    ['zstd', zstdCompressSync(BODY)],
  ])('RequestDecompression decodes %s', async (coding, bytes) => {
    const request = post(coding);
    const module = requestDecompression().create(request) as RequestDecompression;
    module.requestHeaderFilter(request);
    expect(request.headers.size).toBe(0);
    expect((await pass(module, cutAtRandom(bytes, 1))).equals(BODY)).toBe(true);
  });

  test.each([undefined, 'identity', 'deflate', 'gzip, gzip'])('requestDecompression has no module for %s', (coding) => {
    expect(requestDecompression().create(post(coding))).toBeUndefined();
  });

  test('RequestDecompression answers a broken body with 400, one that grows too much with 413', async () => {
    const module = (): RequestDecompression =>
      requestDecompression({ maxOutputBytes: 100 }).create(post('gzip')) as RequestDecompression;
    await expect(pass(module(), [Buffer.from('not gzip')])).rejects.toMatchObject({
      status: 400,
      source: 'Downstream',
    });
    await expect(pass(module(), [gzipSync(BODY)])).rejects.toMatchObject({ status: 413, source: 'Downstream' });
    await expect(pass(module(), [gzipSync('small')])).resolves.toEqual(Buffer.from('small'));
  });

  test('requestDecompression refuses options that it does not have', () => {
    expect(() => requestDecompression({ when: 'always' } as object)).toThrow(
      /unknown option "when" of requestDecompression/,
    );
  });
});
