import { CirqueError } from '@cirque/error';
import {
  byteByByte,
  FakeClock,
  LeakCheck,
  type OriginConnection,
  type OriginScript,
  TestOrigin,
} from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectTcp } from '../src/connect-tcp.ts';
import { connectTunnel, type TunnelRequest } from '../src/connect-tunnel.ts';
import { closeAll, closeLater } from './closing.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

/** An HTTP proxy that does as the script says, and a connection to it. */
async function openProxy(script: OriginScript): Promise<{ proxy: TestOrigin; stream: Stream }> {
  const proxy = await TestOrigin.listen(script);
  closeLater(() => proxy.close());
  const stream = await connectTcp({ address: proxy.address, timeoutMs: 5_000 });
  closeLater(() => stream.destroy());
  return { proxy, stream };
}

const REQUEST: TunnelRequest = { authority: 'origin.example:443', timeoutMs: 5_000 };
const CONNECT = 'CONNECT origin.example:443 HTTP/1.1\r\nHost: origin.example:443\r\n\r\n';

async function failure(script: OriginScript, request: TunnelRequest = REQUEST): Promise<CirqueError> {
  const { stream } = await openProxy(script);
  const error: unknown = await connectTunnel(stream, request).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CirqueError);
  expect((error as CirqueError).source).toBe('Upstream');
  expect(stream.destroyed).toBe(true);
  return error as CirqueError;
}

test('connectTunnel: a 200 opens the tunnel, what comes later goes to the next owner', async () => {
  const { proxy, stream } = await openProxy([
    { expect: CONNECT },
    { send: 'HTTP/1.1 200 Connection established\r\nContent-Length: 7\r\n\r\n' },
    { expect: 'ping' },
    { send: 'pong' },
  ]);
  await connectTunnel(stream, REQUEST);
  const { promise, resolve } = Promise.withResolvers<string>();
  stream.start({
    onRead: (buffer, length) => resolve(buffer.toString('latin1', 0, length)),
    onReadEnd() {},
    onDrain() {},
    onClose() {},
  });
  stream.writeLatin1('ping');
  expect(await promise).toBe('pong');
  expect(proxy.connections[0]?.text).toBe(`${CONNECT}ping`);
});

test('connectTunnel: sends the given fields after Host', async () => {
  const { proxy, stream } = await openProxy([{ expect: '\r\n\r\n' }, { send: 'HTTP/1.1 204 No Content\r\n\r\n' }]);
  await connectTunnel(stream, { ...REQUEST, headers: { 'Proxy-Authorization': 'Basic eA==' } });
  expect(proxy.connections[0]?.text).toBe(CONNECT.replace('\r\n\r\n', '\r\nProxy-Authorization: Basic eA==\r\n\r\n'));
});

test.each([
  ['byte by byte', byteByByte('HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\n\r\n')],
  [
    'after interim responses',
    [Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'), Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
  ],
])('connectTunnel: understands an answer that comes %s', async (_, chunks) => {
  const { stream } = await openProxy(async (connection: OriginConnection) => {
    await connection.expect('\r\n\r\n');
    for (const chunk of chunks) {
      await connection.send(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  await connectTunnel(stream, REQUEST);
  expect(stream.destroyed).toBe(false);
});

const REFUSALS: [answer: string, message: string][] = [
  ['HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n', 'answered 407 Proxy Authentication Req'],
  ['HTTP/1.1 502 Bad\r\nProxy-Status: p; error=dns_error\r\n\r\n', 'answered 502 Bad (p; error=dns_error)'],
  ['HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n', 'the proxy answered 302'],
  ['HTTP/1.1 101 Switching Protocols\r\n\r\n', 'the proxy answered 101'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'answered with Transfer-Encoding'],
  ['HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', 'bytes arrived before the tunnel was used'],
  ['SSH-2.0-OpenSSH_9.9\r\n', 'does not start with HTTP/1.'],
  ['HTTP/1.1 200 OK\r\nbad line\r\n\r\n', 'CONNECT origin.example:443: '],
  [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, 'head above 65536 bytes'],
  ['HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(21), 'more than 20 interim responses'],
];

test.each(REFUSALS)('connectTunnel: %j is ConnectProxyFailure', async (answer, message) => {
  const error = await failure([{ expect: '\r\n\r\n' }, { send: answer }]);
  expect(error.type).toBe('ConnectProxyFailure');
  expect(error.message).toContain(message);
});

test.each(['end', 'close', 'reset'] as const)('connectTunnel: a proxy that does %s without an answer', async (how) => {
  for (const before of ['', 'HTTP/1.1 200 OK\r\n']) {
    const error = await failure([{ expect: '\r\n\r\n' }, { send: before }, { do: how }]);
    expect(error.type).toBe('ConnectProxyFailure');
    expect(error.message).toContain('the proxy closed the connection');
  }
});

test('connectTunnel: no answer is ConnectTimedout', async () => {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  const attempt = failure(
    async (connection) => {
      await connection.expect('\r\n\r\n');
      await connection.send('HTTP/1.1 2');
      clock.advance(1_040);
      wheel.advance();
    },
    { ...REQUEST, timeoutMs: 1_000, wheel },
  );
  expect(await attempt).toMatchObject({ type: 'ConnectTimedout', context: 'CONNECT origin.example:443' });
  expect(wheel.size).toBe(0);
});

test('connectTunnel: bytes that come before the next owner close the stream', async () => {
  const { stream } = await openProxy([
    { expect: '\r\n\r\n' },
    { send: 'HTTP/1.1 200 OK\r\n\r\n' },
    { delayMs: 20 },
    { send: 'early' },
  ]);
  await connectTunnel(stream, REQUEST);
  const closed = new Promise((resolve) => stream.duplex.once('close', resolve));
  // Nobody has taken the stream over; reading on as if nobody had paused it.
  stream.resume();
  await closed;
  expect(stream.destroyed).toBe(true);
});
