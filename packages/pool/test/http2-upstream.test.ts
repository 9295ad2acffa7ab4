/**
 * HTTP/2 upstreams over real sockets, against the servers of node:http2.
 */
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { CirqueError } from '@cirque/error';
import { HeaderMap, RequestHeader } from '@cirque/http';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type ClientSession,
  HttpConnector,
  type HttpConnectorOptions,
  HttpPeer,
  type PeerOptions,
} from '../src/index.ts';
import { closeAll, closeLater } from './closing.ts';
import { type ExchangeOptions, exchange } from './exchange.ts';
import { Recorder } from './open-session.ts';
import { CA } from './tls-origin.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start({ ignore: ['MessagePort'] });
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

interface Origin {
  readonly server: Http2Server | Http2SecureServer;
  readonly sessions: ServerHttp2Session[];
  peer(options?: PeerOptions): HttpPeer;
}

async function listen(server: Http2Server | Http2SecureServer, onStream: OnStream, tls: boolean): Promise<Origin> {
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session: ServerHttp2Session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    onStream(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  closeLater(async () => {
    for (const session of sessions) session.destroy();
    server.close();
    await once(server, 'close');
  });
  const how: PeerOptions = tls ? { tls: true, ca: CA.cert, alpn: 'h2h1' } : { alpn: 'h2' };
  return { server, sessions, peer: (options) => new HttpPeer(`127.0.0.1:${port}`, { ...how, ...options }) };
}

function startOrigin(onStream: OnStream = answer, options: ServerOptions = {}): Promise<Origin> {
  return listen(createServer(options), onStream, false);
}

/** Over TLS; answers HTTP/1.1 as well where that is allowed. */
function startSecureOrigin(onStream: OnStream = answer, options: SecureServerOptions = {}): Promise<Origin> {
  const server = createSecureServer({ ...identity, allowHTTP1: true, ...options });
  server.on('request', (request, response) => {
    if (request.httpVersion === '1.1') response.end('old');
  });
  return listen(server, onStream, true);
}

/** A TLS server that knows nothing of HTTP/2. */
async function startOldOrigin(server: TlsServer): Promise<Pick<Origin, 'peer'>> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  closeLater(async () => {
    server.close();
    await once(server, 'close');
  });
  const how: PeerOptions = { tls: true, ca: CA.cert, alpn: 'h2h1' };
  return { peer: (options) => new HttpPeer(`127.0.0.1:${port}`, { ...how, ...options }) };
}

const identity = CA.issue({ names: ['origin.example'], ips: ['127.0.0.1'] });

function httpsOrigin(): Promise<Pick<Origin, 'peer'>> {
  return startOldOrigin(createHttpsServer(identity, (_, response) => void response.end('old')));
}

function openConnector(options: HttpConnectorOptions = {}): HttpConnector {
  const connector = new HttpConnector(options);
  closeLater(() => connector.close());
  return connector;
}

function answer(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200 });
  stream.end('ok');
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('the condition was not met within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** As a proxy would: a request that certainly was not processed is sent again. */
async function insisting<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if ((error as CirqueError).retry !== true) throw error;
    }
  }
}

/** A session with a recorder. */
async function open(connector: HttpConnector, peer: HttpPeer): Promise<{ session: ClientSession; recorder: Recorder }> {
  const session = await connector.getSession(peer);
  const recorder = new Recorder();
  session.handler = recorder;
  return { session, recorder };
}

function head(method: string, fields: Record<string, string> = {}): RequestHeader {
  return new RequestHeader(method, '/path?query', HeaderMap.from({ Host: 'origin.example', ...fields }));
}

