/**
 * A proxied tunnel whose time is over, because the server stops: both ends get everything that was under way, and their end.
 */
import { createServer, type Socket } from 'node:net';
import { HttpConnectionApp } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { LeakCheck, RawClient } from '@cirque/testing';
import { acceptStreams, type Stream } from '@cirque/transport';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HttpProxy } from '../src/http-proxy.ts';
import { RawOrigin } from './raw-origin.ts';

const UPGRADE = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

let leaks: LeakCheck;
const cleanUps: (() => unknown)[] = [];

beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await leaks.assertClean();
});

interface Tunnel {
  readonly proxy: HttpProxy;
  readonly app: HttpConnectionApp;
  readonly streams: readonly Stream[];
  readonly upstream: Socket;
  readonly client: RawClient;
}

/** A tunnel through a proxy, through which the upstream has said something. */
async function tunnel(): Promise<Tunnel> {
  const origin = await RawOrigin.listen();
  cleanUps.push(() => origin.close());
  const peer = new HttpPeer(`127.0.0.1:${origin.port}`);
  const proxy = new HttpProxy({ newCtx: () => undefined, upstreamPeer: () => peer });
  const app = new HttpConnectionApp(proxy);
  const streams: Stream[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accept = (stream: Stream): void => {
    streams.push(stream);
    app.processNew(stream);
  };
  acceptStreams(server, {}, accept, () => {});
  cleanUps.push(() => server.close());
  const client = await RawClient.connect({ port: (server.address() as { port: number }).port });
  cleanUps.push(() => client.close());
  await client.send(UPGRADE);
  await vi.waitFor(() => expect(origin.sockets).toHaveLength(1));
  const upstream = origin.sockets[0] as Socket;
  upstream.write(`${SWITCHING}from the server`);
  await client.waitFor('from the server');
  return { proxy, app, streams, upstream, client };
}

/** The server stops, and tunnels have no time. */
function stop({ app, streams }: Tunnel): void {
  for (const stream of streams) app.shutdownConnection(stream);
  for (const stream of streams) app.shutdownTunnels(stream);
}

async function gone({ proxy, streams }: Tunnel): Promise<void> {
  await vi.waitFor(() => expect(streams.every((stream) => stream.destroyed)).toBe(true));
  expect(proxy.stats()).toMatchObject({ active: 0, upstream: { active: 0 } });
}

test('HttpProxy ends a tunnel whose time is over on both sides, and passes on last words', async () => {
  const parts = await tunnel();
  const { upstream, client } = parts;
  const closed = new Promise<boolean>((resolve) => upstream.once('close', resolve));
  upstream.once('end', () => upstream.end(' and good bye'));
  stop(parts);
  expect(await client.waitForClose()).toBe('end');
  expect(client.text).toMatch(/from the server and good bye$/);
  expect(await closed).toBe(false);
  client.end();
  await gone(parts);
  expect(parts.proxy.stats()).toMatchObject({ failures: 0 });
});

test('HttpProxy does not wait for an upstream that goes on through a tunnel whose time is over', async () => {
  const parts = await tunnel();
  const { upstream, client } = parts;
  const ended = new Promise<void>((resolve) => upstream.once('end', () => resolve()));
  stop(parts);
  await ended;
  expect(await client.waitForClose()).toBe('end');
  client.end();
  await gone(parts);
});
