import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { HttpPeer, type PeerOptions } from '@cirque/pool';
import { RawClient, TestOrigin } from '@cirque/testing';
import { expect, test } from 'vitest';
import type { ProxyPhases } from '../src/proxy-http.ts';
import { listen } from './listening-proxy.ts';

interface Tries {
  tries: number;
}

/** The failover guide's proxy: the second upstream when the first one cannot be connected to. */
function failover(ports: readonly [number, number], options: PeerOptions = {}): ProxyPhases<Tries> {
  return {
    newCtx: () => ({ tries: 0 }),
    failToConnect(_session, _peer, ctx, error) {
      if (ctx.tries > 0) return error;
      ctx.tries += 1;
      return error.setRetry(true);
    },
    upstreamPeer: (_session, { tries }) => new HttpPeer({ host: '127.0.0.1', port: ports[tries] as number }, options),
  };
}

const answer = (body: string, delayMs = 0) =>
  TestOrigin.listen([
    {
      repeat: [
        { expect: '\r\n\r\n' },
        { delayMs },
        { send: `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}` },
      ],
    },
  ]);

/** Sends one request, and tells the status, the body and how long it took. */
async function ask(port: number): Promise<{ status: string; body: string; ms: number }> {
  const began = performance.now();
  const client = await RawClient.connect({ port });
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.waitForClose();
  const { text } = client;
  await client.close();
  return { status: text.slice(9, 12), body: text.slice(text.indexOf('\r\n\r\n') + 4), ms: performance.now() - began };
}

/** A port on which nobody listens: one that was free a moment ago. */
async function deadPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

test('a dead first upstream (port closed) is failed over: the client sees 200 of the second one', async () => {
  const second = await answer('second');
  const proxy = await listen(failover([await deadPort(), second.port]));
  expect(await ask(proxy.port)).toMatchObject({ status: '200', body: 'second' });
  expect(proxy.stats).toMatchObject({ retries: 1, failures: 0, active: 0 });
  await proxy.close();
  await second.close();
});

test('an upstream that accepts and answers after a second is not failed over with connectionTimeoutMs 400', async () => {
  const first = await answer('first', 1_000);
  const second = await answer('second');
  const proxy = await listen(failover([first.port, second.port], { connectionTimeoutMs: 400 }));
  const { status, body, ms } = await ask(proxy.port);
  expect([status, body, ms >= 990]).toEqual(['200', 'first', true]);
  expect(second.connections).toHaveLength(0);
  await proxy.close();
  await Promise.all([first.close(), second.close()]);
});

test.skipIf(process.platform !== 'linux')('a connect that nobody answers is failed over after 400 ms', async () => {
  const hole = await blackHole();
  const second = await answer('second');
  const proxy = await listen(failover([hole.port, second.port], { connectionTimeoutMs: 400 }));
  const { status, body, ms } = await ask(proxy.port);
  expect([status, body]).toEqual(['200', 'second']);
  expect(ms).toBeGreaterThan(390);
  expect(ms).toBeLessThan(3_000);
  await proxy.close();
  await second.close();
  await hole.close();
});

/** A listener that never accepts, its queue filled up: further connects get no answer at all. */
async function blackHole(): Promise<{ port: number; close(): Promise<void> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true, execArgv: [] },
  );
  const [port] = (await once(worker, 'message')) as [number];
  const sockets: Socket[] = [];
  for (let full = false; !full; ) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    sockets.push(socket);
    const timeout = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 300));
    full = await Promise.race([once(socket, 'connect').then(() => false), timeout]);
  }
  return {
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await worker.terminate();
    },
  };
}

test('GET requests survive an upstream that closes its connections whenever it likes', async () => {
  let served = 0;
  const origin = await TestOrigin.listen(async (connection) => {
    // Closes after each second response, at once, so that the proxy may have taken the connection already.
    for (let left = 2; left > 0; left -= 1) {
      await connection.expect('\r\n\r\n').catch(() => undefined);
      if (connection.closeKind !== undefined) return;
      served += 1;
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok').catch(() => undefined);
    }
    connection.close();
  });
  const proxy = await listen({ newCtx: () => undefined, upstreamPeer: () => new HttpPeer(`127.0.0.1:${origin.port}`) });
  const client = await RawClient.connect({ port: proxy.port });
  for (let n = 0; n < 200; n += 1) {
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.waitFor('\r\n\r\nok')).slice(9, 12)).toBe('200');
  }
  expect(served).toBeGreaterThanOrEqual(200);
  expect(proxy.stats).toMatchObject({ requests: 200, failures: 0, active: 0 });
  await client.close();
  await proxy.close();
  await origin.close();
});
