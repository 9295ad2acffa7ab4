import { createServer, type Server, type Socket } from 'node:net';
import { LeakCheck, TestOrigin } from '@cirque/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HttpConnector, HttpPeer, type PeerOptions, proxyProtocolOf } from '../src/index.ts';
import { closeAll, closeLater } from './closing.ts';
import { exchange } from './exchange.ts';
import { CA, openTlsOrigin } from './tls-origin.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

const SOURCE = { host: '192.0.2.1', port: 40_000 };
const DESTINATION = { host: '198.51.100.7', port: 443 };
const V1 = 'PROXY TCP4 192.0.2.1 198.51.100.7 40000 443\r\n';
const V2_SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';
/** Version 2, PROXY, TCP over IPv4, 12 bytes: two addresses and two ports. */
const V2 = `${V2_SIGNATURE}\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x07\x9c\x40\x01\xbb`;

function openConnector(): HttpConnector {
  const connector = new HttpConnector();
  closeLater(() => connector.close());
  return connector;
}

/** An origin that answers requests and keeps the bytes of each connection. */
async function openOrigin(): Promise<TestOrigin> {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const origin = await TestOrigin.listen([
    { expect: 'Host: ' },
    { send: answer },
    { expect: 'Host: ' },
    { send: answer },
  ]);
  closeLater(() => origin.close());
  return origin;
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: origin\r\n\r\n';

test.each<[string, NonNullable<PeerOptions['proxyProtocol']>, string]>([
  ['version 1', { version: 1, source: SOURCE, destination: DESTINATION }, V1],
  ['version 1 without addresses', { version: 1 }, 'PROXY UNKNOWN\r\n'],
  ['version 2', { version: 2, source: SOURCE, destination: DESTINATION }, V2],
  ['version 2 of our own', { version: 2, command: 'LOCAL' }, `${V2_SIGNATURE}\x20\0\0\0`],
  [
    'version 2 with TLVs',
    { version: 2, source: SOURCE, destination: DESTINATION, tlvs: [{ type: 0xe0, value: Buffer.from('ab') }] },
    `${V2.replace('\0\x0c', '\0\x11')}\xe0\0\x02ab`,
  ],
])('proxyProtocol: %s comes before the request, once per connection', async (_, proxyProtocol, header) => {
  const origin = await openOrigin();
  const connector = openConnector();
  const peer = new HttpPeer(origin.address, { proxyProtocol });
  await exchange(connector, peer);
  expect(await exchange(connector, peer)).toMatchObject({ reused: true });
  expect(origin.connections.map((one) => one.text)).toEqual([header + REQUEST + REQUEST]);
});

test('proxyProtocol: a connection made for one client never serves another', async () => {
  const origin = await openOrigin();
  const connector = openConnector();
  const clients = [SOURCE, { ...SOURCE, port: 40_001 }, { ...SOURCE, host: '192.0.2.2' }, undefined];
  const peers = clients.map((source) => {
    const proxyProtocol =
      source === undefined ? undefined : ({ version: 1, source, destination: DESTINATION } as const);
    return new HttpPeer(origin.address, proxyProtocol === undefined ? {} : { proxyProtocol });
  });
  for (const peer of peers) expect(await exchange(connector, peer)).toMatchObject({ reused: false });
  for (const peer of peers) expect(await exchange(connector, peer)).toMatchObject({ reused: true });
});

test('proxyProtocol: comes before TLS', async () => {
  const target = await openTlsOrigin();
  const { server, header } = await openHeaderReader(V1.length, (socket) => target.server.emit('connection', socket));
  const peer = new HttpPeer(server, {
    tls: true,
    ca: CA.cert,
    sni: 'origin.example',
    proxyProtocol: { version: 1, source: SOURCE, destination: DESTINATION },
  });
  expect((await exchange(openConnector(), peer)).status).toBe(200);
  expect(header()).toBe(V1);
});

test('proxyProtocol: goes to the peer, not to the proxy on the way', async () => {
  const proxy = await TestOrigin.listen([
    { expect: 'CONNECT origin.example:80 HTTP/1.1\r\nHost: origin.example:80\r\n\r\n' },
    { send: 'HTTP/1.1 200 OK\r\n\r\n' },
    { expect: V1 + REQUEST },
    { send: 'HTTP/1.1 204 No Content\r\n\r\n' },
  ]);
  closeLater(() => proxy.close());
  const peer = new HttpPeer('origin.example:80', {
    proxy: { nextHop: proxy.address },
    proxyProtocol: { version: 1, source: SOURCE, destination: DESTINATION },
  });
  expect((await exchange(openConnector(), peer)).status).toBe(204);
  expect(proxy.connections[0]?.text).toMatch(/^CONNECT /);
});

test('proxyProtocolOf: tells the two ends of a client’s connection', () => {
  const socket = { remoteAddress: '2001:db8::1', remotePort: 40_000, localAddress: '2001:db8::2', localPort: 80 };
  expect(proxyProtocolOf({ socket })).toEqual({
    version: 2,
    source: { host: '2001:db8::1', port: 40_000 },
    destination: { host: '2001:db8::2', port: 80 },
  });
  expect(proxyProtocolOf({ socket }, 1)).toMatchObject({ version: 1 });
});

test('proxyProtocolOf: without addresses, as on a unix socket, it says that they are unknown', () => {
  const socket = { remoteAddress: undefined, remotePort: undefined, localAddress: undefined, localPort: undefined };
  expect(proxyProtocolOf({ socket })).toEqual({ version: 2 });
  expect(new HttpPeer('a:1', { proxyProtocol: proxyProtocolOf({ socket }, 1) }).options.proxyProtocol).toBe(
    'PROXY UNKNOWN\r\n',
  );
});

/** A server that takes so many bytes off each connection and hands the rest on. */
async function openHeaderReader(
  bytes: number,
  then: (socket: Socket) => unknown,
): Promise<{ server: { host: string; port: number }; header: () => string }> {
  let header = '';
  const server: Server = createServer((socket) => {
    socket.once('readable', () => {
      header = (socket.read(bytes) as Buffer | null)?.toString('latin1') ?? '';
      then(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return { server: { host: '127.0.0.1', port: address.port }, header: () => header };
}
