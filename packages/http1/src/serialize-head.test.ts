import { HeaderMap, RequestHeader, ResponseHeader } from '@cirque/http';
import { expect, test } from 'vitest';
import {
  CHUNKED_LINE,
  CLOSE_LINE,
  chunkSizeLine,
  KEEP_ALIVE_LINE,
  LAST_CHUNK,
  serializeRequestHead,
  serializeResponseHead,
} from './serialize-head.ts';

test('serializeRequestHead prints request line, fields, the lines of the caller and the empty line', () => {
  const header = new RequestHeader(
    'POST',
    '/a?b',
    HeaderMap.from([
      ['Host', 'a'],
      ['x-A', ''],
    ]),
    '1.0',
  );
  expect(serializeRequestHead(header, '')).toBe('POST /a?b HTTP/1.1\r\nHost: a\r\nx-A: \r\n\r\n');
  expect(serializeRequestHead(header, CHUNKED_LINE + CLOSE_LINE)).toBe(
    'POST /a?b HTTP/1.1\r\nHost: a\r\nx-A: \r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
  );
});

test('serializeResponseHead prints our version, the status and the reason', () => {
  const ok = new ResponseHeader(200, HeaderMap.from({ A: 'b' }), '1.0');
  expect(serializeResponseHead(ok, KEEP_ALIVE_LINE)).toBe('HTTP/1.1 200 OK\r\nA: b\r\nConnection: keep-alive\r\n\r\n');
  expect(serializeResponseHead(new ResponseHeader(404), '')).toBe('HTTP/1.1 404 Not Found\r\n\r\n');
  ok.reason = 'Fine';
  expect(serializeResponseHead(ok, '')).toBe('HTTP/1.1 200 Fine\r\nA: b\r\n\r\n');
  // The space after the status stays when there is no reason (RFC 9112 section 4).
  expect(serializeResponseHead(new ResponseHeader(599), '')).toBe('HTTP/1.1 599 \r\n\r\n');
});

test('chunkSizeLine and LAST_CHUNK make a body', () => {
  expect(`${chunkSizeLine(26)}${'x'.repeat(26)}\r\n${LAST_CHUNK}`).toBe(`1a\r\n${'x'.repeat(26)}\r\n0\r\n\r\n`);
  expect(chunkSizeLine(2 ** 40)).toBe('10000000000\r\n');
});
