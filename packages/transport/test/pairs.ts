/**
 * A Stream and the other end of its connection, one way for each kind of transport that streams run over.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { duplexPair, makeCa } from '@cirque/testing';
import { type AcceptOptions, acceptStreams, Stream, sslDigest, switchableOnread } from '../src/index.ts';

/** The two ends, and what closes all there is. */
export interface Pair {
  readonly stream: Stream;
  /** The other end, not yet reading. */
  readonly peer: Duplex;
  close(): Promise<void>;
}

export function listen(server: Server, at: { port: number; host: string } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, resolve);
  });
}

export function closed(stream: Duplex | Server): Promise<void> {
  return new Promise((resolve) => {
    if ('closed' in stream && stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
}

async function shut(server: Server | undefined, ...ends: Duplex[]): Promise<void> {
  const open: (Duplex | Server)[] = ends.filter((end) => !end.closed);
  const all = (server === undefined ? open : [...open, server]).map(closed);
  for (const end of ends) end.destroy();
  server?.close();
  await Promise.all(all);
}

function connecting(options: NetConnectOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...options, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

async function accepted(options: AcceptOptions, at: { port: number; host: string } | { path: string }): Promise<Pair> {
  // Without allowHalfOpen, on purpose: acceptStreams has to see to it.
  const server = createServer();
  await listen(server, at);
  const streams = new Promise<Stream>((resolve, reject) => acceptStreams(server, options, resolve, reject));
  const address = server.address();
  const target =
    typeof address === 'string' ? { path: address } : { host: '127.0.0.1', port: (address as AddressInfo).port };
  const peer = await connecting(target as NetConnectOpts);
  const stream = await streams;
  return { stream, peer, close: () => shut(server, stream.duplex, peer) };
}

async function outgoing(): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  await listen(server, { host: '127.0.0.1', port: 0 });
  const peers = new Promise<Socket>((resolve) => server.once('connection', resolve));
  let stream: Stream | undefined;
  const { port } = server.address() as AddressInfo;
  const onread = switchableOnread(() => stream);
  const socket = await connecting({ port, host: '127.0.0.1', onread } as NetConnectOpts);
  stream = new Stream(socket, 'Upstream', true);
  const peer = await peers;
  peer.on('error', () => {});
  return { stream, peer, close: () => shut(server, socket, peer) };
}

async function inMemory(): Promise<Pair> {
  const [left, right] = duplexPair();
  right.on('error', () => {});
  const stream = new Stream(left, 'Downstream');
  const close = async (): Promise<void> => {
    left.destroy();
    right.destroy();
    await Promise.all([closed(left), closed(right)]);
  };
  return { stream, peer: right, close };
}

async function overUnixSocket(): Promise<Pair> {
  const folder = mkdtempSync(join(tmpdir(), 'cirque-stream-'));
  const pair = await accepted({}, { path: join(folder, 's') });
  return {
    ...pair,
    async close() {
      await pair.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function overTls(): Promise<Pair> {
  const pair = await accepted({ reads: 'duplex' }, { host: '127.0.0.1', port: 0 });
  const carrier = pair.stream.duplex;
  const server = createTlsServer(makeCa('Test').issue({ names: ['test'] }));
  const secured = new Promise<TLSSocket>((resolve) => server.once('secureConnection', resolve));
  server.emit('connection', carrier);
  const peer = connectTls({ socket: pair.peer, rejectUnauthorized: false });
  peer.on('error', () => {});
  // Node resets raw sockets only, and this one must not be touched while TLS is on top of it.
  peer.resetAndDestroy = () => {
    (pair.peer as { resetAndClosing?: boolean }).resetAndClosing = true;
    return peer.destroy();
  };
  // The server's tickets, which it writes by itself after the handshake: what befalls that write nobody is told.
  const session = new Promise((resolve) => peer.once('session', resolve));
  const socket = await secured;
  await session;
  // What is written from within that event Node 22 and 24 keep to themselves.
  await new Promise((resolve) => setImmediate(resolve));
  const stream = new Stream(socket, 'Downstream');
  stream.identify({ ssl: sslDigest(socket), carrier });
  return {
    stream,
    peer,
    async close() {
      await shut(undefined, socket, peer);
      await pair.close();
    },
  };
}

/** How to get a pair of each kind. */
export const PAIRS: readonly (readonly [kind: string, open: () => Promise<Pair>])[] = [
  ['an accepted socket with callback reads', () => accepted({}, { host: '127.0.0.1', port: 0 })],
  ['an accepted socket with leased reads', () => accepted({ reads: 'leased' }, { host: '127.0.0.1', port: 0 })],
  ['an accepted socket as a duplex', () => accepted({ reads: 'duplex' }, { host: '127.0.0.1', port: 0 })],
  ['an accepted unix socket', overUnixSocket],
  ['an outgoing socket that can switch buffers', outgoing],
  ['TLS', overTls],
  ['a stream in memory', inMemory],
];