describe('HttpConnector and node:http2', () => {
  test('requests share one connection', async () => {
    const origin = await startOrigin();
    const connector = openConnector();
    for (let i = 0; i < 20; i += 1) {
      expect(await exchange(connector, origin.peer())).toEqual({ status: 200, body: 'ok', reused: i > 0 });
    }
    expect(origin.sessions).toHaveLength(1);
    expect(connector.stats).toMatchObject({ connects: 1, idle: 1, active: 0, reused: 19, misses: 1, h2Connections: 1 });
  });

  test('requests at the same time share it as well', async () => {
    const origin = await startOrigin();
    const connector = openConnector();
    const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(connector, origin.peer())));
    expect(answers.every(({ status, body }) => status === 200 && body === 'ok')).toBe(true);
    expect(origin.sessions).toHaveLength(1);
    expect(connector.stats).toMatchObject({ connects: 1, idle: 1, waiting: 0, h2Streams: 0 });
  });

  test('no request is refused by an upstream that allows few', async () => {
    let most = 0;
    let now = 0;
    const origin = await startOrigin(
      (stream) => {
        now += 1;
        most = Math.max(most, now);
        stream.on('close', () => {
          now -= 1;
        });
        setTimeout(() => answer(stream), 5);
      },
      { settings: { maxConcurrentStreams: 5 } },
    );
    const connector = openConnector();
    const peer = origin.peer({ maxConnections: 2 });
    const answers = await Promise.all(Array.from({ length: 60 }, () => exchange(connector, peer)));
    expect(answers).toHaveLength(60);
    expect(origin.sessions).toHaveLength(2);
    expect(most).toBeGreaterThan(5);
    expect(connector.stats).toMatchObject({ connects: 2, idle: 2, waiting: 0 });
  });

  test('the head: pseudo fields, Host, and what concerns connections', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const origin = await startOrigin((stream, headers) => {
      seen.push(headers);
      answer(stream);
    });
    const { session, recorder } = await open(openConnector(), origin.peer());
    const fields = {
      TE: 'trailers, deflate',
      Connection: 'keep-alive, X-Y',
      'Keep-Alive': '5',
      'X-Mixed-Case': 'Kept',
    };
    session.writeHead(head('GET', fields), 0);
    await until(() => recorder.lines.at(-1) === 'end');
    session.release();
    expect(Object.fromEntries(Object.entries(seen[0] ?? {}))).toEqual({
      ':method': 'GET',
      ':scheme': 'http',
      ':path': '/path?query',
      ':authority': 'origin.example',
      te: 'trailers',
      'x-mixed-case': 'Kept',
    });
  });

  test('large bodies both ways arrive unchanged, at the pace of the slower side', async () => {
    const size = 3_000_000;
    const body = Buffer.alloc(size, 'abcdefghij');
    const origin = await startOrigin((stream) => {
      stream.respond({ ':status': 200, 'content-length': size });
      stream.pipe(stream);
    });
    const { session, recorder } = await open(openConnector(), origin.peer());
    const pieces: Buffer[] = [];
    recorder.onResponseBody = (buffer, start, end) => {
      pieces.push(Buffer.from(buffer.subarray(start, end)));
      session.pause();
      setImmediate(() => session.resume());
    };
    session.writeHead(head('POST'), size);
    let at = 0;
    const write = (): void => {
      while (at < size) {
        const end = Math.min(size, at + 50_000);
        const more = session.writeBody(body, at, end);
        at = end;
        if (!more) return;
      }
      session.end();
    };
    recorder.onUpstreamDrain = write;
    write();
    await until(() => recorder.lines.at(-1) === 'end');
    session.release();
    expect(Buffer.concat(pieces).equals(body)).toBe(true);
    expect(session).toMatchObject({ bodyBytesSent: size, bodyBytesReceived: size });
  });

  test('a reader that stops holds its own response only', async () => {
    let sent = 0;
    const origin = await startOrigin((stream, headers) => {
      stream.respond({ ':status': 200 });
      if (headers['x-large'] === undefined) {
        stream.end('ok');
        return;
      }
      const piece = Buffer.alloc(16_384);
      const write = (): void => {
        while (stream.writable && sent < 50_000_000) {
          sent += piece.length;
          if (!stream.write(piece)) return;
        }
      };
      stream.on('drain', write);
      write();
    });
    const connector = openConnector();
    const { session } = await open(connector, origin.peer());
    session.writeHead(head('GET', { 'X-Large': 'yes' }), 0);
    session.pause();
    for (let i = 0; i < 50; i += 1) await exchange(connector, origin.peer());
    expect(sent).toBeLessThan(1_000_000);
    expect(origin.sessions).toHaveLength(1);
    session.abort();
  });

  test('trailers both ways', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const origin = await startOrigin((stream) => {
      stream.on('trailers', (trailers: IncomingHttpHeaders) => seen.push(trailers));
      stream.resume();
      stream.on('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end('ok');
      });
    });
    const { session, recorder } = await open(openConnector(), origin.peer());
    session.writeHead(head('POST'), undefined);
    session.writeBody(Buffer.from('abc'), 0, 3);
    session.end(HeaderMap.from({ 'X-Sum': '3' }));
    await until(() => recorder.lines.at(-1)?.startsWith('end') === true);
    session.release();
    expect(seen.map((one) => Object.entries(one))).toEqual([[['x-sum', '3']]]);
    expect(recorder.lines.at(-1)).toBe('end {"grpc-status":"0"}');
  });

  test('interim heads come first', async () => {
    const origin = await startOrigin((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</style.css>' });
      answer(stream);
    });
    const { session, recorder } = await open(openConnector(), origin.peer());
    session.writeHead(head('GET'), 0);
    await until(() => recorder.lines.at(-1) === 'end');
    session.release();
    expect(recorder.lines.slice(0, 2)).toEqual(['head 103 0', 'head 200 unknown']);
  });

  test('an abort reaches the upstream as a cancellation, and the connection stays', async () => {
    const codes: number[] = [];
    const origin = await startOrigin((stream) => void stream.on('close', () => codes.push(stream.rstCode)));
    const connector = openConnector();
    const { session } = await open(connector, origin.peer());
    session.writeHead(head('POST'), undefined);
    await until(() => connector.stats.h2Streams === 1 && origin.sessions.length === 1);
    session.abort();
    await until(() => codes.length === 1);
    expect(codes).toEqual([8]);
    expect(connector.stats).toMatchObject({ idle: 1, h2Streams: 0 });
  });

  test('session.close() of the upstream: what is under way ends, new requests go elsewhere', async () => {
    const waiting: ServerHttp2Stream[] = [];
    const origin = await startOrigin((stream, headers) => {
      if (headers['x-wait'] === undefined) answer(stream);
      else waiting.push(stream);
    });
    const connector = openConnector();
    const slow = exchange(connector, origin.peer(), { fields: { 'X-Wait': 'yes' } });
    await until(() => waiting.length === 1);
    origin.sessions[0]?.close();
    expect(await insisting(() => exchange(connector, origin.peer()))).toMatchObject({ status: 200 });
    answer(waiting[0] as ServerHttp2Stream);
    expect(await slow).toMatchObject({ status: 200, body: 'ok' });
    expect(origin.sessions).toHaveLength(2);
    await until(() => connector.stats.h2Connections === 1);
  });

  test('session.destroy() of the upstream fails what is under way, each with its own error', async () => {
    const waiting: ServerHttp2Stream[] = [];
    const origin = await startOrigin((stream) => void waiting.push(stream));
    const connector = openConnector();
    const attempts = Promise.allSettled(Array.from({ length: 3 }, () => exchange(connector, origin.peer())));
    await until(() => waiting.length === 3);
    origin.sessions[0]?.destroy();
    const errors = (await attempts).map((one) => (one as PromiseRejectedResult).reason as Error);
    expect(errors.map((error) => error.name)).toEqual(new Array(3).fill('CirqueError'));
    expect(new Set(errors).size).toBe(3);
    await until(() => connector.stats.h2Connections === 0);
  });
});

