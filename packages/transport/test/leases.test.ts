/**
 * Leased buffers under load: none is read into while somebody still writes it, none is lost, none comes back twice.
 */
import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { LeakCheck, SeededRandom } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  LEASED_READ_BYTES,
  Lease,
  Stream,
  type StreamHandler,
  sharedReadBuffer,
  switchableOnread,
} from '../src/index.ts';
import { closed, listen, PAIRS } from './pairs.ts';

const until = { timeout: 15_000, interval: 5 };

let check: LeakCheck;
beforeEach(() => {
  check = LeakCheck.start();
  takeAll();
});
afterEach(() => check.assertClean());

/** A listener and a socket connected to it; the accepted one does not read yet. */
async function link(
  onread?: ReturnType<typeof switchableOnread>,
): Promise<{ near: Socket; far: Socket; close: () => Promise<void> }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  await listen(server, { host: '127.0.0.1', port: 0 });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const { port } = server.address() as AddressInfo;
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true, onread } as NetConnectOpts);
  await new Promise((resolve) => near.once('connect', resolve));
  const far = await accepted;
  for (const socket of [near, far]) socket.on('error', () => {});
  const close = async (): Promise<void> => {
    const all = [near, far].filter((one) => !one.closed).map(closed);
    near.destroy();
    far.destroy();
    server.close();
    await Promise.all([...all, closed(server)]);
  };
  return { near, far, close };
}

/** A proxy of one direction: `source` is what it reads from, `sink` what it writes to. */
async function proxy(
  leases: Set<Lease>,
  pauses: boolean,
): Promise<{
  origin: Socket;
  client: Socket;
  source: Stream;
  sink: Stream;
  readsShared: () => number;
  close: () => Promise<void>;
}> {
  let source: Stream | undefined;
  const up = await link(switchableOnread(() => source));
  source = new Stream(up.near, 'Upstream', true);
  source.largeReads = true;
  const down = await link();
  const sink = new Stream(down.near, 'Downstream');
  let shared = 0;
  const reader = source;
  const fromSource: StreamHandler = {
    onRead(buffer, length, lease) {
      if (lease === undefined) {
        shared += 1;
        expect(buffer).toBe(sharedReadBuffer);
      } else {
        expect(lease.buffer).toBe(buffer);
        expect(lease.exclusive).toBe(true);
        leases.add(lease);
      }
      // In two pieces, as a body in front of something else would be.
      sink.writeSlice(buffer, 0, length >> 1, lease);
      if (!sink.writeSlice(buffer, length >> 1, length, lease) && pauses) reader.pause();
    },
    onReadEnd: () => sink.end(),
    onDrain() {},
    onClose() {},
  };
  sink.start({ onRead() {}, onReadEnd() {}, onDrain: () => reader.resume(), onClose: () => reader.destroy() });
  source.start(fromSource);
  return {
    origin: up.far,
    client: down.far,
    source,
    sink,
    readsShared: () => shared,
    async close() {
      await up.close();
      await down.close();
    },
  };
}

/** As many as the free list holds. */
const MAX_FREE = 64;

/** Empties the free list for good; a lease that is in it twice, or still held by somebody, would show. */
function takeAll(): Lease[] {
  const taken = Array.from({ length: MAX_FREE }, () => Lease.take());
  expect(new Set(taken).size).toBe(taken.length);
  expect(taken.every((lease) => lease.exclusive)).toBe(true);
  return taken;
}

/** Every lease that was used since the free list was emptied comes back, but for as many as may still be read into. */
async function expectBack(leases: Set<Lease>, back: Lease[] = [], stillRead = 0): Promise<void> {
  expect(leases.size).toBeLessThanOrEqual(MAX_FREE);
  await vi.waitFor(() => {
    back.push(...takeAll());
    const missing = [...leases].filter((lease) => !back.includes(lease));
    expect(missing.length).toBeLessThanOrEqual(stillRead);
  }, until);
}

const SENT = new SeededRandom(7).bytes(4_096);

function pattern(bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; at += SENT.length) {
    SENT.copy(buffer, at);
    // Every block is different, so a block in the wrong place shows.
    buffer.writeUInt32LE(at, at);
  }
  return buffer;
}

const BODY = pattern(12 * 1_048_576);
const HASH = createHash('sha256').update(BODY).digest('hex');

/** Reads in starts and stops; the hash of it all. */
function readInFits(client: Socket, random: SeededRandom): Promise<string> {
  const hash = createHash('sha256');
  client.on('data', (chunk) => {
    hash.update(chunk);
    if (!random.chance(0.3)) return;
    client.pause();
    setImmediate(() => client.resume());
  });
  client.resume();
  return new Promise((resolve) => client.once('end', () => resolve(hash.digest('hex'))));
}

