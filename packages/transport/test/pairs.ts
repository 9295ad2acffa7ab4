/**
 * A Stream and the other end of its connection, one way for each kind of transport that streams run over.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { duplexPair } from '@cirque/testing';
import { type AcceptOptions, acceptStreams, Stream, switchableOnread } from '../src/index.ts';

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

async function shut(server: Server, ...ends: Duplex[]): Promise<void> {
  const all = [...ends.filter((end) => !end.closed), server].map(closed);
  for (const end of ends) end.destroy();
  server.close();
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

/** How to get a pair of each kind. */
export const PAIRS: readonly (readonly [kind: string, open: () => Promise<Pair>])[] = [
  ['an accepted socket with callback reads', () => accepted({}, { host: '127.0.0.1', port: 0 })],
  ['an accepted socket as a duplex', () => accepted({ reads: 'duplex' }, { host: '127.0.0.1', port: 0 })],
  ['an accepted unix socket', overUnixSocket],
  ['an outgoing socket that can switch buffers', outgoing],
  ['a stream in memory', inMemory],
];
