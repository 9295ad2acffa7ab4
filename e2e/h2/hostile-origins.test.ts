/**
 * Origins that want to wear the proxy out, stall or send too much: what it costs is bounded, and others are served on.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  Code,
  continuation,
  data,
  Flag,
  frame,
  goaway,
  headers,
  MAX_WINDOW,
  ping,
  priority,
  Setting,
  settings,
  windowUpdate,
} from '../src/h2-frames.ts';
import { block, indexed, literal } from '../src/h2-hpack.ts';
import { answerFields, type H2Arrival, type H2OriginConnection } from '../src/h2-origin.ts';
import { H2ClientRig } from '../src/h2-rig.ts';
import { get, type WireClient } from '../src/wire-client.ts';

const READ_LIMIT_MS = 1_500;
const GRACE_MS = 6_000;
const MIB = 1_048_576;
const OK = block(answerFields());

let rig: H2ClientRig;
beforeAll(async () => {
  rig = await H2ClientRig.start('--read-timeout-ms', String(READ_LIMIT_MS));
});
afterEach(async () => {
  rig.endTest();
  await rig.revive();
});
afterAll(() => rig?.stop());

async function ask(target: string = '/'): Promise<WireClient> {
  const client = await rig.h1();
  client.send(get(target));
  return client;
}

/** The status of an answer, or of one that is cut. */
async function outcome(client: WireClient): Promise<string> {
  const isDone = (): boolean => client.answers.length > 0 || client.ending !== undefined;
  await client.wire.until(isDone, `an answer; ${rig.origin.describe()}`, READ_LIMIT_MS + GRACE_MS);
  const [answer] = client.answers;
  return answer === undefined ? `${client.reader.current?.status}, cut` : String(answer.status);
}

async function flood(connection: H2OriginConnection, make: (count: number) => Buffer, rounds: number): Promise<void> {
  for (let count = 0; count < rounds && !connection.isClosed; ) {
    const frames: Buffer[] = [];
    while (frames.length < 500 && count < rounds) frames.push(make(count++));
    connection.send(...frames);
    await connection.until(() => connection.isClosed || connection.wire.unsentSize < MIB, 'the proxy to read', 10_000);
    await new Promise(setImmediate);
  }
}

async function growth(play: () => Promise<void>): Promise<number> {
  const before = (await rig.subject.residentBytes()) ?? 0;
  await play();
  return ((await rig.subject.residentBytes()) ?? 0) - before;
}

const FLOODS: readonly (readonly [name: string, source: string, make: (count: number, id: number) => Buffer])[] = [
  ['SETTINGS', 'CVE-2019-9515', () => settings()],
  ['PING', 'CVE-2019-9512', () => ping('floodfld')],
  ['PING acknowledgements', 'CVE-2019-9512', () => ping('floodfld', Flag.ACK)],
  ['PRIORITY', 'CVE-2019-9513', (count) => priority(2 * (count % 100) + 1)],
  ['WINDOW_UPDATE of the connection', 'CVE-2019-9511', () => windowUpdate(0, 1)],
  ['WINDOW_UPDATE of the stream', 'CVE-2019-9511', (_, id) => windowUpdate(id, 1)],
  ['empty DATA', 'CVE-2019-9518', (_, id) => data(id, '')],
  ['ORIGIN', 'CVE-2026-48619', () => frame(0xc, 0, 0, '\x00\x10https://a.example')],
  ['ALTSVC', 'RFC 9113 10.5', () => frame(0xa, 0, 0, '\x00\x04abcdh2=":443"')],
  ['unknown frames', 'RFC 9113 10.5', () => frame(0xf7, 0, 0, 'a')],
  ['GOAWAY', 'RFC 9113 10.5', () => goaway(MAX_WINDOW)],
];

