import { describe, expect, test } from 'vitest';
import { HeaderMap } from '../header-map.ts';
import { RequestHeader } from '../request-header.ts';
import { ResponseHeader } from '../response-header.ts';
import { byteRanges } from './byte-ranges.ts';

function run(request: RequestHeader, response: ResponseHeader): string {
  const module = byteRanges().create(request);
  module?.responseHeaderFilter?.(response, false);
  const body = Buffer.from('0123456789');
  return String(module?.responseBodyFilter?.(body, false) ?? body);
}

const ten = (): ResponseHeader => new ResponseHeader(200, HeaderMap.from({ 'Content-Length': '10' }));

describe('byteRanges', () => {
  test('byteRanges serves a range', () => {
    const response = ten();
    expect(run(new RequestHeader('GET', '/', HeaderMap.from({ Range: 'bytes=2-4' })), response)).toBe('234');
    expect(response.status).toBe(206);
    expect(response.headers.has('Accept-Ranges')).toBe(false);
  });

  test('byteRanges drops the body of a range that is not there', () => {
    const response = ten();
    expect(run(new RequestHeader('GET', '/', HeaderMap.from({ Range: 'bytes=10-' })), response)).toBe('');
    expect(response.status).toBe(416);
  });

  test.each(['GET', 'HEAD'])('byteRanges says to %s that there are ranges', (method) => {
    for (const fields of [{}, { Range: 'lines=1-' }]) {
      const response = ten();
      expect(run(new RequestHeader(method, '/', HeaderMap.from(fields)), response)).toBe('0123456789');
      expect(response.getHeader('Accept-Ranges')).toBe('bytes');
    }
  });

  test('byteRanges promises nothing it cannot keep', () => {
    const unknown = new ResponseHeader(200);
    const none = new ResponseHeader(200, HeaderMap.from({ 'Content-Length': '10', 'Accept-Ranges': 'none' }));
    const partial = new ResponseHeader(
      206,
      HeaderMap.from({ 'Content-Length': '10', 'Content-Range': 'bytes 0-9/20' }),
    );
    for (const response of [unknown, none, partial]) {
      const before = response.headers.serialize();
      run(new RequestHeader('GET', '/', HeaderMap.from({ Range: 'bytes=2-4' })), response);
      expect(response.headers.serialize()).toBe(before);
    }
    const posted = ten();
    run(new RequestHeader('POST', '/'), posted);
    expect(posted.headers.has('Accept-Ranges')).toBe(false);
  });

  test('byteRanges costs no body filter where no range is asked for', () => {
    expect(byteRanges().create(new RequestHeader('GET', '/'))?.responseBodyFilter).toBeUndefined();
  });

  test.each([0, -1, 1.5, Number.NaN])('byteRanges refuses maxRanges %s', (maxRanges) => {
    expect(() => byteRanges({ maxRanges })).toThrow(/maxRanges of byteRanges is .*: expected a positive integer/);
  });
});
