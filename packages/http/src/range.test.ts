import { describe, expect, test } from 'vitest';
import { HeaderMap } from './header-map.ts';
import { applyRange, planRange, type RangeOptions, type RangePlan } from './range.ts';
import { RequestHeader } from './request-header.ts';
import { ResponseHeader } from './response-header.ts';

const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';
const VALIDATED = { ETag: '"v1"', 'Last-Modified': MODIFIED, Date: 'Sun, 06 Nov 1994 09:00:00 GMT' };

type Fields = Record<string, string | readonly string[]>;

function get(fields: Fields, method = 'GET'): RequestHeader {
  return new RequestHeader(method, '/', HeaderMap.from(fields));
}

function ok(fields: Fields, status = 200): ResponseHeader {
  return new ResponseHeader(status, HeaderMap.from({ 'Content-Length': '100', ...fields }));
}

function kindOf(request: Fields, response: Fields = {}, options: RangeOptions = {}): RangePlan['kind'] {
  return planRange(get(request), ok(response), options).kind;
}

describe('planRange', () => {
  test('planRange leaves alone what it cannot cut', () => {
    const request = get({ Range: 'bytes=0-9' });
    expect(planRange(request, ok({})).kind).toBe('single');
    for (const status of [201, 206, 304, 404, 416]) expect(planRange(request, ok({}, status)).kind).toBe('whole');
    expect(planRange(request, new ResponseHeader(200)).kind).toBe('whole');
    expect(planRange(request, ok({ 'Content-Length': '0' })).kind).toBe('whole');
    expect(planRange(request, ok({ 'Accept-Ranges': 'none' })).kind).toBe('whole');
    for (const method of ['HEAD', 'POST']) {
      expect(planRange(get({ Range: 'bytes=0-9' }, method), ok({})).kind).toBe('whole');
    }
    expect(kindOf({})).toBe('whole');
    expect(kindOf({ Range: ['bytes=0-1', 'bytes=0-1'] })).toBe('whole');
  });

  test.each([
    ['the strong tag', '"v1"', {}, 'single'],
    ['another tag', '"v2"', {}, 'whole'],
    ['a weak tag', 'W/"v1"', { ETag: 'W/"v1"' }, 'whole'],
    ['the same tag, weak in the response', '"v1"', { ETag: 'W/"v1"' }, 'whole'],
    ['a tag without quotes', 'v1', { ETag: 'v1' }, 'whole'],
    ['the date', MODIFIED, {}, 'single'],
    ['the same date in another form', 'Sunday, 06-Nov-94 08:49:37 GMT', {}, 'whole'],
    ['a later date', 'Sun, 06 Nov 1994 08:49:38 GMT', {}, 'whole'],
    ['the date of a change within the second', MODIFIED, { Date: MODIFIED }, 'whole'],
    ['the date, when the response has no Date', MODIFIED, { Date: [] }, 'single'],
    ['the date, when Date is none', MODIFIED, { Date: 'x' }, 'whole'],
    ['what is no date', 'x', { 'Last-Modified': 'x' }, 'whole'],
  ] as [string, string, Fields, string][])('planRange with If-Range naming %s', (_, validator, response, kind) => {
    expect(kindOf({ Range: 'bytes=0-9', 'If-Range': validator }, { ...VALIDATED, ...response })).toBe(kind);
  });

  test('planRange ignores ranges for two conditions at once', () => {
    expect(kindOf({ Range: 'bytes=0-9', 'If-Range': ['"v1"', '"v1"'] }, VALIDATED)).toBe('whole');
  });

  test('planRange knows the limit on ranges', () => {
    expect(kindOf({ Range: 'bytes=0-0,2-2' }, {}, { maxRanges: 2 })).toBe('multipart');
    expect(kindOf({ Range: 'bytes=0-0,2-2' }, {}, { maxRanges: 1 })).toBe('whole');
  });

  test('planRange cuts one range out of encoded bytes, but not several', () => {
    expect(kindOf({ Range: 'bytes=0-0' }, { 'Content-Encoding': 'gzip' })).toBe('single');
    expect(kindOf({ Range: 'bytes=0-0,2-2' }, { 'Content-Encoding': 'gzip' })).toBe('whole');
  });

  test('planRange makes another boundary each time, unless told', () => {
    const boundary = (options: RangeOptions): string => {
      const plan = planRange(get({ Range: 'bytes=0-0,2-2' }), ok({}), options);
      return plan.kind === 'multipart' ? plan.boundary : '';
    };
    expect(boundary({})).toMatch(/^[0-9a-f]{16}$/);
    expect(boundary({})).not.toBe(boundary({}));
    expect(boundary({ boundary: () => 'B' })).toBe('B');
  });
});

describe('applyRange', () => {
  const head = { ...VALIDATED, 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip', 'Accept-Ranges': 'bytes' };

  function applied(range: string): [number, Record<string, string | string[]>] {
    const response = ok({ ...head, 'Content-MD5': 'x', 'Content-Language': 'de' });
    applyRange(get({ Range: range }), response, { boundary: () => 'B' });
    const fields = response.headers.toJSON();
    for (const name of ['etag', 'last-modified', 'date']) {
      expect(fields[name]).toBeDefined();
      delete fields[name];
    }
    return [response.status, { ...fields }];
  }

  test('applyRange writes the head of one range', () => {
    expect(applied('bytes=10-19')).toEqual([
      206,
      {
        'content-length': '10',
        'content-range': 'bytes 10-19/100',
        'content-type': 'text/plain',
        'content-encoding': 'gzip',
        'content-language': 'de',
      },
    ]);
  });

  test('applyRange writes the head of several ranges', () => {
    const response = ok({ 'Content-Type': 'text/plain', 'Accept-Ranges': 'bytes', 'Content-Digest': 'x' });
    applyRange(get({ Range: 'bytes=0-9,90-' }), response, { boundary: () => 'B' });
    expect(response.status).toBe(206);
    expect({ ...response.headers.toJSON() }).toEqual({
      'content-length': '159',
      'content-type': 'multipart/byteranges; boundary=B',
    });
  });

  test('applyRange writes the head of a range that is not there', () => {
    expect(applied('bytes=100-')).toEqual([416, { 'content-length': '0', 'content-range': 'bytes */100' }]);
  });

  test('applyRange leaves the head of a whole response alone', () => {
    const response = ok(head);
    expect(applyRange(get({ Range: 'lines=1-2' }), response)).toEqual({ kind: 'whole' });
    expect(response.status).toBe(200);
    expect(response.headers.serialize()).toBe(ok(head).headers.serialize());
  });
});
