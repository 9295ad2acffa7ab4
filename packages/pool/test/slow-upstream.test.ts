/**
 * An upstream that takes a large request slowly: what counts is whether it takes any of it. Real sockets, because only
 * the system's buffers show it; time is driven by hand.
 */
import { createServer, type Socket } from 'node:net';
import { RequestHeader } from '@cirque/http';
import { FakeClock, LeakCheck } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { expect, test } from 'vitest';
import { HttpConnector, HttpPeer } from '../src/index.ts';

const LARGE = 24 * 1024 * 1024;

test('Http1ClientSession gives up an upstream only when it takes nothing of the request any more', async () => {
  const leaks = LeakCheck.start();
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  let bytes = 0;
  const { promise: accepted, resolve: accept } = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.pause();
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const connector = new HttpConnector({ wheel });
  const session = await connector.getSession(new HttpPeer(`127.0.0.1:${port}`, { writeTimeoutMs: 5_000 }));
  let failure: unknown;
  session.handler = {
    onResponseHead() {},
    onResponseBody() {},
    onResponseEnd() {},
    onUpstreamFlush() {},
    onUpstreamDrain() {},
    onUpstreamError(error) {
      failure = error;
    },
  };
  session.writeHead(new RequestHeader('POST', '/'), LARGE);
  session.writeBody(Buffer.alloc(LARGE), 0, LARGE);
  session.end();
  const upstream = await accepted;
  for (let step = 0; step < 4; step++) {
    const goal = bytes + LARGE / 12;
    upstream.resume();
    await expect.poll(() => bytes, { interval: 1, timeout: 10_000 }).toBeGreaterThanOrEqual(goal);
    upstream.pause();
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(4_500, 20);
    expect(failure, `step ${step}`).toBeUndefined();
  }
  clock.advance(10_500, 20);
  expect(failure).toMatchObject({ type: 'WriteTimedout' });
  upstream.destroy();
  connector.close();
  await new Promise((resolve) => server.close(resolve));
  await leaks.assertClean();
});