describe('leased reads', () => {
  test('a large body goes through without copies and unharmed, however slowly it is taken', async () => {
    const leases = new Set<Lease>();
    const one = await proxy(leases, true);
    one.origin.end(BODY);
    expect(await readInFits(one.client, new SeededRandom(1))).toBe(HASH);
    // The first read was under way before the switch.
    expect(one.readsShared()).toBeLessThanOrEqual(1);
    // Back-pressure bounds what is under way.
    expect(leases.size).toBeLessThan(20);
    await one.close();
    await expectBack(leases);
  });

  test('without back-pressure everything is buffered, and still nothing is overwritten', async () => {
    const leases = new Set<Lease>();
    const one = await proxy(leases, false);
    one.origin.end(BODY.subarray(0, 3 * 1_048_576));
    await vi.waitFor(() => expect(one.source.duplex.readableEnded).toBe(true), until);
    const hash = createHash('sha256')
      .update(BODY.subarray(0, 3 * 1_048_576))
      .digest('hex');
    expect(await readInFits(one.client, new SeededRandom(2))).toBe(hash);
    await one.close();
    await expectBack(leases);
  });

  test('switching between shared and leased reads loses nothing and keeps no lease', async () => {
    const leases = new Set<Lease>();
    const one = await proxy(leases, true);
    const random = new SeededRandom(3);
    const { onRead } = one.source.handler;
    one.source.handler.onRead = (buffer, length, lease) => {
      one.source.largeReads = random.chance(0.5);
      onRead(buffer, length, lease);
    };
    one.origin.end(BODY);
    expect(await readInFits(one.client, random)).toBe(HASH);
    expect(one.readsShared()).toBeGreaterThan(5);
    expect(leases.size).toBeGreaterThan(0);
    await one.close();
    await expectBack(leases);
  });

  test.each(['client', 'origin', 'source', 'sink'] as const)(
    'leases come back when the %s goes away in the middle',
    async (who) => {
      const leases = new Set<Lease>();
      const all = await Promise.all(Array.from({ length: 4 }, () => proxy(leases, true)));
      for (const one of all) one.origin.write(BODY);
      // The clients read nothing: writes are waiting with their leases.
      await vi.waitFor(() => expect(all.every(({ sink }) => sink.writePending)).toBe(true), until);
      for (const [i, one] of all.entries()) {
        const victim = one[who];
        if (victim instanceof Stream) {
          if (i % 2 === 0) victim.destroy();
          else victim.reset();
        } else if (i % 2 === 0) victim.destroy();
        else victim.resetAndDestroy();
      }
      for (const one of all) await one.close();
      await expectBack(leases);
    },
  );

  test('a paused stream keeps one lease, and an idle one none', async () => {
    const leases = new Set<Lease>();
    const one = await proxy(leases, true);
    one.origin.write(BODY.subarray(0, LEASED_READ_BYTES));
    one.client.resume();
    await vi.waitFor(() => expect(one.client.bytesRead).toBe(LEASED_READ_BYTES), until);
    const back: Lease[] = [];
    // The reader holds the one for its next read.
    await expectBack(leases, back, 1);
    one.source.largeReads = false;
    one.origin.write('x');
    await vi.waitFor(() => expect(one.client.bytesRead).toBe(LEASED_READ_BYTES + 1), until);
    await expectBack(leases, back);
    await one.close();
  });
});

test('acceptStreams with leased reads gives leases to those who ask for large reads', async () => {
  const open = PAIRS.find(([kind]) => kind === 'an accepted socket with leased reads')?.[1];
  const pair = await open?.();
  if (pair === undefined) throw new Error('there is no such pair');
  const { stream, peer, close } = pair;
  const leased: boolean[] = [];
  stream.largeReads = true;
  stream.start({
    onRead: (_buffer, length, lease) => {
      leased.push(lease !== undefined);
      if (leased.length === 2) stream.largeReads = false;
      peer.write(Buffer.alloc(length));
    },
    onReadEnd() {},
    onDrain() {},
    onClose() {},
  });
  peer.write('first');
  await vi.waitFor(() => expect(leased.length).toBeGreaterThanOrEqual(6), until);
  // The first buffer may have been chosen before, and the one after the change was.
  expect(leased.slice(1, 2)).toEqual([true]);
  expect(leased.slice(3, 6)).toEqual([false, false, false]);
  await close();
});