describe('HttpConnector: ALPN', () => {
  test('HTTP/2 when the upstream chooses it', async () => {
    const origin = await startSecureOrigin();
    const connector = openConnector();
    const { session, recorder } = await open(connector, origin.peer());
    session.writeHead(head('GET'), 0);
    await until(() => recorder.lines.at(-1) === 'end');
    session.release();
    expect(session.httpVersion).toBe('2');
    expect(session.digest.ssl).toMatchObject({ alpn: 'h2', authorized: true });
    expect(await exchange(connector, origin.peer())).toMatchObject({ body: 'ok', reused: true });
    expect(connector.stats).toMatchObject({ connects: 1, h2Connections: 1 });
  });

  test('many at the same time wait for the one connection', async () => {
    const origin = await startSecureOrigin();
    const connector = openConnector();
    const answers = await Promise.all(Array.from({ length: 30 }, () => exchange(connector, origin.peer())));
    expect(answers).toHaveLength(30);
    expect(connector.stats).toMatchObject({ connects: 1 });
  });

  test('HTTP/1.1 when it chooses that: nobody waits in vain, and connections are kept', async () => {
    const origin = await httpsOrigin();
    const connector = openConnector();
    const ask = (): Promise<unknown> => exchange(connector, origin.peer());
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([
      { status: 200, body: 'old', reused: false },
      { status: 200, body: 'old', reused: false },
      { status: 200, body: 'old', reused: false },
    ]);
    expect(connector.stats).toMatchObject({ connects: 3, idle: 3, h2Connections: 0 });
    expect(await ask()).toMatchObject({ body: 'old', reused: true });
  });

  test('also when it is not to be remembered', async () => {
    const origin = await httpsOrigin();
    const connector = openConnector();
    const peer = origin.peer({ h2DowngradeMs: 0 });
    for (const reused of [false, true, true]) expect(await exchange(connector, peer)).toMatchObject({ reused });
    expect(connector.stats).toMatchObject({ connects: 1, idle: 1 });
  });

  test('a peer that must speak HTTP/2 fails where the upstream does not choose it', async () => {
    const connector = openConnector();
    const unaware = await startOldOrigin(
      createTlsServer(identity, (socket) => void socket.on('error', () => undefined).resume()),
    );
    await expect(exchange(connector, unaware.peer({ alpn: 'h2' }))).rejects.toMatchObject({
      type: 'H2Error',
      source: 'Upstream',
    });
    const refusing = await httpsOrigin();
    await expect(exchange(connector, refusing.peer({ alpn: 'h2' }))).rejects.toMatchObject({
      type: 'TLSHandshakeFailure',
      source: 'Upstream',
    });
    expect(connector.stats).toMatchObject({ active: 0, h2Connections: 0 });
  });

  test('a request for a tunnel gets HTTP/1.1, others stay with HTTP/2', async () => {
    const origin = await startSecureOrigin();
    const connector = openConnector();
    expect(await exchange(connector, origin.peer())).toMatchObject({ body: 'ok' });
    const tunnel: ExchangeOptions = { http1Only: true };
    expect(await exchange(connector, origin.peer(), tunnel)).toMatchObject({ body: 'old', reused: false });
    expect(await exchange(connector, origin.peer())).toMatchObject({ body: 'ok', reused: true });
    expect(await exchange(connector, origin.peer(), tunnel)).toMatchObject({ body: 'old', reused: true });
  });

  test('HTTP_1_1_REQUIRED: the next attempt, and the next requests, use HTTP/1.1', async () => {
    const origin = await startSecureOrigin((stream) => stream.close(13));
    const connector = openConnector();
    await expect(exchange(connector, origin.peer())).rejects.toMatchObject({ type: 'H2Downgrade', retry: true });
    expect(await exchange(connector, origin.peer())).toMatchObject({ body: 'old' });
    expect(await exchange(connector, origin.peer())).toMatchObject({ body: 'old', reused: true });
  });

  test('but is not obeyed for ever, nor where it cannot be remembered', async () => {
    const origin = await startSecureOrigin((stream) => stream.close(13));
    const connector = openConnector();
    await expect(exchange(connector, origin.peer({ h2DowngradeMs: 0 }))).rejects.toMatchObject({ retry: false });
    const brief = origin.peer({ h2DowngradeMs: 60, groupKey: 'brief' });
    await expect(exchange(connector, brief)).rejects.toMatchObject({ retry: true });
    expect(await exchange(connector, brief)).toMatchObject({ body: 'old' });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await expect(exchange(connector, brief)).rejects.toMatchObject({ type: 'H2Downgrade' });
  });
});
