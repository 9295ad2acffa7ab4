import { once } from 'node:events';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { HeaderMap, latin1, RequestHeader, type ResponseHeader } from '@cirque/http';
import { afterEach, expect, test } from 'vitest';
import type { Http2Connection, Http2Options, Http2Stream } from '../src/index.ts';
import { joinSocket } from './socket-glue.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Answer {
  readonly heads: ResponseHeader[];
  body: string;
  trailers: HeaderMap | undefined;
  resetCode: number | undefined;
}

interface Client {
  readonly connection: Http2Connection;
  get(path: string, method?: string): Promise<Answer>;
  post(path: string, body: Buffer, trailers?: HeaderMap): Promise<Answer>;
  readonly goaway: Promise<number>;
}

interface Exchange {
  readonly answer: Answer;
  readonly done: (answer: Answer) => void;
  /** What of the request body is not written yet. */
  rest: Buffer;
  trailers: HeaderMap | undefined;
}

/** A client that keeps whole answers. */
async function connect(server: http2.Http2Server, options: Partial<Http2Options> = {}): Promise<Client> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => new Promise((done) => server.close(done)));
  const { port } = server.address() as AddressInfo;
  const socket = net.connect(port, '127.0.0.1');
  closers.push(() => void socket.destroy());
  const exchangeOf = (stream: Http2Stream): Exchange => stream.owner as Exchange;
  const ready = Promise.withResolvers<void>();
  const goaway = Promise.withResolvers<number>();
  const send = (stream: Http2Stream): void => {
    const exchange = exchangeOf(stream);
    while (exchange.rest.length > 0) {
      const piece = exchange.rest.subarray(0, 10_000);
      exchange.rest = exchange.rest.subarray(piece.length);
      if (!stream.writeData(piece, 0, piece.length)) return;
    }
    if (!stream.localClosed) stream.end(exchange.trailers);
  };
  const connection = joinSocket(
    socket,
    {
      onResponse: (stream, header) => void exchangeOf(stream).answer.heads.push(header),
      onData(stream, buffer, start, end) {
        exchangeOf(stream).answer.body += latin1(buffer, start, end);
      },
      onEnd(stream, trailers) {
        exchangeOf(stream).answer.trailers = trailers;
      },
      onWritable: send,
      onReset(stream, code) {
        exchangeOf(stream).answer.resetCode = code;
      },
      onStreamClosed: (stream) => exchangeOf(stream).done(exchangeOf(stream).answer),
      onRemoteSettings: () => ready.resolve(),
      onGoaway: (last) => goaway.resolve(last),
      onPingAck() {},
      onConnectionError: (error) => ready.reject(error),
    },
    { role: 'client', ...options },
  );
  await ready.promise;
  const target = { scheme: 'http', authority: `127.0.0.1:${port}` } as const;
  const open = (header: RequestHeader, rest: Buffer | undefined, trailers: HeaderMap | undefined): Promise<Answer> => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const stream = connection.openStream(header, target, rest === undefined);
    const answer = { heads: [], body: '', trailers: undefined, resetCode: undefined };
    stream.owner = { answer, done: resolve, rest: rest ?? Buffer.alloc(0), trailers } satisfies Exchange;
    if (rest !== undefined) send(stream);
    connection.flush();
    return promise;
  };
  return {
    connection,
    goaway: goaway.promise,
    get: (path, method = 'GET') => open(new RequestHeader(method, path), undefined, undefined),
    post: (path, body, trailers) => open(new RequestHeader('POST', path), body, trailers),
  };
}

test('node:http2 answers GET and HEAD', async () => {
  const server = http2.createServer((request, response) => {
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.end(`${request.method} ${request.url} ${request.authority}`);
  });
  const client = await connect(server);
  const answer = await client.get('/a?b');
  expect(answer.heads.map(({ status }) => status)).toEqual([200]);
  expect(answer.heads[0]?.headers.getAll('Set-Cookie')).toEqual(['a=1', 'b=2']);
  expect(answer.body).toMatch(/^GET \/a\?b 127\.0\.0\.1:\d+$/);
  const head = await client.get('/', 'HEAD');
  expect(head.body).toBe('');
  expect(client.connection.openStreams).toBe(0);
});

test('a large body goes up and comes back, with trailers both ways', async () => {
  const body = Buffer.alloc(2_500_000, '0123456789');
  const server = http2.createServer();
  server.on('stream', (stream: http2.ServerHttp2Stream) => {
    let sent: http2.IncomingHttpHeaders = {};
    stream.on('trailers', (trailers) => (sent = trailers));
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-got': String(sent['x-sent']) }));
    stream.pipe(stream);
  });
  const client = await connect(server, { settings: { initialWindowSize: 20_000 } });
  const answer = await client.post('/', body, HeaderMap.from({ 'X-Sent': 'yes' }));
  expect(answer.body === body.toString()).toBe(true);
  expect(answer.trailers?.get('x-got')).toBe('yes');
});

test('1xx heads, resets and GOAWAY are reported', async () => {
  const server = http2.createServer();
  server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    if (headers[':path'] === '/reset') stream.close(http2.constants.NGHTTP2_HTTP_1_1_REQUIRED);
    else {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 204 }, { endStream: true });
      if (headers[':path'] === '/last') stream.session?.goaway(0, 1);
    }
  });
  const client = await connect(server);
  const answer = await client.get('/ok');
  expect(answer.heads.map(({ status }) => status)).toEqual([103, 204]);
  expect((await client.get('/reset')).resetCode).toBe(13);
  await client.get('/last');
  expect(await client.goaway).toBe(1);
  expect(client.connection.canOpenStream).toBe(false);
  expect(() =>
    client.connection.openStream(new RequestHeader('GET', '/'), { scheme: 'http', authority: 'a' }, true),
  ).toThrow(/no further stream/);
});

test('more requests than the server allows at once are not opened', async () => {
  const server = http2.createServer({ settings: { maxConcurrentStreams: 2 } });
  const held: http2.ServerHttp2Stream[] = [];
  const both = Promise.withResolvers<void>();
  server.on('stream', (stream: http2.ServerHttp2Stream) => {
    if (held.push(stream) === 2) both.resolve();
  });
  const client = await connect(server);
  const answers = [client.get('/1'), client.get('/2')];
  expect(client.connection.canOpenStream).toBe(false);
  await both.promise;
  for (const stream of held) stream.respond({ ':status': 204 }, { endStream: true });
  await Promise.all(answers);
  expect(client.connection.canOpenStream).toBe(true);
});
