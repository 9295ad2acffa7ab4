/**
 * Every limit at the limit and one beyond, whole and byte by byte, and what staying below it costs.
 */
import { byteByByte, cutAtRandom } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import {
  DEFAULT_HTTP1_LIMITS,
  type Http1Limits,
  type MessageSink,
  RequestDecoder,
  RequestRules,
  ResponseDecoder,
  ResponseRules,
} from '../src/index.ts';
import { requestTranscript, responseTranscript } from './transcript.ts';

const NEXT = 'GET /next HTTP/1.1\r\n';

/** Deliveries that must not make a difference: exactly the message, and with more behind it. */
function deliveries(message: string): Buffer[][] {
  return [message, message + NEXT].flatMap((text) => [
    [Buffer.from(text, 'latin1')],
    byteByByte(text),
    cutAtRandom(text, 1),
    cutAtRandom(text, 2),
  ]);
}

function errorsOfRequest(message: string, limits: Partial<Http1Limits>): Set<string | undefined> {
  return new Set(deliveries(message).map((chunks) => requestTranscript(chunks, { limits }).error));
}

function errorsOfResponse(message: string, limits: Partial<Http1Limits>): Set<string | undefined> {
  return new Set(deliveries(message).map((chunks) => responseTranscript(chunks, { limits }).error));
}

const NONE = new Set([undefined]);

function headOf(bytes: number): string {
  const rest = 'GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n';
  return rest.replace('X: ', `X: ${'x'.repeat(bytes - rest.length)}`);
}

