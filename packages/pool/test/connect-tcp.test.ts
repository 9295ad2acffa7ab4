import { getEventListeners } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CirqueError } from '@cirque/error';
import { FakeClock, LeakCheck, type OriginScript, TestOrigin } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ConnectAttempt, connectTcp } from '../src/connect-tcp.ts';
import { openBlackHole } from './black-hole.ts';
import { closeAll, closeLater } from './closing.ts';

const KEEP_ALIVE = { node: { keepAlive: { idleMs: 30_000 } }, native: [] };

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start({ ignore: ['MessagePort'] });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
  await leaks.assertClean();
});

async function origin(script: OriginScript = [], options: { path?: string; host?: string } = {}): Promise<TestOrigin> {
  const opened = await TestOrigin.listen(script, options);
  closeLater(() => opened.close());
  return opened;
}

async function open(attempt: Partial<ConnectAttempt> & Pick<ConnectAttempt, 'address'>): Promise<Stream> {
  const stream = await connectTcp({ timeoutMs: 5_000, ...attempt });
  closeLater(() => stream.destroy());
  return stream;
}

async function failure(attempt: Partial<ConnectAttempt> & Pick<ConnectAttempt, 'address'>): Promise<CirqueError> {
  const error: unknown = await open(attempt).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CirqueError);
  expect((error as CirqueError).source).toBe('Upstream');
  return error as CirqueError;
}

test('connectTcp: opens a connection over TCP', async () => {
  const { address } = await origin([{ send: 'hello' }]);
  const stream = await open({ address });
  expect(stream.digest.socket).toMatchObject({ remoteAddress: '127.0.0.1', localAddress: '127.0.0.1' });
  expect(stream.side).toBe('Upstream');
  let received = '';
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.start({
    onRead: (buffer, length) => {
      received += buffer.toString('latin1', 0, length);
      if (received.length === 5) resolve();
    },
    onReadEnd() {},
    onDrain() {},
    onClose() {},
  });
  await promise;
  expect(received).toBe('hello');
});

test('connectTcp: switches Nagle’s algorithm off', async () => {
  const { address } = await origin();
  const socket = (await open({ address })).duplex as Socket;
  // Node remembers what it has set, and sets nothing twice.
  const handle = (socket as unknown as { _handle: { setNoDelay(on: boolean): void } })._handle;
  const set = vi.spyOn(handle, 'setNoDelay');
  socket.setNoDelay(true);
  expect(set).not.toHaveBeenCalled();
  socket.setNoDelay(false);
  expect(set).toHaveBeenCalledOnce();
});

test('connectTcp: opens a connection over IPv6', async () => {
  const { address } = await origin([], { host: '::1' });
  expect((await open({ address })).digest.socket.remoteAddress).toBe('::1');
});

test('connectTcp: opens a connection over a unix socket; local address and keep-alive mean nothing there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cirque-'));
  closeLater(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 's');
  await origin([], { path });
  const stream = await open({ address: { path }, localAddress: '192.0.2.1', options: KEEP_ALIVE });
  expect(stream.destroyed).toBe(false);
});

test('connectTcp: connects from the local address', async () => {
  const { address } = await origin();
  const stream = await open({ address, localAddress: '127.0.0.7' });
  expect(stream.digest.socket.localAddress).toBe('127.0.0.7');
});

test.skipIf(process.platform !== 'linux')('connectTcp: switches keep-alive probes on when asked', async () => {
  const { address } = await origin();
  const plain = await open({ address });
  const probed = await open({ address, options: KEEP_ALIVE });
  expect(kernelTimer(plain)).toBe('00');
  expect(kernelTimer(probed)).toBe('02');
});

/** The timer that the kernel runs for a connection: 02 is keep-alive (proc_net_tcp of the kernel's documentation). */
function kernelTimer(stream: Stream): string | undefined {
  const port = (stream.digest.socket.localPort as number).toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((one) => one.trim().split(/\s+/))
    // Established ones only: ports of closed connections are used again.
    .find(([, local, , state]) => local === `0100007F:${port}` && state === '01');
  return line?.[5]?.slice(0, 2);
}

test('connectTcp: a closed port is ConnectRefused, with the error of Node as its cause', async () => {
  const closed = await TestOrigin.listen([]);
  const { address } = closed;
  await closed.close();
  const error = await failure({ address });
  expect(error.type).toBe('ConnectRefused');
  expect(error).toHaveProperty('cause.code', 'ECONNREFUSED');
  expect(error.message).toContain(`connecting to 127.0.0.1:${(address as { port: number }).port}`);
  expect(error.retry).toBe(false);
});

test('connectTcp: a missing unix socket is ConnectError', async () => {
  const error = await failure({ address: { path: '/nonexistent/cirque.sock' } });
  expect(error).toMatchObject({ type: 'ConnectError', cause: { code: 'ENOENT' } });
});

test.each([
  ['does not exist here', '192.0.2.1'],
  ['is of the other family', '::1'],
])('connectTcp: a local address that %s is BindError', async (_, localAddress) => {
  const { address } = await origin();
  expect((await failure({ address, localAddress })).type).toBe('BindError');
});

test('connectTcp: no answer is ConnectTimedout, when the time is over and not before', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  const port = await openBlackHole();
  const settled = vi.fn();
  const attempt = failure({ address: { host: '127.0.0.1', port }, timeoutMs: 400, wheel });
  void attempt.then(settled);
  clock.advance(399);
  wheel.advance();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(settled).not.toHaveBeenCalled();
  clock.advance(21);
  wheel.advance();
  expect((await attempt).type).toBe('ConnectTimedout');
  expect(wheel.size).toBe(0);
});

test('connectTcp: an abort ends the attempt at once', async () => {
  const port = await openBlackHole();
  const controller = new AbortController();
  const attempt = failure({ address: { host: '127.0.0.1', port }, signal: controller.signal });
  controller.abort();
  expect(await attempt).toMatchObject({
    type: 'ConnectError',
    context: `connecting to 127.0.0.1:${port} was cancelled`,
  });
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
});

test('connectTcp: with a signal that has aborted nothing is opened', async () => {
  const opened = await origin();
  expect((await failure({ address: opened.address, signal: AbortSignal.abort() })).type).toBe('ConnectError');
  expect(opened.connections).toEqual([]);
});

test('connectTcp: a connection that is there is left alone by signal and clock', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  const { address } = await origin();
  const controller = new AbortController();
  const stream = await open({ address, signal: controller.signal, timeoutMs: 100, wheel });
  controller.abort();
  clock.advance(1_000);
  wheel.advance();
  await new Promise((resolve) => setImmediate(resolve));
  expect(stream.destroyed).toBe(false);
  expect(wheel.size).toBe(0);
});
