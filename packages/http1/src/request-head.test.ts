import { describe, expect, test } from 'vitest';
import { INCOMPLETE } from './field-scan.ts';
import { type Http1Leniency, type Http1Limits, resolveHttp1Limits } from './limits.ts';
import { parseRequestHead, type RequestHead, RequestRules, requestHead } from './request-head.ts';

function rules(limits: Partial<Http1Limits> = {}, lenient: Http1Leniency = {}): RequestRules {
  return new RequestRules(resolveHttp1Limits(limits), lenient);
}

const STRICT = rules();

/** Parses a head that stands between other bytes; the registers as they are then. */
function parse(text: string, by = STRICT): RequestHead {
  const buffer = Buffer.from(`\r\n${text}GET / HTTP/1.1\r\n\r\n`, 'latin1');
  expect(parseRequestHead(buffer, 2, 2 + text.length, by)).toBe(2 + text.length);
  return { ...requestHead };
}

const GET = 'GET /a?b HTTP/1.1\r\nHost: c\r\nX: y\r\n\r\n';

describe('parseRequestHead', () => {
  test('parseRequestHead fills the registers', () => {
    const { header, ...rest } = parse(GET);
    expect([header.method, header.target, header.version]).toEqual(['GET', '/a?b', '1.1']);
    expect(header.headers.serialize()).toBe('Host: c\r\nX: y\r\n');
    expect(rest).toEqual({
      framing: 0,
      keepAlive: true,
      minorVersion: 1,
      expectContinue: false,
      connection: {
        close: false,
        keepAlive: false,
        upgrade: false,
        te: false,
        nominated: undefined,
        problem: undefined,
      },
      target: undefined,
    });
  });

  test('parseRequestHead needs every byte', () => {
    const buffer = Buffer.from(GET);
    for (let end = 0; end < GET.length; end += 1) expect(parseRequestHead(buffer, 0, end, STRICT)).toBe(INCOMPLETE);
  });

  test('parseRequestHead leaves the head of the last request alone when a new one is made', () => {
    const first = parse('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close, x-a\r\n\r\n');
    const second = parse('OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    expect(first.header.method).toBe('POST');
    expect(first.header.headers.contentLength).toBe(5);
    expect([first.framing, first.keepAlive, first.connection.nominated]).toEqual([5, false, ['x-a']]);
    expect([second.framing, second.keepAlive, second.minorVersion, second.target?.form]).toEqual([
      0,
      true,
      0,
      'asterisk',
    ]);
    expect(second.connection.nominated).toBeUndefined();
    expect(parse(GET).target).toBeUndefined();
  });

  test('parseRequestHead tells the map what it knows', () => {
    const { headers } = parse('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 05\r\nTE: x\r\n\r\n').header;
    expect(headers.contentLength).toBe(5);
    expect(headers.get('content-length')).toBe('5');
    expect(headers.mayHoldHopByHop).toBe(true);
    headers.stripHopByHop(undefined);
    expect(headers.serialize()).toBe('Host: a\r\nContent-Length: 5\r\n');
    expect(parse(GET).header.headers.mayHoldHopByHop).toBe(false);
    expect(parse('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n').header.headers.contentLength).toBe(
      -1,
    );
  });

  test('parseRequestHead finds hop-by-hop lines where they are after folds were removed', () => {
    const { header } = parse(
      'GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n  2\r\nConnection:\r\n close\r\nY:\r\n\t3\r\nTE: x\r\n  y\r\n\r\n',
      rules({}, { obsFold: true }),
    );
    header.headers.stripHopByHop(undefined);
    expect(header.headers.serialize()).toBe('Host: a\r\nX: 1 2\r\nY: 3\r\n');
  });

  test('parseRequestHead limits what it is given directly, too', () => {
    const small = rules({ maxHeadBytes: GET.length - 1 });
    expect(() => parse(GET, small)).toThrowError(expect.objectContaining({ status: 431 }));
    expect(parse(GET, rules({ maxHeadBytes: GET.length })).header.target).toBe('/a?b');
  });

  test('parseRequestHead blames the client and shows the beginning of a long value only', () => {
    for (const text of [
      `GET / HTTP/1.1\r\nHost: ${'a b'.repeat(10_000)}\r\n\r\n`,
      `GET x${'y'.repeat(10_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: a\r\nExpect: ${'x'.repeat(30_000)}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${'x'.repeat(30_000)}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: a\r\nConnection: ${'x y'.repeat(10_000)}\r\n\r\n`,
    ]) {
      expect(() => parse(text)).toThrowError(
        expect.objectContaining({ type: 'InvalidHTTPHeader', source: 'Downstream' }),
      );
      expect(() => parse(text)).toThrowError(/^.{1,250}$/);
    }
  });

  test('parseRequestHead checks each Host, whatever Host came before', () => {
    parse('GET / HTTP/1.1\r\nHost: good\r\n\r\n');
    expect(() => parse('GET / HTTP/1.1\r\nHost: go od\r\n\r\n')).toThrowError('is not host[:port]');
    expect(() => parse('GET / HTTP/1.1\r\nHost: go od\r\n\r\n')).toThrowError('is not host[:port]');
    parse('GET / HTTP/1.1\r\nHost: good\r\n\r\n');
  });

  test('parseRequestHead remembers nothing of a head that it refused', () => {
    expect(() =>
      parse('GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\nConnection: close\r\nX Y:\r\n\r\n'),
    ).toThrowError();
    expect(parse(GET)).toMatchObject({ framing: 0, keepAlive: true });
  });
});
