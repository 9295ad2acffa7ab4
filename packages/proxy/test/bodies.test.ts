import { createHash } from 'node:crypto';
import { HttpPeer } from '@cirque/pool';
import { type OriginConnection, RawClient, SeededRandom, TestOrigin } from '@cirque/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { defineProxy, type ProxyPhases } from '../src/proxy-http.ts';
import { type ListeningProxy, listen } from './listening-proxy.ts';

const MEGABYTE = 1_000_000;
const SIZE = 50 * MEGABYTE;
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** An origin with the given behaviour, and a proxy in front of it. */
async function start(script: (connection: OriginConnection) => unknown, phases: Partial<ProxyPhases<undefined>> = {}) {
  const origin = await TestOrigin.listen(script);
  open.push(origin);
  const peer = new HttpPeer(`127.0.0.1:${origin.port}`);
  const proxy: ListeningProxy = await listen(defineProxy({ upstreamPeer: () => peer, ...phases }));
  open.push(proxy);
  const client = await RawClient.connect({ port: proxy.port });
  open.push(client);
  return { origin, proxy, client };
}

/** Fifty megabytes of noise, in pieces of changing size. */
function* noise(): Generator<Buffer> {
  const random = new SeededRandom(11);
  const block = random.bytes(200_000);
  for (let left = SIZE; left > 0; ) {
    const piece = block.subarray(0, Math.min(left, random.int(1, block.length)));
    left -= piece.length;
    yield piece;
  }
}

function hashOf(pieces: Iterable<Buffer>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

const chunk = (piece: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);

/** The payload of a message as it was received, from after the given head. */
function payload(message: Buffer): Buffer {
  const start = message.indexOf('\r\n\r\n') + 4;
  if (!/transfer-encoding: chunked/i.test(message.toString('latin1', 0, start))) return message.subarray(start);
  const pieces: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = message.indexOf('\r\n', at);
    const size = Number.parseInt(message.toString('latin1', at, lineEnd), 16);
    if (size === 0) return Buffer.concat(pieces);
    pieces.push(message.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

const passThrough: [string, Partial<ProxyPhases<undefined>>][] = [
  ['without filters', {}],
  [
    'through asynchronous filters',
    {
      requestBodyFilter: async (_session, body) => body,
      upstreamResponseBodyFilter: async () => undefined,
      responseBodyFilter: async (_session, body) => body,
    },
  ],
];

describe.each(passThrough)('50 MB %s', (_how, phases) => {
  test.each(['Content-Length', 'chunks'])('go up with %s, unchanged', async (framing) => {
    const chunked = framing === 'chunks';
    const { client, origin } = await start(async (connection) => {
      if (chunked) await connection.expect('0\r\n\r\n', 20_000);
      else while (connection.received.length < SIZE) await connection.delay(5);
      await connection.delay(5);
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }, phases);
    const field = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${SIZE}`;
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`);
    for (const piece of noise()) await client.send(chunked ? chunk(piece) : piece);
    if (chunked) await client.send('0\r\n\r\n');
    await client.waitFor('\r\n\r\nok', 20_000);
    const body = payload(origin.connections[0]?.received ?? Buffer.alloc(0));
    expect(body).toHaveLength(SIZE);
    expect(hashOf([body])).toBe(hashOf(noise()));
  });

  test.each(['Content-Length', 'chunks', 'the close'])('come down with %s, unchanged', async (framing) => {
    const field = { 'Content-Length': `Content-Length: ${SIZE}\r\n`, chunks: 'Transfer-Encoding: chunked\r\n' }[
      framing
    ];
    const { client } = await start(async (connection) => {
      await connection.expect('\r\n\r\n');
      await connection.send(`HTTP/1.1 200 OK\r\n${field ?? ''}\r\n`);
      for (const piece of noise()) await connection.send(framing === 'chunks' ? chunk(piece) : piece);
      if (framing === 'chunks') await connection.send('0\r\n\r\n');
      connection.close();
    }, phases);
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.waitForClose(20_000);
    const body = payload(client.received);
    expect(body).toHaveLength(SIZE);
    expect(hashOf([body])).toBe(hashOf(noise()));
  });
});

describe('a response that the upstream cuts', () => {
  const cases: [string, string, 'close' | 'reset'][] = [
    ['Content-Length, by FIN', 'Content-Length: 100\r\n', 'close'],
    ['Content-Length, by RST', 'Content-Length: 100\r\n', 'reset'],
    ['chunks, by FIN', 'Transfer-Encoding: chunked\r\n', 'close'],
    ['chunks, by RST', 'Transfer-Encoding: chunked\r\n', 'reset'],
    ['the close, by RST', '', 'reset'],
  ];

  test.each(cases)('with %s is seen as cut by clients of both versions', async (_how, field, end) => {
    const body = field.startsWith('Transfer') ? '4\r\nhalf\r\n' : 'half';
    const { client, proxy } = await start(async (connection) => {
      await connection.expect('\r\n\r\n');
      await connection.send(`HTTP/1.1 200 OK\r\n${field}\r\n${body}`);
      // Not before the proxy has read it: RST throws away what is still on the way.
      await connection.delay(50);
      connection[end]();
    });
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.waitForClose();
    expect(client.text).toContain('half');
    expect(client.text).not.toContain('0\r\n\r\n');

    const old = await RawClient.connect({ port: proxy.port });
    await old.send('GET / HTTP/1.0\r\n\r\n');
    const closed = await old.waitForClose();
    // Without Content-Length the close is the end of the body: only a reset tells that it is not.
    if (!field.startsWith('Content-Length')) expect(closed).toBe('reset');
    await old.close();
  });
});

test.each(['end', 'close'] as const)('an early response reaches a client that goes on sending (%s)', async (how) => {
  // `close` resets the connection under what the proxy still sends, for much of it was not read.
  const { proxy } = await start(async (connection) => {
    await connection.expect('\r\n\r\n');
    await connection.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nstop');
    connection[how]();
  });
  for (let n = 0; n < 20; n += 1) {
    const sender = await RawClient.connect({ port: proxy.port });
    await sender.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n');
    const sending = (async () => {
      for (let left = 10; left > 0; left -= 1) await sender.send(Buffer.alloc(100_000)).catch(() => undefined);
    })();
    expect(await sender.waitFor('stop')).toContain('413 Content Too Large');
    await sending;
    await sender.close();
  }
});

test('an upstream that resets without a response while the request is sent gives 502 at once', async () => {
  const { client, proxy } = await start(async (connection) => {
    await connection.expect('\r\n\r\n');
    connection.reset();
  });
  const began = performance.now();
  await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n');
  const sending = (async () => {
    for (let left = 10; left > 0; left -= 1) await client.send(Buffer.alloc(100_000)).catch(() => undefined);
  })();
  expect(await client.waitFor('\r\n\r\n')).toContain('502 Bad Gateway');
  expect(performance.now() - began).toBeLessThan(3_000);
  await sending;
  expect(proxy.stats.upstream).toMatchObject({ active: 0, idle: 0 });
});
