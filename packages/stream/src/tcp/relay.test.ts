import { afterEach, describe, expect, test } from 'vitest';
import { type FarEnd, MemorySite } from '../../test/memory-site.ts';
import type { StreamOptions } from '../stream-options.ts';
import { StreamPeer } from '../stream-peer.ts';
import { defineStream } from '../stream-proxy.ts';
import type { StreamSession } from '../stream-session.ts';

const PEER = new StreamPeer('127.0.0.1:9');

const sites: MemorySite<undefined>[] = [];
afterEach(() => {
  for (const site of sites.splice(0)) site.close();
});

/** A connection whose relay has begun. */
interface Joined {
  readonly site: MemorySite<undefined>;
  readonly client: FarEnd;
  readonly upstream: FarEnd;
  readonly session: StreamSession;
  /** Reason and type of the error, once it is over. */
  readonly over: string[];
}

async function joined(options: StreamOptions = {}, reads = { client: true, upstream: true }): Promise<Joined> {
  const over: string[] = [];
  let session: StreamSession | undefined;
  const site = new MemorySite(
    defineStream({
      upstreamPeer: (given) => {
        session = given;
        return PEER;
      },
      logging: ({ reason }, error) => {
        over.push(`${reason} ${error?.type ?? 'ok'}`);
      },
    }),
    options,
  );
  sites.push(site);
  site.upstreamsRead = reads.upstream;
  const client = site.connect(reads.client);
  await site.settle();
  const [upstream] = site.upstreams;
  if (upstream === undefined || session === undefined) throw new Error('it is not connected');
  return { site, client, upstream, session, over };
}

describe('Relay silence', () => {
  test('cuts both sides after idleTimeoutMs without a byte', async () => {
    const { site, client, upstream, over } = await joined({ idleTimeoutMs: 1_000 });
    await site.advance(900);
    client.write('a');
    await site.advance(900);
    upstream.write('b');
    await site.advance(990);
    expect(over).toEqual([]);
    await site.advance(20);
    expect([client.end, upstream.end, over]).toEqual(['reset', 'reset', ['idle ReadTimedout']]);
    expect([client.text, upstream.text, site.timers]).toEqual(['b', 'a', 0]);
  });

  test('has a limit of its own when one side has ended', async () => {
    const { site, client, upstream, over } = await joined({ idleTimeoutMs: 10_000, halfCloseTimeoutMs: 1_000 });
    upstream.duplex.end('bye');
    await site.advance(500);
    expect([client.text, client.end]).toEqual(['bye', 'end']);
    client.write('still here');
    await site.advance(990);
    expect([upstream.text, over]).toEqual(['still here', []]);
    await site.advance(20);
    expect(over).toEqual(['idle ReadTimedout']);
  });

  test('0 never cuts', async () => {
    const never = await joined({ idleTimeoutMs: 0 });
    const halfOnly = await joined({ idleTimeoutMs: 1_000, halfCloseTimeoutMs: 0 });
    halfOnly.client.duplex.end();
    for (const { site, over } of [never, halfOnly]) {
      await site.advance(20_000);
      expect([over, site.timers]).toEqual([[], 0]);
    }
  });

  test('with bytes that a side does not take it is noticed within twice the time', async () => {
    const { site, upstream, over } = await joined({ idleTimeoutMs: 1_000 }, { client: false, upstream: true });
    for (let piece = 0; piece < 10; piece += 1) upstream.write('x'.repeat(65_536));
    await site.advance(990);
    expect(over).toEqual([]);
    await site.advance(1_100);
    expect(over).toEqual(['idle ReadTimedout']);
  });

  test('a slow reader that goes on reading is not cut', async () => {
    const { site, client, upstream, over } = await joined({ idleTimeoutMs: 1_000 }, { client: false, upstream: true });
    let left = 40;
    const feed = (): void => {
      while (left > 0) {
        left -= 1;
        if (!upstream.duplex.write('x'.repeat(65_536))) return void upstream.duplex.once('drain', feed);
      }
    };
    feed();
    let read = 0;
    for (let step = 0; step < 60 && read < 40 * 65_536; step += 1) {
      await site.advance(600);
      read += (client.duplex.read() as Buffer | null)?.length ?? 0;
    }
    expect(over).toEqual([]);
    expect(read).toBe(40 * 65_536);
  });
});

describe('Relay backpressure', () => {
  test('reads no more than is taken at the other side', async () => {
    const { site, client, upstream, session } = await joined({}, { client: true, upstream: false });
    for (let piece = 0; piece < 200; piece += 1) client.write('x'.repeat(65_536));
    await site.settle();
    // In memory each stream keeps 64 KiB on each of its sides.
    expect(session.bytesFromClient).toBeLessThan(10 * 65_536);
    expect(session.bytesFromClient - session.bytesToUpstream).toBeLessThanOrEqual(3 * 65_536);
    upstream.read();
    for (let turn = 0; turn < 200 && upstream.text.length < 200 * 65_536; turn += 1) await site.settle();
    expect(upstream.text.length).toBe(200 * 65_536);
    expect([session.bytesFromClient, session.bytesToUpstream]).toEqual([200 * 65_536, 200 * 65_536]);
  });

  test('one direction that waits does not hold up the other', async () => {
    const { site, client, upstream } = await joined({}, { client: true, upstream: false });
    for (let piece = 0; piece < 50; piece += 1) client.write('x'.repeat(65_536));
    await site.settle();
    upstream.write('here');
    await site.settle();
    expect(client.text).toBe('here');
  });
});

