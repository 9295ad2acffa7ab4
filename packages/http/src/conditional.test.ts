import { describe, expect, test } from 'vitest';
import { isNotModified, toNotModified } from './conditional.ts';
import { HeaderMap } from './header-map.ts';
import { RequestHeader } from './request-header.ts';
import { ResponseHeader } from './response-header.ts';

const OLD = 'Sun, 06 Nov 1994 08:49:37 GMT';
const NEW = 'Sun, 06 Nov 1994 08:49:38 GMT';

type Fields = Record<string, string | readonly string[]>;

function outcome(request: Fields, response: Fields, method = 'GET', status = 200): boolean {
  return isNotModified(
    new RequestHeader(method, '/', HeaderMap.from(request)),
    new ResponseHeader(status, HeaderMap.from(response)),
  );
}

describe('isNotModified', () => {
  test.each([
    ['a tag of the list', { 'If-None-Match': '"a", "b"' }, { ETag: '"b"' }, true],
    ['a weak tag for a strong one', { 'If-None-Match': 'W/"b"' }, { ETag: '"b"' }, true],
    ['a tag in the second line', { 'If-None-Match': ['"a"', '"b"'] }, { ETag: '"b"' }, true],
    ['no tag of the list', { 'If-None-Match': '"a"' }, { ETag: '"b"' }, false],
    ['any tag', { 'If-None-Match': '*' }, {}, true],
    ['a tag where there is none', { 'If-None-Match': '"a"' }, {}, false],
    ['the date', { 'If-Modified-Since': OLD }, { 'Last-Modified': OLD }, true],
    ['a later date', { 'If-Modified-Since': NEW }, { 'Last-Modified': OLD }, true],
    ['an earlier date', { 'If-Modified-Since': OLD }, { 'Last-Modified': NEW }, false],
    [
      'a date in an old form',
      { 'If-Modified-Since': 'Sunday, 06-Nov-94 08:49:37 GMT' },
      { 'Last-Modified': OLD },
      true,
    ],
    ['no date', { 'If-Modified-Since': 'yesterday' }, { 'Last-Modified': 'yesterday' }, false],
    ['two dates', { 'If-Modified-Since': [OLD, OLD] }, { 'Last-Modified': OLD }, false],
    ['a date where there is none', { 'If-Modified-Since': OLD }, {}, false],
    ['nothing', {}, { ETag: '"a"', 'Last-Modified': OLD }, false],
  ] as [string, Fields, Fields, boolean][])('isNotModified with %s', (_, request, response, expected) => {
    expect(outcome(request, response)).toBe(expected);
    expect(outcome(request, response, 'HEAD')).toBe(expected);
  });

  test('isNotModified looks at the date only where there is no tag', () => {
    const request = { 'If-None-Match': '"a"', 'If-Modified-Since': OLD };
    expect(outcome(request, { ETag: '"b"', 'Last-Modified': OLD })).toBe(false);
    expect(outcome(request, { ETag: '"a"', 'Last-Modified': NEW })).toBe(true);
  });

  test('isNotModified is about successful GET and HEAD only', () => {
    const request = { 'If-None-Match': '"a"', 'If-Modified-Since': OLD };
    const response = { ETag: '"a"', 'Last-Modified': OLD };
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(outcome(request, response, method)).toBe(false);
    for (const status of [201, 206, 301, 304, 404, 500]) expect(outcome(request, response, 'GET', status)).toBe(false);
  });
});

test('toNotModified keeps what a 304 has to say, and removes what describes a body', () => {
  const kept = {
    'cache-control': 'max-age=60',
    'content-location': '/a',
    date: NEW,
    etag: '"a"',
    expires: NEW,
    vary: 'Accept',
    'set-cookie': ['a=1', 'b=2'],
  };
  const gone = {
    'Content-Type': 'text/html',
    'Content-Length': '5',
    'Content-Encoding': 'gzip',
    'Content-Language': 'de',
    'Content-MD5': 'x',
    'Transfer-Encoding': 'chunked',
    'Accept-Ranges': 'bytes',
  };
  const response = new ResponseHeader(200, HeaderMap.from({ ...gone, ...kept }));
  toNotModified(response);
  expect(response.status).toBe(304);
  expect(response.reason).toBe('Not Modified');
  expect(response.headers.toJSON()).toEqual(kept);
});
