import { byteByByte, cutAtRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import { HeaderMap } from './header-map.ts';
import { applyRange } from './range.ts';
import { RangeCutter } from './range-cutter.ts';
import { RequestHeader } from './request-header.ts';
import { ResponseHeader } from './response-header.ts';

const BODY = Buffer.from('abcdefghijklmnopqrstuvwxyz');

/** What a client gets for a range, and the Content-Length that it was promised. */
function answer(range: string, pieces: Iterable<Uint8Array>, contentType = 'text/plain'): [string, number] {
  const fields = { 'Content-Length': String(BODY.length), 'Content-Type': contentType };
  const response = new ResponseHeader(200, HeaderMap.from(fields));
  const request = new RequestHeader('GET', '/', HeaderMap.from({ Range: range }));
  const cutter = new RangeCutter(applyRange(request, response, { boundary: () => 'B' }));
  const out = Array.from(pieces, (piece) => cutter.cut(Buffer.from(piece)));
  return [String(Buffer.concat(out)), response.headers.contentLength];
}

const PARTS = [
  '--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-0/26\r\n\r\na\r\n',
  '--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 3-5/26\r\n\r\ndef\r\n',
  '--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 6-7/26\r\n\r\ngh\r\n',
  '--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 24-25/26\r\n\r\nyz\r\n--B--\r\n',
];

describe('RangeCutter', () => {
  test.each([
    ['bytes=0-3', 'abcd'],
    ['bytes=25-', 'z'],
    ['bytes=-2', 'yz'],
    ['bytes=0-', String(BODY)],
    ['bytes=7-7', 'h'],
    ['bytes=26-', ''],
    ['bytes=0-0,3-5,6-7,-2', PARTS.join('')],
  ])('RangeCutter cuts %s out of a body however that comes', (range, expected) => {
    const promised = answer(range, [BODY])[1];
    expect(promised).toBe(expected.length);
    expect(answer(range, [BODY])[0]).toBe(expected);
    expect(answer(range, byteByByte(BODY))[0]).toBe(expected);
    for (let seed = 0; seed < 30; seed++) expect(answer(range, cutAtRandom(BODY, seed))[0]).toBe(expected);
  });

  test('RangeCutter ends the last part as soon as it is there', () => {
    const response = new ResponseHeader(200, HeaderMap.from({ 'Content-Length': '26' }));
    const request = new RequestHeader('GET', '/', HeaderMap.from({ Range: 'bytes=0-0,2-2' }));
    const cutter = new RangeCutter(applyRange(request, response, { boundary: () => 'B' }));
    expect(String(cutter.cut(BODY.subarray(0, 3)))).toMatch(/--B--\r\n$/);
    expect(cutter.cut(BODY.subarray(3))).toHaveLength(0);
  });
});
