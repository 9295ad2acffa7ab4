import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CirqueError } from '@cirque/error';
import { duplexPair } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OpeningWaiter } from './connect-tcp.ts';
import { HttpPeer } from './peer.ts';
import { TransportConnector } from './transport-connector.ts';

/** A waiter as a promise, which also counts the calls. */
function waiting(): { waiter: OpeningWaiter; result: Promise<Stream | CirqueError>; calls: () => number } {
  const { promise, resolve } = Promise.withResolvers<Stream | CirqueError>();
  let calls = 0;
  const settled = (value: Stream | CirqueError): void => {
    calls += 1;
    resolve(value);
  };
  return { waiter: { onOpened: settled, onOpenFailed: settled }, result: promise, calls: () => calls };
}

let server: Server;
let accepted: Socket[];
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-open-'));
  accepted = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function port(): number {
  return (server.address() as { port: number }).port;
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('open gives a plain connection with callback reads, and sends the PROXY header first', async () => {
  const { waiter, result, calls } = waiting();
  const proxyProtocol = {
    version: 1,
    source: { host: '192.0.2.1', port: 1 },
    destination: { host: '192.0.2.2', port: 2 },
  } as const;
  new TransportConnector().open(new HttpPeer({ host: '127.0.0.1', port: port() }, { proxyProtocol }), waiter);
  expect(calls()).toBe(0);
  const stream = (await result) as Stream;
  stream.write(Buffer.from('hello'));
  const text = Promise.withResolvers<string>();
  let received = '';
  await expect.poll(() => accepted.length).toBe(1);
  accepted[0]?.on('data', (chunk) => {
    received += String(chunk);
    if (received.endsWith('hello')) text.resolve(received);
  });
  expect(await text.promise).toBe('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello');
  const read = Promise.withResolvers<string>();
  stream.start({
    onRead: (buffer, length) => read.resolve(buffer.toString('latin1', 0, length)),
    onReadEnd() {},
    onDrain() {},
    onClose() {},
  });
  accepted[0]?.write('back');
  expect(await read.promise).toBe('back');
  stream.destroy();
});

test('open reaches unix sockets', async () => {
  const path = join(folder, 'peer.sock');
  const unix = createServer((socket) => accepted.push(socket));
  await new Promise<void>((resolve) => unix.listen(path, resolve));
  const { waiter, result } = waiting();
  new TransportConnector().open(new HttpPeer({ path }), waiter);
  const stream = (await result) as Stream;
  expect(stream.destroyed).toBe(false);
  stream.destroy();
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => unix.close(resolve));
});

test('open tells the waiter of a refused connection, once', async () => {
  const { waiter, result, calls } = waiting();
  const closed = port();
  await new Promise((resolve) => server.close(resolve));
  const opening = new TransportConnector().open(new HttpPeer({ host: '127.0.0.1', port: closed }), waiter);
  const error = (await result) as CirqueError;
  expect([error.type, error.source]).toEqual(['ConnectRefused', 'Upstream']);
  opening.cancel();
  await turns(3);
  expect(calls()).toBe(1);
  server = createServer().listen(0);
});

test('open gives up at connectionTimeoutMs', async () => {
  let now = 0;
  const wheel = new TimerWheel({ clock: { now: () => now }, tickMs: 1 });
  const { waiter, result } = waiting();
  new TransportConnector({ wheel }).open(new HttpPeer('127.0.0.1:1', { connectionTimeoutMs: 50 }), waiter);
  now = 51;
  wheel.advance();
  const error = (await result) as CirqueError;
  expect(error.type).toBe('ConnectTimedout');
});

test('cancel of an opening closes the connection and calls nobody', async () => {
  const { waiter, calls } = waiting();
  const opening = new TransportConnector().open(new HttpPeer({ host: '127.0.0.1', port: port() }), waiter);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  opening.cancel();
  opening.cancel();
  await turns(5);
  expect(calls()).toBe(0);
  for (const socket of accepted) socket.resume();
  await expect.poll(() => accepted.every((socket) => socket.destroyed)).toBe(true);
});

test('open of a peer with more than one step ends in the same way', async () => {
  const [ours, theirs] = duplexPair();
  const { waiter, result } = waiting();
  new TransportConnector().open(new HttpPeer('127.0.0.1:1', { customConnect: async () => ours }), waiter);
  const stream = (await result) as Stream;
  expect(stream.duplex).toBe(ours);
  stream.destroy();
  theirs.destroy();

  const failing = waiting();
  const customConnect = (): Promise<never> => Promise.reject(new Error('no way'));
  new TransportConnector().open(new HttpPeer('127.0.0.1:1', { customConnect }), failing.waiter);
  expect(((await failing.result) as CirqueError).type).toBe('ConnectError');
});

test('cancel of an opening with more than one step destroys what comes too late', async () => {
  const [ours, theirs] = duplexPair();
  const later = Promise.withResolvers<typeof ours>();
  const { waiter, calls } = waiting();
  let aborted = false;
  const customConnect = (_address: unknown, signal: AbortSignal): Promise<typeof ours> => {
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    return later.promise;
  };
  const opening = new TransportConnector().open(new HttpPeer('127.0.0.1:1', { customConnect }), waiter);
  await turns(1);
  opening.cancel();
  later.resolve(ours);
  await turns(3);
  expect([aborted, ours.destroyed, calls()]).toEqual([true, true, 0]);
  theirs.destroy();
});
