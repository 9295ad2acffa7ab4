import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { HeaderMap, type RequestHeader, ResponseHeader } from '@cirque/http';
import { cutAtRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { accepting, modulesFor, passResponse } from '../test/chain.ts';
import type { CompressionOptions } from './compression-options.ts';
import { compression, type ResponseCompression } from './response-compression.ts';

const BODY = Buffer.from('the same line again and again\n'.repeat(1_000));

type Fields = Record<string, string | string[]>;

function page(fields: Fields = {}, status = 200): ResponseHeader {
  const basic = { 'Content-Type': 'text/html', 'Content-Length': String(BODY.length), ETag: '"v1"' };
  return new ResponseHeader(status, HeaderMap.from({ ...basic, ...fields }));
}

/** The head after the module, and what became of the body. */
async function pass(request: RequestHeader, response = page(), options: CompressionOptions = {}) {
  const modules = modulesFor(request, [compression(options)]);
  const passed = await passResponse(modules, response, cutAtRandom(BODY, 1));
  return { fields: passed.response.headers.toJSON(), body: passed.body };
}

describe('ResponseCompression', () => {
  test.each([
    ['gzip', gunzipSync],
    ['br', brotliDecompressSync],
    ['zstd', zstdDecompressSync],
  ] as [string, (bytes: Buffer) => Buffer][])('ResponseCompression compresses with %s', async (coding, decode) => {
    const { fields, body } = await pass(accepting(coding), page({ 'Accept-Ranges': 'bytes', 'Content-MD5': 'x' }));
    expect(decode(body).equals(BODY)).toBe(true);
    expect(body.length).toBeLessThan(BODY.length / 10);
    expect({ ...fields }).toEqual({
      'content-type': 'text/html',
      'content-encoding': coding,
      etag: 'W/"v1"',
      vary: 'Accept-Encoding',
    });
  });

  test.each([undefined, '', 'deflate', 'gzip;q=0', 'identity', 'identity;q=0'])(
    'ResponseCompression leaves the body for Accept-Encoding: %s, and says that it depends',
    async (accept) => {
      const { fields, body } = await pass(accepting(accept));
      expect(body.equals(BODY)).toBe(true);
      expect({ ...fields }).toEqual({
        'content-type': 'text/html',
        'content-length': String(BODY.length),
        etag: '"v1"',
        vary: 'Accept-Encoding',
      });
    },
  );

  test.each([
    ['an image', { 'Content-Type': 'image/png' }, 200],
    ['content without a type', { 'Content-Type': [] }, 200],
    ['what says no-transform', { 'Cache-Control': 'public, no-transform' }, 200],
    ['what is encoded already', { 'Content-Encoding': 'gzip' }, 200],
    ['an unknown coding', { 'Content-Encoding': 'aws-chunked' }, 200],
    ['a part', { 'Content-Range': 'bytes 0-9/10' }, 206],
    ['what is too small', { 'Content-Length': '1023' }, 200],
    ['what has no body', {}, 204],
    ['another protocol', {}, 101],
  ] as [string, Fields, number][])('ResponseCompression does not touch %s', async (_, fields, status) => {
    const before = page(fields, status).headers.serialize();
    const response = page(fields, status);
    const { body } = await pass(accepting('gzip'), response);
    expect(response.headers.serialize()).toBe(before);
    expect(body.equals(BODY)).toBe(true);
  });

  test('ResponseCompression has no body filter for what it does not encode', () => {
    const module = compression().create(accepting('gzip')) as ResponseCompression;
    module.responseHeaderFilter(page({ 'Content-Type': 'image/png' }), false);
    expect(module.responseBodyFilter).toBeUndefined();
  });

  test('ResponseCompression compresses from minBytes on, and what is of unknown length', async () => {
    for (const fields of [{ 'Content-Length': '1024' }, { 'Content-Length': [] }] as Fields[]) {
      expect((await pass(accepting('gzip'), page(fields))).fields['content-encoding']).toBe('gzip');
    }
    const tiny = page({ 'Content-Length': '20' });
    expect((await pass(accepting('gzip'), tiny, { minBytes: 20 })).fields['content-encoding']).toBe('gzip');
  });

  test('ResponseCompression encodes for a client that refuses plain bodies, even what is not worth it', async () => {
    const image = page({ 'Content-Type': 'image/png' });
    const { fields, body } = await pass(accepting('gzip, identity;q=0'), image);
    expect(fields['content-encoding']).toBe('gzip');
    expect(fields.vary).toBe('Accept-Encoding');
    expect(gunzipSync(body).equals(BODY)).toBe(true);
    const unknown = await pass(accepting('deflate, *;q=0'), page({ 'Content-Type': 'image/png' }));
    expect(unknown.fields['content-encoding']).toBeUndefined();
    expect(unknown.fields.vary).toBeUndefined();
  });

  test('ResponseCompression replaces a Content-Encoding that says nothing', async () => {
    const { fields } = await pass(accepting('gzip'), page({ 'Content-Encoding': 'identity' }));
    expect(fields['content-encoding']).toBe('gzip');
  });

  test('ResponseCompression gives HEAD the head that GET would get', async () => {
    const [get, head] = [page(), page()];
    await pass(accepting('gzip'), get);
    await passResponse(modulesFor(accepting('gzip', 'HEAD'), [compression()]), head);
    expect(head.headers.serialize()).toBe(get.headers.serialize());
  });

  test('ResponseCompression leaves a GET without a body alone', async () => {
    const response = page({ 'Content-Length': [] });
    await passResponse(modulesFor(accepting('gzip'), [compression()]), response);
    expect(response.headers.has('Content-Encoding')).toBe(false);
  });

  test('ResponseCompression makes a 304 agree with what the client has', async () => {
    const request = accepting('gzip');
    request.insertHeader('If-None-Match', 'W/"v1"');
    const response = new ResponseHeader(304, HeaderMap.from({ ETag: '"v1"' }));
    await passResponse(modulesFor(request, [compression()]), response);
    expect({ ...response.headers.toJSON() }).toEqual({ etag: 'W/"v1"', vary: 'Accept-Encoding' });
  });

  test('ResponseCompression respects a request that says no-transform', async () => {
    const request = accepting('gzip');
    request.insertHeader('Cache-Control', 'no-transform');
    expect((await pass(request)).fields['content-encoding']).toBeUndefined();
  });

  test('ResponseCompression joins several lines of Accept-Encoding', async () => {
    const request = accepting('deflate');
    request.appendHeader('Accept-Encoding', 'br');
    expect((await pass(request)).fields['content-encoding']).toBe('br');
  });

  test('ResponseCompression heeds its options', async () => {
    const all = accepting('gzip, br, zstd');
    expect((await pass(all, page(), { prefer: ['gzip'] })).fields['content-encoding']).toBe('gzip');
    expect((await pass(all, page(), { zstd: 0 })).fields['content-encoding']).toBe('br');
    expect((await pass(all, page(), { zstd: 0, brotli: 0, gzip: 0 })).fields.vary).toBeUndefined();
    expect((await pass(all, page(), { preserveEtag: true })).fields.etag).toBe('"v1"');
    const onlyHtml = { compressible: (type: string) => type === 'text/html' };
    expect((await pass(all, page(), onlyHtml)).fields['content-encoding']).toBe('zstd');
    expect(
      (await pass(all, page({ 'Content-Type': 'text/css' }), onlyHtml)).fields['content-encoding'],
    ).toBeUndefined();
  });

  test('ResponseCompression changes its level for one response', async () => {
    const level = async (adjust: (module: ResponseCompression) => void): Promise<string | undefined> => {
      const request = accepting('gzip, zstd;q=0.5');
      const module = compression({ gzip: 1 }).create(request) as ResponseCompression;
      adjust(module);
      const { response, body } = await passResponse([module], page(), [BODY]);
      return response.getHeader('Content-Encoding') === undefined
        ? undefined
        : `${response.getHeader('Content-Encoding')} ${body.length}`;
    };
    const fast = await level(() => {});
    expect(fast).toMatch(/^gzip/);
    expect(await level((module) => module.setLevel(9))).not.toBe(fast);
    expect(await level((module) => module.setLevel(0, 'gzip'))).toMatch(/^zstd/);
    expect(await level((module) => module.setLevel(0))).toBeUndefined();
    expect(await level((module) => module.setLevel(1, 'gzip'))).toBe(fast);
  });

  test('ResponseCompression fails the response when it is closed in its middle', async () => {
    const module = compression().create(accepting('gzip')) as ResponseCompression;
    module.responseHeaderFilter(page(), false);
    const piece = module.responseBodyFilter?.(BODY, false);
    module.close();
    await expect(piece).rejects.toMatchObject({ type: 'CompressionError' });
  });

  test.each([
    [{ gzip: 10 }, 'level of gzip of compression is 10: expected an integer from 0 to 9'],
    [{ brotli: -1 }, 'level of brotli of compression is -1: expected an integer from 0 to 11'],
    [{ zstd: 20 }, 'level of zstd of compression is 20: expected an integer from 0 to 19'],
    [{ gzip: 1.5 }, 'level of gzip of compression is 1.5: expected an integer from 0 to 9'],
    [{ minBytes: -1 }, /minBytes of compression is -1: expected an integer from 0/],
    [{ order: Number.NaN }, /order of compression is NaN/],
    [{ prefer: ['br'] }, 'unknown algorithm br for compression: expected one of zstd, brotli, gzip'],
    [{ level: 3 }, /unknown option "level" of compression: expected one of gzip, brotli, zstd/],
  ] as [CompressionOptions, string | RegExp][])('compression refuses %j', (options, message) => {
    expect(() => compression(options)).toThrow(message);
  });

  test('ResponseCompression refuses a level that an algorithm does not have', () => {
    const module = compression().create(accepting('gzip')) as ResponseCompression;
    expect(() => module.setLevel(11)).toThrow(/level of gzip of compression is 11/);
    expect(() => module.setLevel(11, 'brotli')).not.toThrow();
    expect(() => module.setLevel(1, 'br' as 'brotli')).toThrow(/unknown algorithm br/);
  });
});