describe('floods', () => {
  it.each(FLOODS)('%s (%s)', async (_name, _source, make) => {
    rig.origin.script = {
      onRequest: ({ connection, stream: { id } }) => {
        connection.send(headers(id, OK));
        return flood(connection, (count) => make(count, id), 100_000);
      },
    };
    expect(await outcome(await ask())).toBe('200, cut');
    const [connection] = rig.origin.connections;
    await rig.origin.until(() => connection?.isClosed === true, 'the end of the connection', 10_000);
    const { code } = connection?.failure ?? {};
    if (connection?.wire.ending !== 'reset') expect(code).toBe(Code.ENHANCE_YOUR_CALM);
    await rig.expectService();
  });

  it.each([
    ['empty', Buffer.alloc(0), 200_000],
    ['of one octet', Buffer.from([0x82]), 200_000],
    ['of 16,384 octets', Buffer.alloc(16_384, 0x82), 2_000],
  ] as const)('CONTINUATION frames, %s (CVE-2024-27316)', async (_, bytes, rounds) => {
    rig.origin.script = {
      onRequest: ({ connection, stream: { id } }) => {
        connection.send(headers(id, OK, 0));
        return flood(connection, () => continuation(id, bytes, 0), rounds);
      },
    };
    const grown = await growth(async () => expect(await outcome(await ask())).toBe('502'));
    expect(grown, 'growth of the proxy').toBeLessThan(32 * MIB);
    await rig.expectService();
  });
});

describe('bombs', () => {
  it.each([
    ['15,000 references to a field of 4,000 octets', literal('x', 'a'.repeat(4_000), 'indexed')],
    ['15,000 references to an empty field', literal('x', '', 'indexed')],
  ] as const)('%s (CVE-2026-49975)', async (_, fuse) => {
    rig.origin.script = {
      onRequest: ({ connection, stream: { id } }) => {
        const bomb = Buffer.concat([OK, fuse, ...Array.from({ length: 15_000 - 4_100 }, () => indexed(62))]);
        connection.send(headers(id, bomb, Flag.END_HEADERS | Flag.END_STREAM));
      },
    };
    const grown = await growth(async () => {
      for (let count = 0; count < 50; count++) expect(await outcome(await ask())).toBe('502');
    });
    expect(grown, 'growth of the proxy').toBeLessThan(48 * MIB);
    await rig.expectService();
  });
});

describe('stalls', () => {
  it('an origin that never sends SETTINGS', async () => {
    rig.origin.script = { greeting: [], ackSettings: false, onHead: () => {} };
    expect(await outcome(await ask())).toBe('504');
    rig.origin.reset();
    await rig.expectService();
  });

  it.each([
    ['the head', '504', () => {}],
    [
      'the head, with half a frame',
      '504',
      ({ connection, stream }) => connection.raw(headers(stream.id, OK).subarray(0, 5)),
    ],
    [
      'the body',
      '200, cut',
      ({ connection, stream }) => connection.send(headers(stream.id, OK), data(stream.id, 'abc')),
    ],
  ] as readonly [string, string, (arrival: H2Arrival) => void][])('before the end of %s', async (_, expected, act) => {
    rig.origin.script = { onRequest: act };
    expect(await outcome(await ask())).toBe(expected);
    const { stream, connection } = rig.origin.arrivals[0] as H2Arrival;
    await rig.origin.until(() => stream.reset !== undefined || connection.isClosed, 'the reset of the stream');
    if (!connection.isClosed) expect(stream.reset).toBe(Code.CANCEL);
    rig.origin.reset();
    await rig.expectService();
  });
});

