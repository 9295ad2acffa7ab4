import { describe, expect, test } from 'vitest';
import { INCOMPLETE } from './field-scan.ts';
import { type Http1Limits, resolveHttp1Limits } from './limits.ts';
import { parseResponseHead, type ResponseHead, ResponseRules, responseHead } from './response-head.ts';

const RULES = new ResponseRules(resolveHttp1Limits());

/** Parses a head that stands between other bytes; the registers as they are then. */
function parse(text: string, method = 'GET', limits: Partial<Http1Limits> = {}): ResponseHead {
  const buffer = Buffer.from(`\r\n${text}HTTP/1.1 200 OK\r\n\r\n`, 'latin1');
  const rules = new ResponseRules(resolveHttp1Limits(limits));
  expect(parseResponseHead(buffer, 2, 2 + text.length, rules, method)).toBe(2 + text.length);
  return { ...responseHead };
}

const OK = 'HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n';

describe('parseResponseHead', () => {
  test('parseResponseHead fills the registers', () => {
    const { header, ...rest } = parse(OK);
    expect([header.status, header.reason, header.version]).toEqual([200, 'OK', '1.1']);
    expect(header.headers.serialize()).toBe('A: b\r\nContent-Length: 5\r\n');
    expect(rest).toEqual({
      framing: 5,
      keepAlive: true,
      keepAliveSeconds: undefined,
      connection: {
        close: false,
        keepAlive: false,
        upgrade: false,
        te: false,
        nominated: undefined,
        problem: undefined,
      },
    });
  });

  test('parseResponseHead needs every byte', () => {
    for (const text of [OK, 'HTTP/1.1 204\r\n\r\n', 'HTTP/1.1 204 \r\n\r\n']) {
      const buffer = Buffer.from(text);
      for (let end = 0; end < text.length; end += 1) {
        expect(parseResponseHead(buffer, 0, end, RULES, 'GET')).toBe(INCOMPLETE);
      }
      expect(parseResponseHead(buffer, 0, text.length, RULES, 'GET')).toBe(text.length);
    }
  });

  test.each([
    ['timeout=5', 5],
    ['timeout=5, max=100', 5],
    ['max=100,\ttimeout = 60', 60],
    ['TIMEOUT="15"', 15],
    ['max=100\r\nKeep-Alive: timeout=7', 7],
    ['timeout=0', 0],
    ['timeout=', undefined],
    ['timeout=x', undefined],
    ['xtimeout=5', undefined],
    ['timeouts=5', undefined],
    ['5', undefined],
    ['', undefined],
  ])('parseResponseHead reads Keep-Alive %j', (value, seconds) => {
    const text = `HTTP/1.1 200 OK\r\nKeep-Alive: ${value}\r\n\r\n`;
    expect(parse(text).keepAliveSeconds).toBe(seconds);
    expect(parse('HTTP/1.1 200 OK\r\n\r\n').keepAliveSeconds).toBeUndefined();
  });

  test('parseResponseHead reads a hostile Keep-Alive in time proportional to its length', () => {
    const start = performance.now();
    for (const odd of [
      ' ,'.repeat(30_000),
      `,${' '.repeat(60_000)}`,
      `timeout${' '.repeat(60_000)}`,
      `timeout=${'9'.repeat(60_000)}`,
    ]) {
      parse(`HTTP/1.1 200 OK\r\nKeep-Alive: ${odd}\r\n\r\n`);
    }
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('parseResponseHead keeps the reason it was sent, and makes none for the usual one', () => {
    expect(parse('HTTP/1.1 200 Okay\r\n\r\n').header.reason).toBe('Okay');
    const { header } = parse('HTTP/1.1 200 OK\r\n\r\n');
    header.status = 404;
    expect(header.reason).toBe('Not Found');
    expect(parse('HTTP/1.1 200\r\n\r\n').header.reason).toBe('');
  });

  test('parseResponseHead tells the map what it knows', () => {
    const { headers } = parse(
      'HTTP/1.1 200 OK\r\nKeep-Alive: x\r\nA :b\r\n  c\r\nContent-Length: 05\r\nTE:\r\n\r\n',
    ).header;
    expect(headers.contentLength).toBe(5);
    headers.stripHopByHop(undefined);
    expect(headers.serialize()).toBe('A:b c\r\nContent-Length: 5\r\n');
    expect(parse('HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n').header.headers.contentLength).toBe(-1);
    expect(parse('HTTP/1.1 200 X\r\nContent-Length: x\r\n\r\n', 'HEAD').header.headers.contentLength).toBe(-1);
    expect(parse('HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n', 'HEAD').header.headers.contentLength).toBe(5);
  });

  test.each([
    ['HTTP/1.1 200 X\r\n\r\n', false],
    ['HTTP/1.1 204 X\r\n\r\n', true],
    ['HTTP/1.0 204 X\r\n\r\n', false],
    ['HTTP/1.0 204 X\r\nConnection: keep-alive\r\n\r\n', true],
    ['HTTP/1.0 204 X\r\nConnection: keep-alive, close\r\n\r\n', false],
    ['HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n', true],
    ['HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n', false],
  ])('parseResponseHead: %j keeps the connection: %s', (text, keepAlive) => {
    expect(parse(text).keepAlive).toBe(keepAlive);
  });

  test('parseResponseHead limits what it is given directly, too', () => {
    expect(() => parse(OK, 'GET', { maxHeadBytes: OK.length - 1 })).toThrowError('head above');
    expect(parse(OK, 'GET', { maxHeadBytes: OK.length }).framing).toBe(5);
  });

  test('parseResponseHead blames the upstream and asks for no status: the proxy makes it 502', () => {
    for (const text of ['HTTP/2.0 200 OK\r\n\r\n', 'HTTP/1.1 999 X\r\n\r\n', 'HTTP/1.1 200 X\r\nA\0:\r\n\r\n']) {
      expect(() => parse(text)).toThrowError(
        expect.objectContaining({ type: 'InvalidHTTPHeader', source: 'Upstream', status: undefined }),
      );
    }
  });
});
