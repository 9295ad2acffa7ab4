import { HttpPeer } from '@cirque/pool';
import { describe, expect, test } from 'vitest';
import { openProxy } from '../test/open-proxies.ts';
import type { ProxyPhases } from './proxy-http.ts';
import type { TestProxy } from './testing.ts';

const PIECE = Buffer.alloc(16_384, 'x');
/** Far more than anything on the way may hold. */
const PIECES = 400;
/**
 * What may be under way between a sender and a receiver that does not read: 64 KiB in each of the four ends of the two
 * connections, as much held by the proxy, and a piece at each place.
 */
const CAP = 5 * 65_536 + 5 * PIECE.length;

const filters: readonly [string, Partial<ProxyPhases<unknown>>][] = [
  ['without filters', {}],
  ['through synchronous filters', { requestBodyFilter: () => undefined, responseBodyFilter: () => undefined }],
  [
    'through asynchronous filters',
    {
      requestBodyFilter: async () => undefined,
      upstreamResponseBodyFilter: async () => undefined,
      responseBodyFilter: async () => undefined,
    },
  ],
];

/** Sends pieces until nobody takes them any more; counts those that were taken. */
function pour(write: (piece: Buffer) => Promise<void>, taken: { bytes: number }): Promise<void> {
  return (async () => {
    for (let left = PIECES; left > 0; left -= 1) {
      await write(PIECE);
      taken.bytes += PIECE.length;
    }
  })();
}

async function standstill(proxy: TestProxy, taken: { bytes: number }): Promise<void> {
  await proxy.clock.settle();
  const { bytes } = taken;
  await proxy.clock.advance(1_000);
  expect(taken.bytes).toBe(bytes);
  expect(bytes).toBeGreaterThan(PIECE.length);
  expect(bytes).toBeLessThanOrEqual(CAP);
}