describe('Relay rates', () => {
  test('uploadRate and downloadRate hold back their direction only', async () => {
    const { site, client, upstream, session } = await joined({ uploadRate: 10_000 });
    expect([session.uploadRate, session.downloadRate]).toEqual([10_000, 0]);
    const begin = 2_500; // a quarter of a second is free
    const send = async (): Promise<void> => {
      for (let piece = 0; piece < 10; piece += 1) {
        client.write('x'.repeat(1_000));
        await site.settle();
      }
    };
    await send();
    expect(upstream.text.length).toBeLessThan(begin + 2_000);
    upstream.write('y'.repeat(100_000));
    await site.settle();
    expect(client.text.length).toBe(100_000);
    await site.advance(300);
    expect(upstream.text.length).toBeLessThan(begin + 3_000 + 2_000);
    await site.advance(2_000);
    expect(upstream.text.length).toBe(10_000);
  });

  test('may change at any time', async () => {
    const { site, client, upstream, session } = await joined();
    session.downloadRate = 1;
    upstream.write('a'.repeat(1_000));
    await site.settle();
    upstream.write('b'.repeat(1_000));
    await site.advance(1_000);
    expect(client.text.length).toBe(1_000);
    session.downloadRate = 0;
    await site.settle();
    expect(client.text.length).toBe(2_000);
    expect(() => {
      session.uploadRate = -1;
    }).toThrow(new RangeError('stream option uploadRate is -1: expected an integer of at least 0'));
  });

  test('a direction that waits for its rate is not idle', async () => {
    const { site, client, upstream, over } = await joined({ uploadRate: 100, idleTimeoutMs: 1_000 });
    client.write('x'.repeat(1_000));
    await site.settle();
    client.write('y');
    await site.advance(8_000);
    expect([over, upstream.text.length]).toEqual([[], 1_000]);
    await site.advance(3_000);
    expect(upstream.text.length).toBe(1_001);
  });
});

/** The upstream says all it has to; a client that does not read has not got the last of it. */
async function owes(site: MemorySite<undefined>, upstream: FarEnd): Promise<void> {
  upstream.write('x'.repeat(60_000));
  await site.settle();
  upstream.duplex.end('y'.repeat(10_000));
  await site.settle();
}

describe('Relay ends', () => {
  test.each([
    ['client', 'upstream'],
    ['upstream', 'client'],
  ] as const)('the end of the %s is an end for the other, and the other may go on', async (first, second) => {
    const all = await joined();
    const { site, over } = all;
    all[first].duplex.end('last words');
    await site.settle();
    expect([all[second].text, all[second].end]).toEqual(['last words', 'end']);
    for (let piece = 0; piece < 5; piece += 1) {
      all[second].write('.');
      await site.settle();
    }
    all[second].duplex.end('!');
    await site.settle();
    expect([all[first].text, all[first].end, over]).toEqual(['.....!', 'end', [`${first} ok`]]);
  });

  test.each([
    ['client', 'upstream'],
    ['upstream', 'client'],
  ] as const)('a reset of the %s is a reset for the other', async (first, second) => {
    const all = await joined();
    all[first].reset();
    await all.site.settle();
    expect([all[second].end, all.over, all.site.timers]).toEqual(['reset', [`${first} ReadError`], 0]);
  });

  test('an end comes after everything that was sent before, however slowly it is taken', async () => {
    const { site, client, upstream } = await joined({}, { client: false, upstream: true });
    for (let piece = 0; piece < 20; piece += 1) upstream.write('x'.repeat(65_536));
    upstream.duplex.end();
    await site.settle();
    expect(client.end).toBe('open');
    client.read();
    for (let turn = 0; turn < 50 && client.end === 'open'; turn += 1) await site.settle();
    expect([client.text.length, client.end]).toEqual([20 * 65_536, 'end']);
  });

  test('what an upstream has said before it broke, and ended, still reaches a slow client', async () => {
    const { site, client, upstream, over } = await joined({}, { client: false, upstream: true });
    await owes(site, upstream);
    upstream.reset();
    await site.settle();
    expect([client.end, over]).toEqual(['open', []]);
    client.read();
    for (let turn = 0; turn < 50 && client.end === 'open'; turn += 1) await site.settle();
    expect([client.text.length, client.end]).toEqual([70_000, 'end']);
    client.duplex.end();
    await site.settle();
    expect(over).toHaveLength(1);
    expect(site.timers).toBe(0);
  });

  test('what an upstream has said before it refused more still reaches the client', async () => {
    const { site, client, upstream, over } = await joined();
    client.write('begin');
    await site.settle();
    // As pool tells of a write that has failed.
    const handler = site.ourUpstreams[0]?.handler as unknown as { onWriteError(error: Error): boolean };
    const refusal = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
    expect(handler.onWriteError(refusal)).toBe(true);
    client.write('in vain');
    upstream.write('413 too large');
    await site.advance(150);
    expect([client.text, client.end, upstream.text, over]).toEqual(['413 too large', 'open', 'begin', []]);
    await site.advance(300);
    expect([client.end, upstream.end]).toEqual(['end', 'end']);
    client.duplex.end();
    await site.settle();
    expect([over, site.timers]).toEqual([['upstream WriteError'], 0]);
  });

  test('a client that takes its last bytes and never closes is let go of soon', async () => {
    const { site, client, upstream, over } = await joined({}, { client: false, upstream: true });
    await owes(site, upstream);
    upstream.reset();
    await site.settle();
    expect([client.end, over]).toEqual(['open', []]);
    client.read();
    await site.advance(20_000);
    expect([client.text.length, over.length, site.timers]).toEqual([70_000, 1, 0]);
  });
});
