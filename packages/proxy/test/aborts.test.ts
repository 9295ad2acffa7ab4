import { HttpPeer } from '@cirque/pool';
import { LeakCheck, type OriginConnection, RawClient, SeededRandom, TestOrigin } from '@cirque/testing';
import { defaultWheel } from '@cirque/timeout';
import { expect, test } from 'vitest';
import { defineProxy } from '../src/proxy-http.ts';
import { listen } from './listening-proxy.ts';

const POOL_SIZE = 8;
const REQUESTS = 1_000;
const CLIENTS = 10;

const turns = async (count: number): Promise<void> => {
  for (let left = count; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
};

/** An origin of changing moods: answers at once or in pieces, closes, resets, cuts, leaves requests lying. */
async function moody(connection: OriginConnection, random: SeededRandom): Promise<void> {
  while (connection.closeKind === undefined) {
    await connection.expect('\r\n\r\n', 60_000);
    const body = 'x'.repeat(random.int(0, 40_000));
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
    const mood = random.int(0, 9);
    if (mood === 0) return connection.close();
    if (mood === 1) return connection.reset();
    if (mood === 2) {
      await connection.send(head + body.slice(0, body.length >> 1));
      return random.chance(0.5) ? connection.reset() : connection.close();
    }
    if (mood === 3) await connection.delay(random.int(1, 10));
    if (mood > 6) await connection.send(head + body);
    else {
      await connection.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n`);
      for (const piece of ['a', 'b'.repeat(random.int(1, 20_000)), 'c']) {
        await connection.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
        await turns(random.int(0, 3));
      }
      await connection.send('0\r\n\r\n');
    }
  }
}

/** Sends requests of all kinds, one by one or several at once, and leaves in the middle of some. */
async function restless(port: number, random: SeededRandom, requests: number): Promise<void> {
  let client = await RawClient.connect({ port });
  for (let left = requests; left > 0; left -= 1) {
    if (client.closeKind !== undefined || random.chance(0.1)) {
      await client.close();
      client = await RawClient.connect({ port });
    }
    const body = 'y'.repeat(random.int(1, 60_000));
    const head = `${random.pick(['POST', 'PUT'])} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
    const request = random.chance(0.5) ? 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' : head + body;
    const cut = random.chance(0.2) ? random.int(1, request.length - 1) : request.length;
    await client.send(request.slice(0, cut)).catch(() => undefined);
    if (cut < request.length || random.chance(0.2)) {
      await turns(random.int(0, 20));
      if (random.chance(0.5)) client.reset();
      else await client.close();
    } else if (random.chance(0.8)) {
      await Promise.race([client.waitFor(/HTTP\/1\.1 \d+/, 60_000), client.waitForClose(60_000)]).catch(
        () => undefined,
      );
      await turns(random.int(0, 20));
    }
  }
  await client.close();
}

test.each([1, 2, 3])(
  '1,000 requests with random aborts on both sides leave nothing behind (seed %i)',
  async (seed) => {
    await turns(5);
    const armedBefore = defaultWheel.size;
    const check = LeakCheck.start();
    const random = new SeededRandom(seed);
    const origin = await TestOrigin.listen((connection) =>
      moody(connection, new SeededRandom(random.uint32())).catch(() => undefined),
    );
    const peer = new HttpPeer({ host: '127.0.0.1', port: origin.port }, { readTimeoutMs: 5_000 });
    let logged = 0;
    let contexts = 0;
    let aborted = 0;
    const phases = defineProxy<{ readonly number: number }>({
      newCtx: () => {
        contexts += 1;
        return { number: contexts };
      },
      upstreamPeer: () => peer,
      async requestFilter({ signal }, { number }) {
        signal.addEventListener('abort', () => (aborted += 1));
        if (number % 3 === 0) await turns(number % 7);
      },
      requestBodyFilter: (_session, _body, _end, { number }) =>
        number % 4 === 0 ? turns(1).then(() => undefined) : undefined,
      responseBodyFilter: (_session, _body, _end, { number }) =>
        number % 5 === 0 ? turns(1).then(() => undefined) : undefined,
      errorWhileProxy: (_peer, session, error) => error.setRetry(session.retries < 2),
      logging: () => {
        logged += 1;
      },
    });
    const proxy = await listen(phases, { upstreamKeepalivePoolSize: POOL_SIZE });
    const clients = Array.from({ length: CLIENTS }, () =>
      restless(proxy.port, new SeededRandom(random.uint32()), REQUESTS / CLIENTS),
    );
    await Promise.all(clients);
    const end = performance.now() + 10_000;
    while ((proxy.stats.active > 0 || proxy.openConnections > 0) && performance.now() < end) await turns(10);
    const { requests, active, upstream } = proxy.stats;
    expect(requests).toBeGreaterThan(REQUESTS / 2);
    expect([active, upstream.active, upstream.waiting, proxy.openConnections]).toEqual([0, 0, 0, 0]);
    expect(upstream.idle).toBeLessThanOrEqual(POOL_SIZE);
    // Whatever happened: one context, one end, one log call for each.
    expect([contexts, logged, aborted]).toEqual([requests, requests, requests]);
    await proxy.close();
    expect(proxy.stats.upstream.idle).toBe(0);
    await origin.close();
    await check.assertClean(5_000);
    expect(defaultWheel.size).toBe(armedBefore);
  },
  60_000,
);
