/**
 * What the codec costs per message: heads, framing decision, chunks, printing.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';

const http1 = createRequire(import.meta.url)('../src/index.ts') as typeof import('../src/index.ts');
const {
  ChunkedDecoder,
  FieldFacts,
  parseRequestHead,
  parseResponseHead,
  RequestDecoder,
  RequestRules,
  ResponseRules,
  requestFraming,
  requestHead,
  resolveHttp1Limits,
  responseHead,
  scanFields,
  serializeRequestHead,
  serializeResponseHead,
} = http1;

const short = { time: 200, warmupTime: 50 };
const ROUNDS = 1_000;

const limits = resolveHttp1Limits();
const requestRules = new RequestRules(limits, {});
const responseRules = new ResponseRules(limits);

const SMALL = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
const BROWSER = Buffer.from(
  [
    'GET /articles/2026/11?page=2&sort=new HTTP/1.1',
    'Host: www.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: de,en-US;q=0.7,en;q=0.3',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Connection: keep-alive',
    'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
    'Upgrade-Insecure-Requests: 1',
    'X-Request-Id: 6f1c2d3e4b5a69788796a5b4c3d2e1f0',
    '',
    '',
  ].join('\r\n'),
);
const RESPONSE = Buffer.from(
  [
    'HTTP/1.1 200 OK',
    'Server: origin',
    'Date: Sat, 21 Nov 2026 08:49:37 GMT',
    'Content-Type: text/html; charset=utf-8',
    'Content-Length: 1024',
    'Connection: keep-alive',
    'ETag: "6f1c2d3e4b5a6978"',
    'Cache-Control: public, max-age=60',
    '',
    '',
  ].join('\r\n'),
);

function chunked(pieces: number, bytes: number): Buffer {
  const piece = `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`;
  return Buffer.from(`${piece.repeat(pieces)}0\r\n\r\n`);
}

/** A thousand calls per sample, so that the measuring itself does not count. */
function thousand(one: () => unknown): () => void {
  return () => {
    for (let i = 0; i < ROUNDS; i += 1) one();
  };
}

test('1,000 heads', async ({ bench }) => {
  await bench.compare(
    bench(
      'request of 26 bytes',
      thousand(() => parseRequestHead(SMALL, 0, SMALL.length, requestRules)),
    ),
    bench(
      `request of ${BROWSER.length} bytes`,
      thousand(() => parseRequestHead(BROWSER, 0, BROWSER.length, requestRules)),
    ),
    bench(
      `response of ${RESPONSE.length} bytes`,
      thousand(() => parseResponseHead(RESPONSE, 0, RESPONSE.length, responseRules, 'GET')),
    ),
    short,
  );
});

test('1,000 field sections and framing decisions', async ({ bench }) => {
  const facts = new FieldFacts();
  const start = BROWSER.indexOf('\n') + 1;
  await bench.compare(
    bench(
      'scanFields',
      thousand(() => scanFields(BROWSER, start, BROWSER.length, requestRules, facts)),
    ),
    bench(
      'requestFraming',
      thousand(() => requestFraming(facts, 1, requestRules.lenient)),
    ),
    short,
  );
});

test('1,000 printed heads', async ({ bench }) => {
  parseRequestHead(BROWSER, 0, BROWSER.length, requestRules);
  parseResponseHead(RESPONSE, 0, RESPONSE.length, responseRules, 'GET');
  const request = requestHead.header;
  const response = responseHead.header;
  await bench.compare(
    bench(
      'request',
      thousand(() => Buffer.byteLength(serializeRequestHead(request, ''), 'latin1')),
    ),
    bench(
      'response',
      thousand(() => Buffer.byteLength(serializeResponseHead(response, 'Connection: close\r\n'), 'latin1')),
    ),
    short,
  );
});

test('bodies of 64 KiB', async ({ bench }) => {
  const decoder = new ChunkedDecoder('Upstream', limits);
  const sink = { onBodyBytes(): void {} };
  const never = (): boolean => false;
  const decode = (body: Buffer) => (): void => {
    decoder.reset();
    decoder.decode(body, 0, body.length, sink, never);
  };
  await bench.compare(
    bench('one chunk', decode(chunked(1, 65_536))),
    bench('64 chunks of 1 KiB', decode(chunked(64, 1_024))),
    bench('4,096 chunks of 16 bytes', decode(chunked(4_096, 16))),
    short,
  );
});

test('a head of 64 KiB in pieces', async ({ bench }) => {
  const head = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(65_000)}\r\n\r\n`);
  const sink = { onMessageHead(): void {}, onBodyBytes(): void {}, onMessageEnd(): void {} };
  const feed = (bytes: number) => (): void => {
    const decoder = new RequestDecoder(sink, requestRules);
    for (let at = 0; at < head.length; at += bytes) decoder.feed(head, at, Math.min(head.length, at + bytes));
    if (decoder.state !== 'complete') throw new Error(decoder.state);
  };
  await bench.compare(bench('whole', feed(65_536)), bench('1,460 bytes', feed(1_460)), bench('1 byte', feed(1)), short);
});
