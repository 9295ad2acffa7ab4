import { brotliCompressSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import { cutAtRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { accepting, modulesFor, passResponse } from '../test/chain.ts';
import type { DecompressionOptions } from './decompression-options.ts';
import { compression } from './response-compression.ts';
import { decompression, ResponseDecompression } from './response-decompression.ts';

const BODY = Buffer.from('the same line again and again\n'.repeat(100));
const CODED = { gzip: gzipSync(BODY), br: brotliCompressSync(BODY), zstd: zstdCompressSync(BODY) };

function coded(coding: string, fields: Record<string, string> = {}, status = 200): ResponseHeader {
  const basic = { 'Content-Type': 'text/html', 'Content-Encoding': coding, 'Content-Length': '99', ETag: '"v1"' };
  return new ResponseHeader(status, HeaderMap.from({ ...basic, ...fields }));
}

describe('ResponseDecompression', () => {
  test.each(Object.entries(CODED))(
    'ResponseDecompression decodes %s for a client that does not know it',
    async (coding, bytes) => {
      for (const accept of [undefined, '', 'deflate', `${coding};q=0, *`]) {
        const modules = modulesFor(accepting(accept), [decompression()]);
        const { response, body } = await passResponse(modules, coded(coding), cutAtRandom(bytes, 1));
        expect(body.equals(BODY)).toBe(true);
        expect({ ...response.headers.toJSON() }).toEqual({
          'content-type': 'text/html',
          etag: 'W/"v1"',
          vary: 'Accept-Encoding',
        });
      }
    },
  );

  test('ResponseDecompression leaves what the client accepts, and says that it depends', async () => {
    for (const accept of ['gzip', 'x-gzip;q=0.1', '*']) {
      const modules = modulesFor(accepting(accept), [decompression()]);
      const { response, body } = await passResponse(modules, coded('gzip'), [CODED.gzip]);
      expect(body.equals(CODED.gzip)).toBe(true);
      expect(response.getHeader('Content-Encoding')).toBe('gzip');
      expect(response.getHeader('ETag')).toBe('"v1"');
      expect(response.getHeader('Vary')).toBe('Accept-Encoding');
    }
  });

  test('ResponseDecompression decodes for everybody where it is told so, which varies by nothing', async () => {
    const modules = modulesFor(accepting('gzip'), [decompression({ when: 'always', preserveEtag: true })]);
    const { response, body } = await passResponse(modules, coded('gzip'), [CODED.gzip]);
    expect(body.equals(BODY)).toBe(true);
    expect({ ...response.headers.toJSON() }).toEqual({ 'content-type': 'text/html', etag: '"v1"' });
  });

  test.each([
    ['an unknown coding', coded('deflate')],
    ['several codings', coded('gzip, br')],
    ['a part', coded('gzip', {}, 206)],
    ['what says no-transform', coded('gzip', { 'Cache-Control': 'no-transform' })],
    ['a plain body', coded('identity')],
  ])('ResponseDecompression does not touch %s', async (_, response) => {
    const before = response.headers.serialize();
    const modules = modulesFor(accepting(''), [decompression()]);
    const { body } = await passResponse(modules, response, [CODED.gzip]);
    expect(response.headers.serialize()).toBe(before);
    expect(body.equals(CODED.gzip)).toBe(true);
  });

  test('ResponseDecompression can be switched off for one response', async () => {
    const module = decompression().create(accepting('')) as ResponseDecompression;
    module.setEnabled(false);
    expect((await passResponse([module], coded('gzip'), [CODED.gzip])).body.equals(CODED.gzip)).toBe(true);
  });

  test('ResponseDecompression gives HEAD the head that GET would get', async () => {
    const [get, head] = [coded('gzip'), coded('gzip')];
    await passResponse(modulesFor(accepting(''), [decompression()]), get, [CODED.gzip]);
    await passResponse(modulesFor(accepting('', 'HEAD'), [decompression()]), head);
    expect(head.headers.serialize()).toBe(get.headers.serialize());
  });

  test.each([
    ['unacceptable', 'W/"v1"', 'W/"v1"', 'Accept-Encoding'],
    ['unacceptable', '"v1"', '"v1"', 'Accept-Encoding'],
    ['always', '"v1"', 'W/"v1"', undefined],
  ] as const)('ResponseDecompression (%s) answers If-None-Match: %s with ETag %s', async (when, asked, etag, vary) => {
    const request = new RequestHeader('GET', '/', HeaderMap.from({ 'If-None-Match': asked }));
    const response = new ResponseHeader(304, HeaderMap.from({ ETag: '"v1"' }));
    await passResponse(modulesFor(request, [decompression({ when })]), response);
    expect(response.getHeader('ETag')).toBe(etag);
    expect(response.getHeader('Vary')).toBe(vary);
  });

  test('ResponseDecompression cuts a response that is broken or grows too much: the fault of the upstream', async () => {
    const cut = passResponse(modulesFor(accepting(''), [decompression()]), coded('gzip'), [CODED.gzip.subarray(0, -1)]);
    await expect(cut).rejects.toMatchObject({ type: 'CompressionError', source: 'Upstream' });
    const modules = modulesFor(accepting(''), [decompression({ maxOutputBytes: BODY.length - 1 })]);
    await expect(passResponse(modules, coded('br'), [CODED.br])).rejects.toThrow(/decodes to more than 2999 bytes/);
  });

  test('ResponseDecompression and compression in one chain change the coding', async () => {
    const modules = modulesFor(accepting('gzip'), [compression({ minBytes: 0 }), decompression()]);
    expect(modules[0]).toBeInstanceOf(ResponseDecompression);
    const { response, body } = await passResponse(modules, coded('br'), cutAtRandom(CODED.br, 2));
    expect(response.getHeader('Content-Encoding')).toBe('gzip');
    expect(response.getHeader('Vary')).toBe('Accept-Encoding');
    expect(gunzipSync(body).equals(BODY)).toBe(true);
  });

  test.each([
    [{ maxRatio: 0 }, /maxRatio of decompression is 0: expected an integer from 1/],
    [{ maxOutputBytes: Number.POSITIVE_INFINITY }, /maxOutputBytes of decompression is Infinity/],
    [{ when: 'never' }, /when of decompression is never: expected 'unacceptable' or 'always'/],
    [{ ratio: 5 }, /unknown option "ratio" of decompression: expected one of maxOutputBytes, maxRatio, order, when/],
  ] as [DecompressionOptions, RegExp][])('decompression refuses %j', (options, message) => {
    expect(() => decompression(options)).toThrow(message);
  });
});
