/**
 * What a stream costs: round trips and connections over loopback, leases and slices in memory.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { test } from 'vitest';

const { acceptStreams, Lease, Stream } = createRequire(import.meta.url)(
  '../src/index.ts',
) as typeof import('../src/index.ts');

const short = { time: 400, warmupTime: 100 };

async function echo(reads: 'callback' | 'duplex'): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  acceptStreams(
    server,
    { reads },
    (stream) =>
      stream.start({
        onRead: (buffer, length) => void stream.writeSlice(buffer, 0, length, undefined),
        onReadEnd: () => stream.end(),
        onDrain() {},
        onClose() {},
      }),
    (error) => {
      throw error;
    },
  );
  return { server, port: (server.address() as AddressInfo).port };
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

test('100 round trips of 500 bytes on one connection, both ends in this thread', async ({ bench }) => {
  const fast = await echo('callback');
  const plain = await echo('duplex');
  const near = await connected(fast.port);
  const far = await connected(plain.port);
  const request = Buffer.alloc(500, 'x');
  const trips = (socket: Socket) => (): Promise<void> =>
    new Promise((resolve) => {
      let left = 100;
      socket.removeAllListeners('data');
      socket.on('data', () => {
        left -= 1;
        if (left === 0) resolve();
        else socket.write(request);
      });
      socket.write(request);
    });
  await bench.compare(bench('callback reads', trips(near)), bench("'data' events", trips(far)), short);
  for (const socket of [near, far]) socket.destroy();
  for (const { server } of [fast, plain]) server.close();
});

test('20 connections, one after the other', async ({ bench }) => {
  const fast = await echo('callback');
  const plain = await echo('duplex');
  const connections = (port: number) => async (): Promise<void> => {
    for (let i = 0; i < 20; i += 1) {
      const socket = await connected(port);
      socket.resume();
      socket.end('x');
      await new Promise((resolve) => socket.once('close', resolve));
    }
  };
  await bench.compare(
    bench('callback reads', connections(fast.port)),
    bench("'data' events", connections(plain.port)),
    short,
  );
  for (const { server } of [fast, plain]) server.close();
});

test('1,000 slices written to a stream that takes everything at once', async ({ bench }) => {
  const drain = new Writable({ write: (_chunk, _encoding, done) => done(), highWaterMark: 1e9 });
  const stream = new Stream(drain as unknown as Socket, 'Downstream');
  const lease = Lease.take();
  const slices = (bytes: number, held: InstanceType<typeof Lease> | undefined) => async (): Promise<void> => {
    for (let i = 0; i < 1_000; i += 1) stream.writeSlice(lease.buffer, 0, bytes, held);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await bench.compare(
    bench('1 KiB, copied', slices(1_024, undefined)),
    bench('64 KiB, copied into a lease', slices(65_536, undefined)),
    bench('64 KiB, leased', slices(65_536, lease)),
    short,
  );
  lease.release();
  drain.destroy();
});
