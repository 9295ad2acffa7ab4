/**
 * HTTP/2 upstreams over real sockets, against the server of node:http2.
 */
import { once } from 'node:events';
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpConnector, type HttpConnectorOptions, HttpPeer, type PeerOptions } from '../src/index.ts';
import { closeAll, closeLater } from './closing.ts';
import { exchange } from './exchange.ts';

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
  readonly server: Http2Server;
  readonly sessions: { destroy(): void; destroyed: boolean }[];
  peer(options?: PeerOptions): HttpPeer;
}

async function startOrigin(onStream: OnStream, settings: { maxConcurrentStreams?: number } = {}): Promise<Origin> {
  const server = createServer({ settings });
  const sessions: Origin['sessions'] = [];
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    onStream(stream as ServerHttp2Stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  closeLater(async () => {
    for (const session of sessions) session.destroy();
    server.close();
    await once(server, 'close');
  });
  return { server, sessions, peer: (options) => new HttpPeer(`127.0.0.1:${port}`, { alpn: 'h2', ...options }) };
}

function openConnector(options: HttpConnectorOptions = {}): HttpConnector {
  const connector = new HttpConnector(options);
  closeLater(() => connector.close());
  return connector;
}

const answer: OnStream = (stream, headers) => {
  stream.respond({ ':status': 200, 'x-path': headers[':path'] });
  stream.end('ok');
};

test('HttpConnector: requests to an HTTP/2 upstream share one connection', async () => {
  const origin = await startOrigin(answer);
  const connector = openConnector();
  for (let i = 0; i < 20; i += 1) {
    expect(await exchange(connector, origin.peer())).toEqual({ status: 200, body: 'ok', reused: i > 0 });
  }
  expect(origin.sessions).toHaveLength(1);
  expect(connector.stats).toMatchObject({ opened: 1, idle: 1, active: 0, hits: 19, misses: 1, h2Connections: 1 });
});

test('HttpConnector: requests at the same time share it as well', async () => {
  const origin = await startOrigin(answer);
  const connector = openConnector();
  const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(connector, origin.peer())));
  expect(answers.every(({ status, body }) => status === 200 && body === 'ok')).toBe(true);
  expect(origin.sessions).toHaveLength(1);
  expect(connector.stats).toMatchObject({ opened: 1, idle: 1, waiting: 0, h2Streams: 0 });
});
