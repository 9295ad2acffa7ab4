/** Errors as Node really makes them: the codes in from-node.ts against sockets on loopback. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { LeakCheck, RawClient, TestOrigin } from '@cirque/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fromNodeError } from '../src/index.ts';

let leaks: LeakCheck;

beforeEach(() => {
  leaks = LeakCheck.start();
});

afterEach(async () => {
  await leaks.assertClean();
});

async function refusedPort(): Promise<number> {
  const origin = await TestOrigin.listen([]);
  await origin.close();
  return origin.port;
}

async function failure(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error,
  );
}

test('fromNodeError: a closed port is ConnectRefused, also when several addresses were tried', async () => {
  const port = await refusedPort();
  for (const host of ['127.0.0.1', 'localhost']) {
    const error = fromNodeError(await failure(RawClient.connect({ host, port })), 'connect', 'Upstream');
    expect(error.type).toBe('ConnectRefused');
    expect(error.toString()).toContain(`:${port}`);
  }
});

test('fromNodeError: a unix socket that does not exist is ConnectError', async () => {
  const error = fromNodeError(
    await failure(RawClient.connect({ path: '/nonexistent/cirque.sock' })),
    'connect',
    'Upstream',
  );
  expect(error.toString()).toMatch(/^Upstream ConnectError cause: Error: connect ENOENT/);
});

test('fromNodeError: a port in use is BindError', async () => {
  const first = await TestOrigin.listen([]);
  const second = createServer().listen(first.port, '127.0.0.1');
  const [cause] = (await once(second, 'error')) as [Error];
  expect(fromNodeError(cause, 'bind', 'Internal', 'listening').type).toBe('BindError');
  await first.close();
});

test('fromNodeError: a reset while reading is ReadError, writing after it ConnectionClosed or WriteError', async () => {
  const origin = await TestOrigin.listen([{ expect: 'x' }, { do: 'reset' }]);
  const client = await RawClient.connect(origin.address);
  const reset = once(client.socket, 'error');
  await client.send('x');
  const [cause] = (await reset) as [Error];
  expect(fromNodeError(cause, 'read', 'Upstream').type).toBe('ReadError');
  const late = fromNodeError(await failure(client.send('y')), 'write', 'Upstream');
  expect(['ConnectionClosed', 'WriteError']).toContain(late.type);
  await client.close();
  await origin.close();
});

test('fromNodeError: a peer that speaks no TLS, or hangs up, is TLSHandshakeFailure', async () => {
  const origin = await TestOrigin.listen([[{ send: 'HTTP/1.1 400 Bad Request\r\n\r\n' }], [{ do: 'close' }]]);
  for (let i = 0; i < 2; i += 1) {
    const socket = connectTls({ host: '127.0.0.1', port: origin.port });
    const [cause] = (await once(socket, 'error')) as [Error];
    expect(fromNodeError(cause, 'tls', 'Upstream').type).toBe('TLSHandshakeFailure');
    socket.destroy();
  }
  await origin.close();
});
