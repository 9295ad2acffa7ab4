import { createConnection, type Socket } from 'node:net';
import { FakeClock, LeakCheck, type OriginScript, TestOrigin } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type ConnectionTracer,
  HttpConnector,
  type HttpConnectorOptions,
  HttpPeer,
  type PeerOptions,
} from '../src/index.ts';
import { closeAll, closeLater } from './closing.ts';
import { exchange } from './exchange.ts';
import { ask, CA, openTlsOrigin } from './tls-origin.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

/** First bytes of a TLS handshake: a record of its type, in any version. */
const CLIENT_HELLO = '\x16\x03';

async function openRaw(script: OriginScript): Promise<TestOrigin> {
  const origin = await TestOrigin.listen(script);
  closeLater(() => origin.close());
  return origin;
}

function openConnector(options: HttpConnectorOptions = {}): HttpConnector {
  const connector = new HttpConnector(options);
  closeLater(() => connector.close());
  return connector;
}

interface Attempt {
  readonly connector?: HttpConnector;
  readonly options?: PeerOptions;
  readonly signal?: AbortSignal;
}

async function failure(origin: { address: TestOrigin['address'] }, attempt: Attempt = {}): Promise<Error> {
  const { connector = openConnector(), options = {}, signal } = attempt;
  const peer = new HttpPeer(origin.address, { tls: true, sni: 'origin.example', ca: CA.cert, ...options });
  const error = await exchange(connector, peer, signal === undefined ? {} : { signal }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error).toMatchObject({ source: 'Upstream', retry: false });
  expect(connector.stats).toMatchObject({ active: 0, idle: 0, connects: 0 });
  return error as Error;
}

const BROKEN: [what: string, script: OriginScript, message: RegExp][] = [
  [
    'speaks HTTP in the clear',
    [{ expect: CLIENT_HELLO }, { send: 'HTTP/1.1 400 Bad Request\r\n\r\n' }],
    /wrong version number|packet length/,
  ],
  [
    'speaks first, in the clear',
    [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' }, { expect: CLIENT_HELLO }],
    /wrong version number|packet length/,
  ],
  ['sends noise', [{ expect: CLIENT_HELLO }, { send: '\x16\x03\x03\x00\x04\x02\x00\x00\x00' }], /TLS handshake with/],
  ['sends an alert', [{ expect: CLIENT_HELLO }, { send: '\x15\x03\x03\x00\x02\x02\x28' }], /handshake failure/],
  ['closes', [{ expect: CLIENT_HELLO }, { do: 'close' }], /disconnected before secure TLS connection/],
  ['ends its side', [{ expect: CLIENT_HELLO }, { do: 'end' }], /disconnected before secure TLS connection/],
  ['resets', [{ expect: CLIENT_HELLO }, { do: 'reset' }], /ECONNRESET/],
  ['closes at once', [{ do: 'close' }], /disconnected before secure TLS connection|ECONNRESET|EPIPE/],
];

test.each(BROKEN)('an upstream that %s instead of a handshake is TLSHandshakeFailure', async (_, script, message) => {
  const origin = await openRaw(script);
  const error = await failure(origin);
  expect(error).toMatchObject({ type: 'TLSHandshakeFailure' });
  expect(String(error)).toMatch(message);
  expect(String(error)).toContain('TLS handshake with origin.example at 127.0.0.1:');
  // Not a byte of the request was sent in the clear, nor anything else after the client’s first flight.
  expect(origin.connections.map((one) => one.text).join('')).not.toContain('GET /');
});

/** A relay to a TLS origin that lets so many bytes of its answer through, then does as it is told. */
async function cutAfter(bytes: number, how: (client: Socket) => unknown): Promise<{ address: TestOrigin['address'] }> {
  const target = await openTlsOrigin();
  return openRaw(async (connection) => {
    const upstream = createConnection(target.address);
    closeLater(() => upstream.destroy());
    let left = bytes;
    connection.socket.pipe(upstream);
    upstream.on('error', () => undefined);
    upstream.on('data', (chunk: Buffer) => {
      if (left === 0) return;
      const part = chunk.subarray(0, left);
      left -= part.length;
      connection.socket.write(part, () => left === 0 && how(connection.socket));
    });
    await connection.waitForClose().catch(() => undefined);
    upstream.destroy();
  });
}

test.each([1, 5, 100, 300, 600])('a handshake that is cut after %i bytes is TLSHandshakeFailure', async (bytes) => {
  for (const how of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const origin = await cutAfter(bytes, (socket) => socket[how]());
    expect(await failure(origin)).toMatchObject({ type: 'TLSHandshakeFailure' });
  }
});

function handDriven(): { clock: FakeClock; wheel: TimerWheel } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { clock, wheel };
}

