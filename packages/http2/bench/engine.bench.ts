/**
 * What the engine costs per request, without sockets: frames in, frames out, both roles; and per MiB of body.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import type { HeaderMap as HeaderMapType } from '@cirque/http';
import { test } from 'vitest';
import type { Http2Connection as Connection, Http2Handler, Http2Sink, Http2Stream } from '../src/index.ts';

const require = createRequire(import.meta.url);
const { Http2Connection } = require('../src/index.ts') as typeof import('../src/index.ts');
const { HeaderMap, RequestHeader, ResponseHeader } = require('@cirque/http') as typeof import('@cirque/http');

const short = { time: 500, warmupTime: 200 };
const ROUNDS = 1_000;
const AT_ONCE = 10;

const REQUEST_FIELDS: Record<string, string> = {
  Host: 'www.example.com',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language': 'de,en-US;q=0.7,en;q=0.3',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  Cookie: 'session=0123456789abcdef0123456789abcdef; theme=dark',
};
const RESPONSE_FIELDS: Record<string, string> = {
  Server: 'origin',
  Date: 'Fri, 20 Nov 2026 12:00:00 GMT',
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Length': '1024',
  'Cache-Control': 'max-age=60',
  ETag: '"abc"',
};

const target = { scheme: 'https', authority: 'www.example.com' } as const;
const request = new RequestHeader('GET', '/articles/2026/11?page=2', HeaderMap.from(REQUEST_FIELDS));
const response = new ResponseHeader(200, HeaderMap.from(RESPONSE_FIELDS) as HeaderMapType);
const body = Buffer.alloc(1_024, 'x');

/** WINDOW_UPDATE of the connection by 10 KiB. */
const WINDOW_UPDATE = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 40, 0]);

const IDLE: Http2Handler = {
  onRequest() {},
  onResponse() {},
  onData() {},
  onEnd() {},
  onWritable() {},
  onReset() {},
  onStreamClosed() {},
  onRemoteSettings() {},
  onGoaway() {},
  onPingAck() {},
  onConnectionError(error) {
    throw error;
  },
};

/** A peer that reads everything at once. */
const READING: Http2Sink = {
  write(_bytes, done) {
    done?.();
    return true;
  },
};

/** A client and a server that hand each other their bytes. */
function pair(server: Partial<Http2Handler>, client: Partial<Http2Handler> = {}): { client: Connection; run(): void } {
  let toServer: Buffer[] = [];
  let toClient: Buffer[] = [];
  const settings = { initialWindowSize: 1_048_576 };
  const collect = (into: () => Buffer[]) => ({
    write(bytes: Buffer, done: (() => void) | undefined): boolean {
      into().push(done === undefined ? bytes : Buffer.from(bytes));
      done?.();
      return true;
    },
  });
  const near = new Http2Connection(
    collect(() => toServer),
    { ...IDLE, ...client },
    { role: 'client', settings },
  );
  const far = new Http2Connection(
    collect(() => toClient),
    { ...IDLE, ...server },
    { role: 'server', settings },
  );
  near.start();
  far.start();
  const run = (): void => {
    near.flush();
    while (toServer.length > 0 || toClient.length > 0) {
      const [up, down] = [toServer, toClient];
      toServer = [];
      toClient = [];
      for (const bytes of up) far.feed(bytes, 0, bytes.length);
      for (const bytes of down) near.feed(bytes, 0, bytes.length);
      far.flush();
      near.flush();
    }
  };
  run();
  return { client: near, run };
}

const answering: Partial<Http2Handler> = {
  onRequest(stream) {
    stream.writeHead(response, false);
    stream.writeData(body, 0, body.length);
    stream.end();
  },
};

/** The same frames again and again, with new stream numbers: what one side does without the other. */
function recorded(handler: Partial<Http2Handler>): { connection: Connection; block: Buffer } {
  const frames: Buffer[] = [];
  const connection = new Http2Connection(
    READING,
    { ...IDLE, ...handler },
    { role: 'server', limits: { maxControlFramesPerInterval: 1_000_000_000 } },
  );
  const writer = new Http2Connection(
    {
      write(bytes) {
        frames.push(Buffer.from(bytes));
        return true;
      },
    },
    IDLE,
    { role: 'client' },
  );
  writer.start();
  const start = Buffer.concat(frames);
  connection.start();
  connection.feed(start, 0, start.length);
  frames.length = 0;
  writer.openStream(request, target, true);
  writer.flush();
  const first = Buffer.concat(frames);
  connection.feed(first, 0, first.length);
  frames.length = 0;
  writer.openStream(request, target, true);
  writer.flush();
  return { connection, block: Buffer.concat(frames) };
}

test('1,000 requests of 1 KiB responses', async ({ bench }) => {
  const both = pair(answering);
  let reset: Http2Stream | undefined;
  const server = recorded({
    onRequest(stream) {
      stream.writeHead(response, false);
      stream.writeData(body, 0, body.length);
      stream.end();
      reset = stream;
    },
  });
  let id = 3;
  await bench.compare(
    bench('client and server', () => {
      for (let i = 0; i < ROUNDS; i += AT_ONCE) {
        for (let j = 0; j < AT_ONCE; j++) both.client.openStream(request, target, true);
        both.run();
      }
    }),
    bench('server alone', () => {
      const { block, connection } = server;
      for (let i = 0; i < ROUNDS; i += AT_ONCE) {
        for (let j = 0; j < AT_ONCE; j++, id += 2) {
          block.writeUInt32BE(id, 5);
          connection.feed(block, 0, block.length);
        }
        connection.feed(WINDOW_UPDATE, 0, WINDOW_UPDATE.length);
        connection.flush();
      }
      if (reset?.closed !== true) throw new Error('the requests were not answered');
    }),
    short,
  );
});

test('1,000 heads', async ({ bench }) => {
  const heads = recorded({ onRequest: (stream) => stream.reset(8) });
  const sending = new Http2Connection(READING, IDLE, { role: 'client' });
  sending.start();
  let id = 3;
  await bench.compare(
    bench('request heads received, streams reset', () => {
      const { block, connection } = heads;
      for (let i = 0; i < ROUNDS; i++, id += 2) {
        block.writeUInt32BE(id, 5);
        connection.feed(block, 0, block.length);
      }
      connection.flush();
    }),
    bench('request heads sent, streams reset', () => {
      for (let i = 0; i < ROUNDS; i++) sending.openStream(request, target, true).reset(8);
      sending.flush();
    }),
    short,
  );
});

test('uploads and downloads of 1 MiB', async ({ bench }) => {
  const piece = Buffer.alloc(65_536);
  const free = new ResponseHeader(200);
  const large = pair({
    onRequest(stream) {
      stream.writeHead(free, false);
      for (let i = 0; i < 16; i++) stream.writeData(piece, 0, piece.length);
      stream.end();
    },
  });
  const up = pair({ onEnd: (stream) => stream.writeHead(new ResponseHeader(204), true) });
  await bench.compare(
    bench('download', () => {
      large.client.openStream(request, target, true);
      large.run();
    }),
    bench('upload', () => {
      const stream = up.client.openStream(new RequestHeader('POST', '/'), target, false);
      for (let i = 0; i < 16; i++) stream.writeData(piece, 0, piece.length);
      stream.end();
      up.run();
    }),
    short,
  );
});
