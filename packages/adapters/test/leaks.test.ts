import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { HttpPeer, type Peer } from '@cirque/pool';
import { defineProxy, HttpProxy } from '@cirque/proxy';
import { LeakCheck, SeededRandom } from '@cirque/testing';
import { Agent } from 'undici';
import { expect, test } from 'vitest';
import { createProxyServer, toNodeHandler, toUpgradeHandler } from '../src/index.ts';
import { DispatcherPeer } from '../src/undici.ts';

type Front = (origin: number) => {
  request: RequestListener;
  upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  close(): void | Promise<void>;
};

const ofPeer =
  (peerOf: (origin: number) => { peer: Peer; end?: () => Promise<void> }): Front =>
  (origin) => {
    const { peer, end } = peerOf(origin);
    const proxy = new HttpProxy(defineProxy({ upstreamPeer: () => peer }));
    return {
      request: toNodeHandler(proxy),
      upgrade: toUpgradeHandler(proxy),
      async close() {
        proxy.httpCleanup();
        await end?.();
      },
    };
  };

const fronts: [string, Front][] = [
  ['toNodeHandler', ofPeer((origin) => ({ peer: new HttpPeer(`127.0.0.1:${origin}`) }))],
  [
    'DispatcherPeer',
    ofPeer((origin) => {
      const agent = new Agent();
      return { peer: new DispatcherPeer(`http://127.0.0.1:${origin}`, agent), end: () => agent.destroy() };
    }),
  ],
  [
    'createProxyServer',
    (origin) => {
      const proxy = createProxyServer({ target: `http://127.0.0.1:${origin}` });
      return {
        request: (request, response) => proxy.web(request, response),
        upgrade: (request, socket, head) => proxy.ws(request, socket, head),
        close: () => proxy.close(),
      };
    },
  ],
];

const REQUESTS = [
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhello',
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes',
];

test.each(fronts)('%s leaves nothing behind, whoever vanishes when', async (_, front) => {
  const check = LeakCheck.start();
  const random = new SeededRandom(7);
  const origin = createServer((request, response) => {
    if (request.method === 'POST' && random.next() < 0.5) {
      response.write('part');
      setTimeout(() => request.socket.resetAndDestroy(), 2);
    } else response.end('x'.repeat(1_000));
  });
  origin.on('upgrade', (_request, socket: Socket) => {
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi');
    if (random.next() < 0.3) setTimeout(() => socket.resetAndDestroy(), 3);
  });
  const portOf = async (server: typeof origin): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const { request, upgrade, close } = front(await portOf(origin));
  const server = createServer(request);
  server.on('upgrade', upgrade as never);
  const port = await portOf(server);
  const clients = Array.from({ length: 60 }, (_unused, index) => visit(port, index, random));
  await Promise.all(clients);
  await close();
  for (const one of [server, origin]) {
    one.closeAllConnections();
    await new Promise((resolve) => one.close(resolve));
  }
  await check.assertClean(3_000);
  expect(check.leaks()).toEqual([]);
});

/** A client that reads a while and leaves, in the one way or the other. */
function visit(port: number, index: number, random: SeededRandom): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('close', () => resolve());
    socket.write(REQUESTS[index % REQUESTS.length] as string);
    setTimeout(
      () => (random.next() < 0.5 ? socket.resetAndDestroy() : socket.destroy()),
      Math.floor(random.next() * 30),
    );
  });
}
