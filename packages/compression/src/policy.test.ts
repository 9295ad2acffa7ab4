import { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { codingsOf, decodableAs, isCompressible, isTransformable } from './policy.ts';

describe('isCompressible', () => {
  test.each([
    'text/html; charset=utf-8',
    'TEXT/CSS',
    'text/event-stream',
    'application/json',
    'application/problem+json',
    'application/javascript;x=gzip',
    'application/wasm',
    'application/octet-stream',
    'application/pdf',
    'binary/octet-stream',
    'font/ttf',
    'image/svg+xml',
    'image/x-icon',
    'image/vnd.microsoft.icon',
  ])('isCompressible says yes to %s', (type) => expect(isCompressible(type)).toBe(true));

  test.each([
    '',
    'html',
    'image/png',
    'image/jpeg',
    'video/mp4',
    'audio/mpeg',
    'application/zip',
    'application/gzip',
    'application/x-bzip2',
    'application/epub+zip',
    'application/zstd',
    'application/x-7z-compressed',
    'application/vnd.rar',
    'application/java-archive',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/grpc+proto',
    'application/grpc-web-text',
    'font/woff2',
    'application/font-woff',
    'multipart/x-mixed-replace',
  ])('isCompressible says no to %s', (type) => expect(isCompressible(type)).toBe(false));
});

describe('isTransformable', () => {
  const of = (status: number, fields: Record<string, string> = {}, method = 'GET', asked = {}, endOfStream = false) =>
    isTransformable(
      new RequestHeader(method, '/', HeaderMap.from(asked)),
      new ResponseHeader(status, HeaderMap.from(fields)),
      endOfStream,
    );

  test('isTransformable is about responses that have a whole body', () => {
    for (const status of [200, 201, 203, 301, 404, 500]) expect(of(status)).toBe(true);
    for (const status of [101, 103, 204, 205, 206, 304]) expect(of(status)).toBe(false);
    expect(of(200, {}, 'GET', {}, true)).toBe(false);
    expect(of(200, {}, 'HEAD', {}, true)).toBe(true);
    expect(of(200, { 'Content-Length': '0' })).toBe(false);
    expect(of(200, { 'Content-Length': '0' }, 'HEAD', {}, true)).toBe(false);
    expect(of(200, { 'Content-Range': 'bytes 0-1/2' })).toBe(false);
    expect(of(200, {}, 'CONNECT')).toBe(false);
  });

  test.each([
    ['no-transform', false],
    ['public, No-Transform', false],
    ['no-transform,max-age=1', false],
    ['no-transformation', true],
    ['x-no-transform', true],
    ['no-cache', true],
  ])('isTransformable with Cache-Control: %s', (value, expected) => {
    expect(of(200, { 'Cache-Control': value })).toBe(expected);
    expect(of(200, {}, 'GET', { 'Cache-Control': value })).toBe(expected);
  });
});

test.each([
  [undefined, [], undefined],
  ['gzip', ['gzip'], 'gzip'],
  ['X-GZIP', ['x-gzip'], 'gzip'],
  ['identity', [], undefined],
  ['identity, br', ['br'], 'brotli'],
  ['zstd', ['zstd'], 'zstd'],
  ['deflate', ['deflate'], undefined],
  ['gzip, gzip', ['gzip', 'gzip'], undefined],
  ['aws-chunked', ['aws-chunked'], undefined],
])('codingsOf and decodableAs read Content-Encoding: %s', (value, codings, algorithm) => {
  const fields = HeaderMap.from(value === undefined ? {} : { 'Content-Encoding': value });
  const response = new ResponseHeader(200, fields);
  expect(codingsOf(response)).toEqual(codings);
  expect(decodableAs(response)).toBe(algorithm);
});
