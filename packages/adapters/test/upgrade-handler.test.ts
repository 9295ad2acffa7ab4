import type { IncomingMessage } from 'node:http';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, HttpProxy, type HttpProxyOptions } from '@cirque/proxy';
import { afterEach, describe, expect, test } from 'vitest';
import { toNodeHandler, toUpgradeHandler } from '../src/index.ts';
import { ask, closeAll, eventually, listen, onClose, rawSocket, started } from './node-peers.ts';

afterEach(closeAll);

const HELLO = 'GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** A server of node:http in front of an origin that is told of upgrades. */
async function site(upgrade: (request: IncomingMessage, socket: Socket) => void, options: HttpProxyOptions = {}) {
  const origin = await listen(
    (request, response) => void response.end(`plain ${request.url}`),
    (server) => server.on('upgrade', upgrade),
  );
  const phases = defineProxy({
    upstreamPeer: () => new HttpPeer(`127.0.0.1:${origin}`),
    upstreamRequestFilter: (_session, request) => request.insertHeader('X-Seen', 'yes'),
  });
  const proxy = new HttpProxy(phases, options);
  onClose(() => proxy.httpCleanup());
  const onUpgrade = toUpgradeHandler(proxy);
  const port = await listen(toNodeHandler(proxy), (server) => server.on('upgrade', onUpgrade).on('connect', onUpgrade));
  return { port, proxy, origin };
}

describe('toUpgradeHandler', () => {
  test('a tunnel passes bytes both ways; what was sent early comes after the acceptance', async () => {
    const { port, proxy } = await site((request, socket) => {
      expect(request.headers['x-seen']).toBe('yes');
      socket.write(SWITCH);
      socket.on('data', (chunk) => socket.write(`echo ${chunk}`));
      socket.on('end', () => socket.end('bye'));
    });
    const client = await rawSocket(port);
    client.write(`${HELLO}\r\nearly`);
    await client.until('echo early');
    expect(client.text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    client.write(' late');
    await client.until('echo  late');
    client.end();
    await client.until('bye');
    await eventually(() => client.readableEnded && proxy.stats().active === 0);
    expect((await ask(port, { path: '/beside' })).body).toBe('plain /beside');
  });

  test('a refusal is an ordinary response, and the connection closes', async () => {
    const { port } = await site((_request, socket) => {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
    });
    const client = await rawSocket(port);
    client.write(`${HELLO}\r\n`);
    await client.until('no');
    expect(client.text).toMatch(/^HTTP\/1\.1 403 /);
    await eventually(() => client.readableEnded);
  });

  test('an upstream that is not there is a 502', async () => {
    const proxy = new HttpProxy(defineProxy({ upstreamPeer: () => new HttpPeer('127.0.0.1:1') }));
    const upgrade = toUpgradeHandler(proxy);
    const port = await listen(undefined, (server) => server.on('upgrade', upgrade));
    const client = await rawSocket(port);
    client.write(`${HELLO}\r\n`);
    await client.until('502');
    await eventually(() => client.readableEnded);
  });

  test('what our parser refuses is refused, though node:http has let it pass', async () => {
    const { port, proxy } = await site((_request, socket) => socket.destroy());
    const client = await rawSocket(port);
    client.write(`${HELLO}Host: other\r\n\r\n`);
    await client.until('HTTP/1.1 400');
    expect(proxy.stats()).toMatchObject({ requests: 0, refused: 1 });
  });

  test('whoever vanishes takes the other side with him', async () => {
    const sockets: Socket[] = [];
    const { port, proxy } = await site((_request, socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write(SWITCH);
    });
    for (const clientLeaves of [true, false]) {
      const client = await rawSocket(port);
      client.on('error', () => {});
      client.write(`${HELLO}\r\n`);
      await client.until('101');
      const socket = sockets.pop() as Socket;
      (clientLeaves ? client : socket).resetAndDestroy();
      await eventually(() => client.destroyed && socket.destroyed);
      await eventually(() => proxy.stats().active === 0 && proxy.stats().upstream.active === 0);
    }
  });

  test('CONNECT is refused unless the proxy allows it', async () => {
    const echo = createServer((socket) => void socket.pipe(socket).on('error', () => {}));
    const target = await started(echo as never);
    const { port } = await site(() => {});
    const refused = await rawSocket(port);
    refused.write(`CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await refused.until('HTTP/1.1 405');
    const proxy = new HttpProxy(
      defineProxy({ upstreamPeer: (session) => new HttpPeer(session.requestHeader.target) }),
      { allowConnect: true },
    );
    const connecting = await listen(undefined, (server) => server.on('connect', toUpgradeHandler(proxy)));
    const client = connectSocket({ port: connecting, host: '127.0.0.1' });
    onClose(() => void client.destroy());
    let text = '';
    client.on('data', (chunk) => (text += chunk));
    client.write(`CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: 127.0.0.1:${target}\r\n\r\n`);
    await eventually(() => text.includes('200'));
    client.write('through');
    await eventually(() => text.endsWith('through'));
  });
});
