import { once } from 'node:events';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { HeaderMap, type RequestHeader, ResponseHeader } from '@cirque/http';
import { afterEach, expect, test } from 'vitest';
import type { Http2Connection, Http2Handler, Http2Options, Http2Stream } from '../src/index.ts';
import { joinSocket } from './socket-glue.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const IGNORE: Http2Handler = {
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

interface Served {
  readonly client: http2.ClientHttp2Session;
  readonly connection: () => Http2Connection;
}

async function serve(handler: Partial<Http2Handler>, options: Partial<Http2Options> = {}): Promise<Served> {
  let connection: Http2Connection | undefined;
  const server = net.createServer((socket) => {
    connection = joinSocket(socket, { ...IGNORE, ...handler }, { role: 'server', ...options });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  closers.push(() => new Promise((done) => server.close(done)));
  closers.push(() => client.destroy());
  return { client, connection: () => connection as Http2Connection };
}

interface Answer {
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders | undefined;
  readonly body: Buffer;
}

async function answer(stream: http2.ClientHttp2Stream): Promise<Answer> {
  const body: Buffer[] = [];
  let headers: http2.IncomingHttpHeaders = {};
  let trailers: http2.IncomingHttpHeaders | undefined;
  stream.on('response', (found) => (headers = found));
  stream.on('trailers', (found) => (trailers = found));
  stream.on('data', (chunk: Buffer) => body.push(chunk));
  await once(stream, 'close');
  return { headers, trailers, body: Buffer.concat(body) };
}

test('a GET of node:http2 is answered', async () => {
  const seen: RequestHeader[] = [];
  const { client } = await serve({
    onRequest(stream, header, endStream) {
      seen.push(header);
      expect(endStream).toBe(true);
      stream.writeHead(new ResponseHeader(200, HeaderMap.from({ 'Content-Type': 'text/plain' })), false);
      stream.writeData(Buffer.from('hello'), 0, 5);
      stream.end();
    },
  });
  const result = await answer(
    client.request({ ':path': '/a?b', cookie: ['a=1', 'b=2'] as unknown as string, 'x-y': 'z' }),
  );
  expect(result.headers).toMatchObject({ ':status': 200, 'content-type': 'text/plain' });
  expect(result.body.toString()).toBe('hello');
  expect(seen[0]?.target).toBe('/a?b');
  expect(seen[0]?.getHeader('Cookie')).toBe('a=1; b=2');
  expect(seen[0]?.headers.serialize()).toMatch(/^host: 127\.0\.0\.1:\d+\r\n/);
});

test('a large upload is echoed with trailers through small windows', async () => {
  const body = Buffer.alloc(3_000_000, 'abcdefghij');
  const { client } = await serve({
    onRequest(stream) {
      stream.writeHead(new ResponseHeader(200), false);
    },
    onData(stream, buffer, start, end) {
      if (!stream.writeData(buffer, start, end)) stream.pause();
    },
    onWritable(stream) {
      stream.resume();
    },
    onEnd(stream, trailers) {
      stream.end(HeaderMap.from({ 'x-bytes': String(body.length), 'x-got': trailers?.get('x-sent') ?? 'none' }));
    },
  });
  const request = client.request({ ':method': 'POST' }, { waitForTrailers: true } as http2.ClientSessionRequestOptions);
  request.on('wantTrailers', () => request.sendTrailers({ 'x-sent': 'yes' }));
  request.end(body);
  const result = await answer(request);
  expect(result.body.equals(body)).toBe(true);
  expect(result.trailers).toMatchObject({ 'x-bytes': String(body.length), 'x-got': 'yes' });
});

test('many streams at once share the connection', async () => {
  const open = new Set<Http2Stream>();
  const { client, connection } = await serve({
    onRequest(stream, header) {
      open.add(stream);
      const bytes = Buffer.alloc(Number(header.target.slice(1)), 'x');
      stream.writeHead(new ResponseHeader(200), false);
      stream.writeData(bytes, 0, bytes.length);
      stream.end();
    },
    onStreamClosed(stream) {
      open.delete(stream);
    },
  });
  const sizes = Array.from({ length: 60 }, (_, i) => i * 5_000);
  const results = await Promise.all(sizes.map((size) => answer(client.request({ ':path': `/${size}` }))));
  expect(results.map(({ body }) => body.length)).toEqual(sizes);
  expect(open.size).toBe(0);
  expect(connection().openStreams).toBe(0);
});

test('1xx heads, a reset and GOAWAY reach the client', async () => {
  const { client, connection } = await serve({
    onRequest(stream, header) {
      stream.writeHead(new ResponseHeader(103, HeaderMap.from({ link: '</a.css>' })), false);
      if (header.target === '/reset') stream.reset(8);
      else stream.writeHead(new ResponseHeader(204), true);
    },
  });
  const first = client.request({ ':path': '/ok' });
  const [early] = (await once(first, 'headers')) as [http2.IncomingHttpHeaders];
  expect(early).toMatchObject({ ':status': 103, link: '</a.css>' });
  await once(first.resume(), 'close');
  const second = client.request({ ':path': '/reset' });
  await once(second, 'close');
  expect(second.rstCode).toBe(8);
  const goaway = once(client, 'goaway');
  connection().goaway(0);
  connection().flush();
  expect((await goaway)[1]).toBe(connection().lastProcessedStreamId);
});
