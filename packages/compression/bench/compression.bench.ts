/**
 * What a compressed response costs: codings at their default levels, at once and as a stream; decoding; decisions.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import type { HttpModule, RequestHeader, ResponseHeader } from '@cirque/http';
import { test } from 'vitest';

const load = createRequire(import.meta.url);
const { compression, decompression } = load('../src/index.ts') as typeof import('../src/index.ts');
const http = load('@cirque/http') as typeof import('@cirque/http');

const short = { time: 300, warmupTime: 100 };
const CODINGS = ['gzip', 'br', 'zstd'] as const;
const ROWS = Array.from({ length: 2_000 }, (_, i) => ({
  id: i,
  name: `user ${(i * 7_919) % 10_007}`,
  score: (i * 31) % 997,
}));
const JSON_TEXT = Buffer.from(JSON.stringify(ROWS));

function request(acceptEncoding: string): RequestHeader {
  return new http.RequestHeader('GET', '/', http.HeaderMap.from({ 'Accept-Encoding': acceptEncoding }));
}

function response(fields: Record<string, string>): ResponseHeader {
  return new http.ResponseHeader(200, http.HeaderMap.from({ 'Content-Type': 'application/json', ...fields }));
}

async function pass(module: HttpModule | undefined, head: ResponseHeader, body: Buffer): Promise<Buffer[]> {
  const out: Buffer[] = [];
  module?.responseHeaderFilter?.(head, false);
  for (let at = 0; at < body.length; at += 16_384) {
    out.push((await module?.responseBodyFilter?.(body.subarray(at, at + 16_384), false)) as Buffer);
  }
  out.push((await module?.responseBodyFilter?.(undefined, true)) as Buffer);
  module?.close?.();
  return out;
}

const compress = (coding: string, body: Buffer, length: number): Promise<Buffer[]> =>
  pass(compression().create(request(coding)), response(length < 0 ? {} : { 'Content-Length': String(length) }), body);

test.for([2_000, 8_000, 64_000])('a response of %i bytes', async (length, { bench }) => {
  const body = JSON_TEXT.subarray(0, length);
  const benches = CODINGS.flatMap((coding) => [
    bench(`${coding}, known length`, async () => void (await compress(coding, body, length))),
    bench(`${coding}, unknown length`, async () => void (await compress(coding, body, -1))),
  ]);
  await bench.compare(...benches, short);
});

test('a response of 64,000 bytes, decoded', async ({ bench }) => {
  const body = JSON_TEXT.subarray(0, 64_000);
  const benches = [];
  for (const coding of CODINGS) {
    const encoded = Buffer.concat(await compress(coding, body, -1));
    const decode = async () =>
      void (await pass(decompression().create(request('')), response({ 'Content-Encoding': coding }), encoded));
    benches.push(bench(`${coding}, ${encoded.length} bytes`, decode));
  }
  await bench.compare(...benches, short);
});

test('1,000 decisions that leave a response alone', async ({ bench }) => {
  const builder = compression();
  const asked = request('gzip, deflate, br, zstd');
  const thousand = (head: ResponseHeader) => () => {
    for (let i = 0; i < 1_000; i++) builder.create(asked)?.responseHeaderFilter?.(head, false);
  };
  await bench.compare(
    bench('an image', thousand(response({ 'Content-Type': 'image/png', 'Content-Length': '5000' }))),
    bench('small', thousand(response({ 'Content-Length': '500' }))),
    bench('encoded already', thousand(response({ 'Content-Encoding': 'br', 'Content-Length': '5000' }))),
    short,
  );
});