describe.each(filters)('Exchange: back-pressure %s', (_how, phases) => {
  test.each(['length', 'chunked'])('a client that does not read holds the upstream back (%s)', async (framing) => {
    const taken = { bytes: 0 };
    const length = framing === 'length';
    const proxy = openProxy(phases, {
      upstream: async (_request, connection) => {
        const field = length ? `Content-Length: ${PIECES * PIECE.length}` : 'Transfer-Encoding: chunked';
        await connection.write(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`);
        const chunk = Buffer.concat([Buffer.from('4000\r\n'), PIECE, Buffer.from('\r\n')]);
        await pour((piece) => connection.write(length ? piece : chunk), taken);
        if (!length) await connection.write('0\r\n\r\n');
        return undefined;
      },
    });
    const client = proxy.connect();
    client.pause();
    const response = client.inject();
    await standstill(proxy, taken);
    client.resume();
    const { body, complete } = await response;
    expect([body.length, complete]).toEqual([PIECES * PIECE.length, true]);
  });

  test.each(['length', 'chunked'])('an upstream that does not read holds the client back (%s)', async (framing) => {
    const taken = { bytes: 0 };
    const length = framing === 'length';
    const proxy = openProxy(phases, {
      upstream: {
        early: (_request, connection) => {
          connection.pause();
          return undefined;
        },
        respond: ({ body }) => ({ body: String(body.length) }),
      },
    });
    const client = proxy.connect();
    const response = client.response('POST');
    const field = length ? `Content-Length: ${PIECES * PIECE.length}` : 'Transfer-Encoding: chunked';
    const chunk = Buffer.concat([Buffer.from('4000\r\n'), PIECE, Buffer.from('\r\n')]);
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
    const sending = pour((piece) => client.send(length ? piece : chunk), taken);
    await standstill(proxy, taken);
    proxy.upstream.connections[0]?.resume();
    await sending;
    if (!length) await client.send('0\r\n\r\n');
    expect(await response).toMatchObject({ status: 200, text: String(PIECES * PIECE.length) });
  });
});

describe('Exchange: a phase that takes its time', () => {
  test.each(['requestFilter', 'requestBodyFilter'] as const)(
    '%s: what the client sends meanwhile is held up to a cap',
    async (phase) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const taken = { bytes: 0 };
      const proxy = openProxy({ [phase]: () => promise }, { upstream: ({ body }) => ({ body: String(body.length) }) });
      const client = proxy.connect();
      const response = client.response('POST');
      await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${PIECES * PIECE.length}\r\n\r\n`);
      const sending = pour((piece) => client.send(piece), taken);
      await standstill(proxy, taken);
      expect(taken.bytes).toBeLessThanOrEqual(3 * 65_536 + 3 * PIECE.length);
      resolve(undefined);
      await sending;
      expect(await response).toMatchObject({ status: 200, text: String(PIECES * PIECE.length) });
    },
  );

  test.each(['upstreamResponseFilter', 'responseBodyFilter'] as const)(
    '%s: what the upstream sends meanwhile is held up to a cap',
    async (phase) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const taken = { bytes: 0 };
      const proxy = openProxy(
        { [phase]: () => promise },
        {
          upstream: async (_request, connection) => {
            await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${PIECES * PIECE.length}\r\n\r\n`);
            await pour((piece) => connection.write(piece), taken);
            return undefined;
          },
        },
      );
      const response = proxy.inject();
      await standstill(proxy, taken);
      expect(taken.bytes).toBeLessThanOrEqual(3 * 65_536 + 3 * PIECE.length);
      resolve(undefined);
      expect((await response).body).toHaveLength(PIECES * PIECE.length);
    },
  );

  test('pipelined requests meanwhile are held up to a cap, and answered afterwards', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const proxy = openProxy({ requestFilter: () => promise }, { upstream: ({ target }) => ({ body: target }) });
    const client = proxy.connect();
    const many = Array.from({ length: 60 }, (_, at) => `/${at}${'p'.repeat(4_000)}`);
    const responses = many.map(() => client.response());
    let taken = 0;
    const sending = (async () => {
      for (const target of many) {
        await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
        taken += target.length;
      }
    })();
    await proxy.clock.settle();
    expect(taken).toBeLessThanOrEqual(3 * 65_536 + 8_192);
    resolve(undefined);
    await sending;
    expect((await Promise.all(responses)).map(({ text }) => text)).toEqual(many);
  });
});

test('Exchange: a client that never reads is cut after writeTimeoutMs, and the upstream is let go', async () => {
  const proxy = openProxy(
    {},
    {
      upstream: () => ({ body: Buffer.alloc(1_000_000) }),
      options: { accessLog: true, server: { writeTimeoutMs: 2_000 } },
    },
  );
  const client = proxy.connect();
  client.pause();
  const response = client.inject().catch(() => undefined);
  await proxy.clock.advance(1_999);
  expect(proxy.stats.active).toBe(1);
  await proxy.clock.advance(2_001);
  expect(proxy.stats).toMatchObject({ active: 0, failures: 1 });
  expect(proxy.upstream.connections[0]?.open).toBe(false);
  expect(String(proxy.logs[0]?.facts.error)).toContain('Downstream WriteTimedout');
  client.close();
  await response;
});

test('Exchange: an upstream that never takes the request is given up after writeTimeoutMs: 504', async () => {
  const slow = new HttpPeer('10.0.0.1:80', { writeTimeoutMs: 2_000, readTimeoutMs: 60_000 });
  const proxy = openProxy(
    { upstreamPeer: () => slow },
    {
      upstream: {
        early: (_request, connection) => {
          connection.pause();
          return undefined;
        },
      },
    },
  );
  const response = proxy.inject({ method: 'POST', body: Buffer.alloc(1_000_000) });
  await proxy.clock.advance(4_100);
  expect(await response).toMatchObject({ status: 504, connectionClosed: true });
});