describe('flow', () => {
  it('a client that does not read holds the origin back', async () => {
    const body = Buffer.alloc(100 * MIB, 'x');
    rig.origin.script = {
      onRequest: ({ connection, stream: { id } }) => {
        connection.send(headers(id, OK));
        return connection.upload(id, body, true, 60_000).catch(() => undefined);
      },
    };
    const client = await rig.h1();
    client.wire.pause();
    const grown = await growth(async () => {
      client.send(get('/'));
      await rig.origin.until(() => rig.origin.arrivals.length === 1, 'the request');
      await quiet();
    });
    const { connection, stream } = rig.origin.arrivals[0] as H2Arrival;
    expect(connection.room.room(stream.id), 'window that is left to the origin').toBe(0);
    expect(grown, 'growth of the proxy').toBeLessThan(48 * MIB);
    client.wire.resume();
    await client.wire.until(() => client.answers.length > 0, 'the answer', 15_000);
    expect(client.answers[0]?.body.size).toBe(100 * MIB);
  });

  it('an origin that ignores the windows loses the connection', async () => {
    const piece = Buffer.alloc(16_384);
    rig.origin.script = {
      onRequest: ({ connection, stream: { id } }) => {
        connection.send(headers(id, OK));
        return flood(connection, () => data(id, piece), 100 * 64);
      },
    };
    const client = await rig.h1();
    client.wire.pause();
    const grown = await growth(async () => {
      client.send(get('/'));
      await rig.origin.until(() => rig.origin.connections[0]?.isClosed === true, 'the end of the connection', 10_000);
    });
    const { code } = rig.origin.connections[0]?.failure ?? {};
    if (rig.origin.connections[0]?.wire.ending !== 'reset') expect(code).toBe(Code.FLOW_CONTROL_ERROR);
    expect(grown, 'growth of the proxy').toBeLessThan(64 * MIB);
    await rig.expectService();
  });

  it('keeps to the number of streams that the origin allows', async () => {
    let most = 0;
    const open = new Map<H2OriginConnection, number>();
    const count = (connection: H2OriginConnection, change: number): void => {
      const now = (open.get(connection) ?? 0) + change;
      open.set(connection, now);
      most = Math.max(most, now);
    };
    rig.origin.script = {
      greeting: [settings([Setting.MAX_CONCURRENT_STREAMS, 2])],
      onHead: ({ connection }) => count(connection, 1),
      onRequest: async ({ connection, stream: { id } }) => {
        await connection.roundTrip();
        count(connection, -1);
        connection.answer(id, answerFields(), 'ok');
      },
    };
    await rig.probe();
    const clients = await Promise.all(Array.from({ length: 20 }, () => ask()));
    for (const client of clients) expect(await outcome(client)).toBe('200');
    expect(most).toBe(2);
  });

  it('shares one connection among many requests', async () => {
    await rig.probe();
    const clients = await Promise.all(Array.from({ length: 50 }, () => ask()));
    for (const client of clients) expect(await outcome(client)).toBe('200');
    expect(rig.origin.connections.length).toBe(1);
  });

  it('a client that leaves cancels its request and no other', async () => {
    rig.origin.script = { onRequest: () => {} };
    await rig.probe();
    const staying = await ask('/stays');
    const leaving = await ask('/leaves');
    await rig.origin.until(() => rig.origin.arrivals.length === 2, 'both requests');
    leaving.wire.reset();
    const pathOf = ({ stream }: H2Arrival): string => stream.head?.find(([name]) => name === ':path')?.[1] ?? '';
    const left = rig.origin.arrivals.find((arrival) => pathOf(arrival) === '/leaves') as H2Arrival;
    await rig.origin.until(() => left.stream.reset === Code.CANCEL, 'the reset of the stream');
    const stays = rig.origin.arrivals.find((arrival) => pathOf(arrival) === '/stays') as H2Arrival;
    stays.connection.answer(stays.stream.id, answerFields(), 'ok');
    expect(await outcome(staying)).toBe('200');
    expect(rig.origin.connections.length).toBe(1);
  });
});

/** No octet has come to the proxy's client side or gone out of the origin for half a second. */
async function quiet(): Promise<void> {
  let before = -1;
  for (let looks = 0; looks < 5; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const sent = rig.origin.connections.reduce((sum, { wire }) => sum + wire.sentSize, 0);
    if (sent !== before) looks = -1;
    before = sent;
  }
}