test.each([0, 5, 300])(
  'an upstream that stalls after %i bytes of the handshake is TLSHandshakeTimedout',
  async (bytes) => {
    const { clock, wheel } = handDriven();
    const stall = (): void => clock.advance(1_040);
    const origin =
      bytes === 0
        ? await openRaw(async (one) => {
            await one.expect(CLIENT_HELLO);
            stall();
          })
        : await cutAfter(bytes, stall);
    const error = await failure(origin, {
      connector: openConnector({ wheel }),
      options: { connectionTimeoutMs: 1_000 },
    });
    expect(error).toMatchObject({
      type: 'TLSHandshakeTimedout',
      context: expect.stringMatching(/^TLS handshake with origin\.example at/),
    });
    expect(wheel.size).toBe(0);
  },
);

test('the time for the handshake is counted from its beginning', async () => {
  const { clock, wheel } = handDriven();
  const target = await openTlsOrigin();
  const connector = openConnector({
    wheel,
    connect: async () => {
      clock.advance(900);
      const socket = createConnection(target.address);
      socket.once('data', () => clock.advance(900));
      return socket;
    },
  });
  expect(await ask(connector, target, { connectionTimeoutMs: 1_000 })).toMatchObject({ version: 'TLSv1.3' });
});

test('a handshake that is too slow for all of the opening is ConnectTimedout', async () => {
  const { clock, wheel } = handDriven();
  const origin = await openRaw(async (one) => {
    await one.expect(CLIENT_HELLO);
    clock.advance(540);
    expect(await one.waitForClose()).toBeDefined();
  });
  const error = await failure(origin, {
    connector: openConnector({ wheel }),
    options: { totalConnectionTimeoutMs: 500 },
  });
  expect(error).toMatchObject({ type: 'ConnectTimedout' });
  expect(wheel.size).toBe(0);
});

test('a signal ends the handshake, and closes the connection', async () => {
  const stop = new AbortController();
  const origin = await openRaw(async (one) => {
    await one.expect(CLIENT_HELLO);
    stop.abort();
    expect(await one.waitForClose()).toBeDefined();
  });
  expect(await failure(origin, { signal: stop.signal })).toMatchObject({ type: 'ConnectError' });
});

test('versions that do not meet are TLSHandshakeFailure', async () => {
  const origin = await openTlsOrigin({ minVersion: 'TLSv1.3' });
  const error = await failure(origin, { options: { maxTlsVersion: 'TLSv1.2' } });
  expect(error).toMatchObject({ type: 'TLSHandshakeFailure' });
  expect(String(error)).toMatch(/protocol version/);
});

test('an upstream that knows none of the protocols offered is TLSHandshakeFailure', async () => {
  const origin = await openTlsOrigin({ ALPNProtocols: ['h3'] });
  expect(await failure(origin)).toMatchObject({ type: 'TLSHandshakeFailure' });
});

test('a connection that fails in the handshake does not exist for its tracer', async () => {
  const events: string[] = [];
  const tracer: ConnectionTracer = {
    onConnected: () => void events.push('on'),
    onDisconnected: () => void events.push('off'),
  };
  await failure(await openRaw([{ expect: CLIENT_HELLO }, { do: 'close' }]), { options: { tracer } });
  expect(events).toEqual([]);
});

test('an upstream that closes an idle TLS connection is noticed', async () => {
  const origin = await openTlsOrigin();
  const connector = openConnector();
  await ask(connector, origin);
  expect(connector.stats.idle).toBe(1);
  const closed = new Promise((resolve) => origin.sockets[0]?.once('close', resolve));
  origin.sockets[0]?.end();
  await closed;
  await expect.poll(() => connector.stats.idle).toBe(0);
});

test('a response that is cut is an error, not an end', async () => {
  const origin = await openTlsOrigin();
  origin.server.removeAllListeners('secureConnection').on('secureConnection', (socket) => {
    origin.sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', () => socket.destroy()));
  });
  await expect(ask(openConnector(), origin)).rejects.toMatchObject({ source: 'Upstream', type: 'ConnectionClosed' });
});
