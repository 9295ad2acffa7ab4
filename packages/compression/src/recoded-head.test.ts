import { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import { describe, expect, test } from 'vitest';
import { forgetBytes, recodeNotModified, varyByEncoding, weakenEtag } from './recoded-head.ts';

const response = (fields: Record<string, string | string[]>): ResponseHeader =>
  new ResponseHeader(200, HeaderMap.from(fields));

test('forgetBytes removes what is true of certain bytes only', () => {
  const { headers } = response({
    'Content-Length': '5',
    'Accept-Ranges': 'bytes',
    'Content-MD5': 'x',
    'Content-Digest': 'x',
    'Repr-Digest': 'x',
    Digest: 'x',
    'Content-Type': 'text/html',
    'Last-Modified': 'x',
  });
  forgetBytes(headers);
  expect([...headers].map(([name]) => name)).toEqual(['Content-Type', 'Last-Modified']);
});

test.each([
  ['"a"', 'W/"a"'],
  ['W/"a"', 'W/"a"'],
  ['""', 'W/""'],
  ['a', undefined],
  ['"a', undefined],
])('weakenEtag makes %s %s', (etag, expected) => {
  const head = response({ ETag: etag });
  weakenEtag(head);
  expect(head.getHeader('ETag')).toBe(expected);
});

describe('varyByEncoding', () => {
  test.each([
    [[], ['Accept-Encoding']],
    [['Origin'], ['Origin, Accept-Encoding']],
    [['Origin', 'Accept'], ['Origin, Accept, Accept-Encoding']],
    [['accept-encoding'], ['accept-encoding']],
    [['Origin , ACCEPT-ENCODING'], ['Origin , ACCEPT-ENCODING']],
    [['*'], ['*']],
    [['X-Accept-Encoding'], ['X-Accept-Encoding, Accept-Encoding']],
  ])('varyByEncoding makes Vary: %j be %j', (before, after) => {
    const head = response({ Vary: before });
    varyByEncoding(head);
    expect(head.headers.getAll('Vary')).toEqual(after);
  });
});

describe('recodeNotModified', () => {
  test.each([
    ['W/"a"', '"a"', 'W/"a"'],
    ['"x", W/"a"', '"a"', 'W/"a"'],
    ['"a"', '"a"', '"a"'],
    ['"a", W/"a"', '"a"', '"a"'],
    ['*', '"a"', '"a"'],
    ['W/"a"', 'W/"a"', 'W/"a"'],
  ])('recodeNotModified for If-None-Match: %s makes ETag %s be %s', (asked, etag, expected) => {
    const head = response({ ETag: etag });
    const request = new RequestHeader('GET', '/', HeaderMap.from({ 'If-None-Match': asked }));
    recodeNotModified(request, head, false);
    expect(head.getHeader('ETag')).toBe(expected);
    expect(head.getHeader('Vary')).toBe('Accept-Encoding');
  });

  test('recodeNotModified leaves the tag where tags are preserved', () => {
    const head = response({ ETag: '"a"' });
    recodeNotModified(new RequestHeader('GET', '/', HeaderMap.from({ 'If-None-Match': 'W/"a"' })), head, true);
    expect(head.getHeader('ETag')).toBe('"a"');
  });
});
