/**
 * A thousand connections that come, say something and go in every possible way: none is left behind.
 */
import { type AddressInfo, connect, createServer } from 'node:net';
import { LeakCheck, SeededRandom } from '@cirque/testing';
import { expect, test, vi } from 'vitest';
import { acceptStreams, type Stream } from '../src/index.ts';
import { closed, listen } from './pairs.ts';

const CONNECTIONS = 1_000;

test('every one of 1,000 connections is closed exactly once and leaves nothing open', async () => {
  const check = LeakCheck.start();
  const random = new SeededRandom(1_000);
  const server = createServer();
  await listen(server, { host: '127.0.0.1', port: 0 });
  const { port } = server.address() as AddressInfo;
  const closes = new Map<Stream, number>();
  acceptStreams(
    server,
    {},
    (stream) => {
      closes.set(stream, 0);
      stream.start({
        onRead: (buffer, length) => void stream.writeSlice(buffer, 0, length, undefined),
        onReadEnd() {
          if (random.chance(0.3)) stream.reset();
          else stream.end();
        },
        onDrain() {},
        onClose: () => closes.set(stream, (closes.get(stream) as number) + 1),
      });
    },
    (error) => {
      throw error;
    },
  );
  const one = async (): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: random.chance(0.5) });
    const over = closed(socket);
    socket.on('error', () => {});
    socket.on('data', () => {
      const way = random.pick(['reset', 'destroy', 'end', 'end', 'end']);
      if (way === 'reset') socket.resetAndDestroy();
      else if (way === 'destroy') socket.destroy();
      else socket.end();
    });
    socket.write('x'.repeat(random.int(1, 5_000)));
    if (random.chance(0.1)) socket.destroy();
    // Whoever still waits after the server has ended is done.
    socket.on('end', () => socket.end());
    await over;
  };
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < CONNECTIONS) {
      started += 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: 50 }, lane));
  await vi.waitFor(() => expect([...closes.values()].every((count) => count === 1)).toBe(true), { timeout: 5_000 });
  // A client that is gone before it is connected is never seen.
  expect(closes.size).toBeGreaterThan(CONNECTIONS * 0.8);
  server.close();
  await closed(server);
  await check.assertClean();
});