describe('limits of requests', () => {
  test.each([200, 1_000, 5_000])('maxHeadBytes %d', (maxHeadBytes) => {
    const limits = { maxHeadBytes };
    expect(headOf(maxHeadBytes)).toHaveLength(maxHeadBytes);
    expect(errorsOfRequest(headOf(maxHeadBytes), limits)).toEqual(NONE);
    expect(errorsOfRequest(headOf(maxHeadBytes + 1), limits)).toEqual(new Set(['InvalidHTTPHeader 431']));
    expect(errorsOfRequest(headOf(maxHeadBytes * 3), limits)).toEqual(new Set(['InvalidHTTPHeader 431']));
  });

  test('the default of maxHeadBytes is 64 KiB', () => {
    expect(requestTranscript([Buffer.from(headOf(65_536))]).error).toBeUndefined();
    expect(requestTranscript([Buffer.from(headOf(65_537))]).error).toBe('InvalidHTTPHeader 431');
  });

  test('an empty line before the request counts', () => {
    const limits = { maxHeadBytes: 200 };
    expect(errorsOfRequest(`\r\n${headOf(198)}`, limits)).toEqual(NONE);
    expect(errorsOfRequest(`\r\n${headOf(199)}`, limits)).toEqual(new Set(['InvalidHTTPHeader 431']));
  });

  test('a mistake beyond the limit is not looked for, one before it is found first', () => {
    const limits = { maxHeadBytes: 100 };
    expect(errorsOfRequest(`${headOf(200).slice(0, 150)}\0`, limits)).toEqual(new Set(['InvalidHTTPHeader 431']));
    expect(errorsOfRequest(`${headOf(200).slice(0, 50)}\0${'x'.repeat(100)}`, limits)).toEqual(
      new Set(['InvalidHTTPHeader']),
    );
  });

  test('maxTargetBytes: 414', () => {
    const request = (bytes: number): string => `GET /${'x'.repeat(bytes - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`;
    expect(errorsOfRequest(request(50), { maxTargetBytes: 50 })).toEqual(NONE);
    expect(errorsOfRequest(request(51), { maxTargetBytes: 50 })).toEqual(new Set(['InvalidHTTPHeader 414']));
    expect(requestTranscript([Buffer.from(request(16_384))]).error).toBeUndefined();
    expect(requestTranscript([Buffer.from(request(16_385))]).error).toBe('InvalidHTTPHeader 414');
    // Without waiting for its end.
    expect(requestTranscript([Buffer.from(`GET /${'x'.repeat(16_384)}`)]).error).toBe('InvalidHTTPHeader 414');
  });

  test('a request line that fills the whole head is a target too long: 414', () => {
    const limits = { maxHeadBytes: 100, maxTargetBytes: 1_000 };
    expect(errorsOfRequest(`GET /${'x'.repeat(200)} HTTP/1.1\r\nHost: a\r\n\r\n`, limits)).toEqual(
      new Set(['InvalidHTTPHeader 414']),
    );
    expect(errorsOfRequest(`\r\nGET /${'x'.repeat(200)}`, limits)).toEqual(new Set(['InvalidHTTPHeader 414']));
    expect(errorsOfRequest('X'.repeat(101), limits)).toEqual(new Set(['InvalidHTTPHeader 414']));
  });

  test('maxFields: 431', () => {
    const request = (fields: number): string =>
      `GET / HTTP/1.1\r\nHost: a\r\n${Array.from({ length: fields - 1 }, (_, i) => `x${i}:\r\n`).join('')}\r\n`;
    expect(errorsOfRequest(request(5), { maxFields: 5 })).toEqual(NONE);
    expect(errorsOfRequest(request(6), { maxFields: 5 })).toEqual(new Set(['InvalidHTTPHeader 431']));
    expect(requestTranscript([Buffer.from(request(200))]).error).toBeUndefined();
    expect(requestTranscript([Buffer.from(request(201))]).error).toBe('InvalidHTTPHeader 431');
  });

  test('fields beyond maxFields cannot hide what frames the body (CVE-2026-58044)', () => {
    const fields = 'x:\r\n'.repeat(199);
    const request = `POST / HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: 30\r\n\r\n${NEXT}`;
    expect(requestTranscript([Buffer.from(request)])).toMatchObject({ error: 'InvalidHTTPHeader 431', events: [] });
  });

  const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

  test('maxChunkExtensionBytes: 413, all chunks together', () => {
    const limits = { maxChunkExtensionBytes: 20 };
    const one = (bytes: number): string => `${CHUNKED}1;${'x'.repeat(bytes - 1)}\r\na\r\n0\r\n\r\n`;
    expect(errorsOfRequest(one(20), limits)).toEqual(NONE);
    expect(errorsOfRequest(one(21), limits)).toEqual(new Set(['InvalidChunk 413']));
    const many = (last: string): string => `${CHUNKED}${'1;xxxx\r\na\r\n'.repeat(3)}0;${last}\r\n\r\n`;
    expect(errorsOfRequest(many('xxxx'), limits)).toEqual(NONE);
    expect(errorsOfRequest(many('xxxxx'), limits)).toEqual(new Set(['InvalidChunk 413']));
    // The semicolon counts, also when it is the one too many.
    const full = `${CHUNKED}1;${'x'.repeat(19)}\r\na\r\n0`;
    expect(errorsOfRequest(`${full}\r\n\r\n`, limits)).toEqual(NONE);
    expect(errorsOfRequest(`${full};\r\n\r\n`, limits)).toEqual(new Set(['InvalidChunk 413']));
  });

  test('maxChunkExtensionBytes starts anew with each message', () => {
    const message = `${CHUNKED}1;${'x'.repeat(19)}\r\na\r\n0\r\n\r\n`;
    const options = { limits: { maxChunkExtensionBytes: 20 }, pipelined: true };
    expect(requestTranscript([Buffer.from(message.repeat(3))], options)).toMatchObject({ error: undefined });
  });

  test('an extension that never ends is cut at the default of 16 KiB (CVE-2024-22019)', () => {
    const sent = (bytes: number): string => `${CHUNKED}1;${'x'.repeat(bytes - 1)}`;
    expect(requestTranscript([Buffer.from(sent(16_384))]).error).toBeUndefined();
    expect(requestTranscript([Buffer.from(sent(16_385))]).error).toBe('InvalidChunk 413');
  });

  test('maxTrailerBytes: 431, with its last line end', () => {
    const limits = { maxTrailerBytes: 30 };
    const request = (bytes: number): string => `${CHUNKED}0\r\nX: ${'x'.repeat(bytes - 7)}\r\n\r\n`;
    expect(errorsOfRequest(request(30), limits)).toEqual(NONE);
    expect(errorsOfRequest(request(31), limits)).toEqual(new Set(['InvalidChunk 431']));
    expect(errorsOfRequest(request(300), limits)).toEqual(new Set(['InvalidChunk 431']));
    expect(requestTranscript([Buffer.from(request(16_384))]).error).toBeUndefined();
    expect(requestTranscript([Buffer.from(request(16_385))]).error).toBe('InvalidChunk 431');
  });

  test('maxFields holds for trailers too', () => {
    const request = (fields: number): string => `${CHUNKED}0\r\n${'x:\r\n'.repeat(fields)}\r\n`;
    expect(errorsOfRequest(request(5), { maxFields: 5 })).toEqual(NONE);
    expect(errorsOfRequest(request(6), { maxFields: 5 })).toEqual(new Set(['InvalidHTTPHeader 431']));
  });

  test('chunk sizes of 13 digits are the largest, and exact', () => {
    const largest = `${CHUNKED}fffffffffffff\r\nabc`;
    const { events, error, state } = requestTranscript([Buffer.from(largest)]);
    expect([events[1], error, state]).toEqual(['body abc', undefined, 'chunked']);
    expect(requestTranscript([Buffer.from(`${CHUNKED}10000000000000`)]).error).toBe('InvalidChunk');
  });

  test('a Content-Length of 15 digits is the largest, and exact', () => {
    const request = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999\r\n\r\nabc`;
    const { events, state } = requestTranscript([Buffer.from(request)]);
    expect(events[0]).toContain('[999999999999999; keep]');
    expect([events[1], state]).toEqual(['body abc', 'length']);
  });
});

describe('limits of responses', () => {
  const refused = new Set(['InvalidHTTPHeader']);
  const badChunk = new Set(['InvalidChunk']);

  test('maxHeadBytes, whether lines are folded or not', () => {
    const response = (bytes: number, fold = ''): string =>
      `HTTP/1.1 204 X\r\nX: ${fold}${'x'.repeat(bytes - 23 - fold.length)}\r\n\r\n`;
    const limits = { maxHeadBytes: 200 };
    for (const fold of ['', 'a\r\n b', '\r\n '.repeat(40)]) {
      expect(errorsOfResponse(response(200, fold), limits)).toEqual(NONE);
      expect(errorsOfResponse(response(201, fold), limits)).toEqual(refused);
    }
  });

  test('maxFields counts fields, not folded lines', () => {
    const response = (fields: string): string => `HTTP/1.1 204 X\r\n${fields}\r\n`;
    expect(errorsOfResponse(response('x: y\r\n z\r\n'.repeat(5)), { maxFields: 5 })).toEqual(NONE);
    expect(errorsOfResponse(response('x: y\r\n'.repeat(6)), { maxFields: 5 })).toEqual(refused);
  });

  test('extensions and trailers', () => {
    const head = 'HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n';
    const limits = { maxChunkExtensionBytes: 5, maxTrailerBytes: 9 };
    expect(errorsOfResponse(`${head}0;xxxx\r\nX: yy\r\n\r\n`, limits)).toEqual(NONE);
    expect(errorsOfResponse(`${head}0;xxxxx\r\n\r\n`, limits)).toEqual(badChunk);
    expect(errorsOfResponse(`${head}0\r\nX: yyy\r\n\r\n`, limits)).toEqual(badChunk);
  });
});

const SINK: MessageSink = { onMessageHead() {}, onBodyBytes() {}, onMessageEnd() {} };

/** Counts what is given to the parser. */
class CountingRequests extends RequestDecoder {
  parses = 0;
  bytes = 0;
  protected override parseHead(buffer: Buffer, start: number, end: number): number {
    this.parses += 1;
    this.bytes += end - start;
    return super.parseHead(buffer, start, end);
  }
}
class CountingResponses extends ResponseDecoder {
  parses = 0;
  bytes = 0;
  protected override parseHead(buffer: Buffer, start: number, end: number): number {
    this.parses += 1;
    this.bytes += end - start;
    return super.parseHead(buffer, start, end);
  }
}

describe('a head of 64 KiB byte by byte', () => {
  const fields = Array.from({ length: 199 }, (_, i) => `X-${i}: ${'x'.repeat(315)}\r\n`).join('');
  const requests: [string, string][] = [
    ['one long field', headOf(65_536)],
    ['many fields', `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`],
  ];
  test.each(requests)('request with %s', (_, head) => {
    const decoder = new CountingRequests(SINK, new RequestRules(DEFAULT_HTTP1_LIMITS, {}));
    for (const byte of byteByByte(head)) decoder.feed(byte, 0, 1);
    expect(decoder.state).toBe('complete');
    expect(decoder.parses).toBeLessThan(50);
    expect(decoder.bytes).toBeLessThan(4 * head.length);
  });

  test.each([
    ['a line folded 20,000 times', `HTTP/1.1 204 X\r\nX: y\r\n${' \r\n'.repeat(20_000)}\r\n`],
    ['a line folded 20,000 times that never ends', `HTTP/1.1 204 X\r\nX: y\r\n${' \r\n'.repeat(20_000)}`],
  ])('response with %s', (_, head) => {
    const decoder = new CountingResponses(SINK, new ResponseRules(DEFAULT_HTTP1_LIMITS));
    for (const byte of byteByByte(head)) decoder.feed(byte, 0, 1);
    expect(decoder.parses).toBeLessThan(50);
    expect(decoder.bytes).toBeLessThan(4 * head.length);
  });

  test('1,000 slow heads of 329 bytes keep about what was sent', () => {
    const chunk = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nX: ');
    const decoders = Array.from(
      { length: 1_000 },
      () => new RequestDecoder(SINK, new RequestRules(DEFAULT_HTTP1_LIMITS, {})),
    );
    const byte = Buffer.from('x');
    const before = process.memoryUsage().arrayBuffers;
    for (const decoder of decoders) {
      decoder.feed(chunk, 0, chunk.length);
      for (let i = 0; i < 300; i += 1) decoder.feed(byte, 0, 1);
      expect(decoder.insideHead).toBe(true);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
  });
});
