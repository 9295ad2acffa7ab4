/**
 * What HPACK costs per head: heads that were seen before, heads with something new, and strings.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { test } from 'vitest';

const require = createRequire(import.meta.url);
const { latin1 } = require('@cirque/http') as typeof import('@cirque/http');
const { HpackDecoder } = require('../src/hpack/decoder.ts') as typeof import('../src/hpack/decoder.ts');
const { HpackEncoder } = require('../src/hpack/encoder.ts') as typeof import('../src/hpack/encoder.ts');
const { decodeHuffman } = require('../src/hpack/huffman-decode.ts') as typeof import('../src/hpack/huffman-decode.ts');
const { encodeHuffman } = require('../src/hpack/huffman-encode.ts') as typeof import('../src/hpack/huffman-encode.ts');

const short = { time: 200, warmupTime: 50 };
const ROUNDS = 1_000;

const REQUEST: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'www.example.com'],
  [':path', '/articles/2026/11?page=2&sort=new'],
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'],
  ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
  ['accept-language', 'de,en-US;q=0.7,en;q=0.3'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['cookie', 'session=0123456789abcdef0123456789abcdef'],
  ['cookie', 'theme=dark-blue-and-white'],
  ['upgrade-insecure-requests', '1'],
];
const RESPONSE: readonly (readonly [string, string])[] = [
  [':status', '200'],
  ['server', 'origin'],
  ['date', 'Sat, 21 Nov 2026 08:49:37 GMT'],
  ['content-type', 'text/html; charset=utf-8'],
  ['content-length', '1024'],
  ['etag', '"6f1c2d3e4b5a6978"'],
  ['cache-control', 'public, max-age=60'],
];

const out = {
  buffer: Buffer.alloc(16_384),
  length: 0,
  reserve(): void {},
};
const sink = { field(): void {} };

function encode(encoder: InstanceType<typeof HpackEncoder>, fields: readonly (readonly [string, string])[]): void {
  out.length = 0;
  encoder.begin(out);
  for (const [name, value] of fields) encoder.field(name, value);
}

function encoded(encoder: InstanceType<typeof HpackEncoder>, fields: typeof REQUEST): Buffer {
  encode(encoder, fields);
  return Buffer.from(out.buffer.subarray(0, out.length));
}

/** A thousand calls per sample, so that the measuring itself does not count. */
function thousand(one: () => unknown): () => void {
  return () => {
    for (let i = 0; i < ROUNDS; i += 1) one();
  };
}

test('1,000 heads encoded', async ({ bench }) => {
  const [requests, responses] = [new HpackEncoder(), new HpackEncoder()];
  await bench.compare(
    bench(
      'request',
      thousand(() => encode(requests, REQUEST)),
    ),
    bench(
      'response',
      thousand(() => encode(responses, RESPONSE)),
    ),
    bench(
      'request, first of its connection',
      thousand(() => encode(new HpackEncoder(), REQUEST)),
    ),
    bench(
      'response, no table',
      thousand(() => encode(new HpackEncoder(0), RESPONSE)),
    ),
    short,
  );
});

test('1,000 heads decoded', async ({ bench }) => {
  const again = (fields: typeof REQUEST) => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const first = encoded(encoder, fields);
    decoder.decode(first, 0, first.length, sink);
    const block = encoded(encoder, fields);
    return thousand(() => decoder.decode(block, 0, block.length, sink));
  };
  const first = encoded(new HpackEncoder(), REQUEST);
  const indexed = Buffer.from([0x82, 0x86, 0x84, 0x88, 0x90, 0x82, 0x86, 0x84, 0x88, 0x90]);
  const decoder = new HpackDecoder();
  await bench.compare(
    bench('request', again(REQUEST)),
    bench('response', again(RESPONSE)),
    bench(
      'request, first of its connection',
      thousand(() => new HpackDecoder().decode(first, 0, first.length, sink)),
    ),
    bench(
      'ten indexed fields',
      thousand(() => decoder.decode(indexed, 0, indexed.length, sink)),
    ),
    short,
  );
});

test('1,000 strings', async ({ bench }) => {
  const text = '/articles/2026/11?page=2&sort=new';
  const code = Buffer.alloc(100);
  const length = encodeHuffman(text, code, 0);
  const plain = Buffer.from(text);
  await bench.compare(
    bench(
      'Huffman code written',
      thousand(() => encodeHuffman(text, out.buffer, 0)),
    ),
    bench(
      'written as it is',
      thousand(() => out.buffer.write(text, 0, 'latin1')),
    ),
    bench(
      'Huffman code read',
      thousand(() => decodeHuffman(code, 0, length)),
    ),
    bench(
      'read as it is',
      thousand(() => latin1(plain, 0, plain.length)),
    ),
    short,
  );
});
