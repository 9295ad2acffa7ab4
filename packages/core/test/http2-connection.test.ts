/** Times, limits and the end of an HTTP/2 connection: frames sent by hand, time driven by hand. */
import { connect } from 'node:http2';
import { ResponseHeader } from '@cirque/http';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type HttpServerOptions, httpService, type ServerSession } from '../src/index.ts';
import { answer, fetchH2, Http2Site } from './http2-site.ts';
import {
  ACK,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PING,
  PREFACE,
  type RawHttp2,
  RST_STREAM,
  SETTINGS,
  u32,
  WINDOW_UPDATE,
} from './raw-http2.ts';
import { RunningServer } from './running-server.ts';

let leaks: LeakCheck;
let site: Http2Site | undefined;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await site?.close();
  site = undefined;
  await leaks.assertClean();
});

async function start(
  process: (session: ServerSession) => void,
  options: HttpServerOptions = {},
): Promise<{ site: Http2Site; raw: RawHttp2 }> {
  site = await Http2Site.start(process, options);
  return { site, raw: await site.raw() };
}

const ANY = 2 ** 31 - 1;

/** Answers the ping that goes with the first GOAWAY. */
async function answerPing(site: Http2Site, raw: RawHttp2): Promise<void> {
  const pings = () => raw.of(PING).filter(({ flags }) => flags === 0);
  await site.until(() => pings().length === 1);
  await raw.send(frame(PING, ACK, 0, pings()[0]?.payload));
}

describe('Http2ServerConnection: beginning', () => {
  test('Http2ServerConnection announces its settings and enlarges its window', async () => {
    const { site, raw } = await start(() => {});
    await raw.begin();
    await site.until(() => raw.frames.length >= 3);
    const [settings, window, ack] = raw.frames;
    const values = new Map<number, number>();
    for (let at = 0; at < (settings?.payload.length ?? 0); at += 6) {
      values.set(settings?.payload.readUInt16BE(at) as number, settings?.payload.readUInt32BE(at + 2) as number);
    }
    expect(settings?.type).toBe(SETTINGS);
    expect(values.get(3)).toBe(100);
    expect(values.get(4)).toBe(262_144);
    expect(values.get(6)).toBe(65_536);
    expect(values.get(8)).toBe(1);
    expect([window?.type, window?.id, window?.payload.readUInt32BE(0)]).toEqual([WINDOW_UPDATE, 0, 1_048_576 - 65_535]);
    expect([ack?.type, ack?.flags]).toEqual([SETTINGS, ACK]);
  });

  test('Http2ServerConnection reads a connection byte by byte', async () => {
    const { site, raw } = await start((session) => answer(session, 200, 'ok'));
    const bytes = Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0), raw.request(1)]);
    await raw.client.sendChunks(Array.from(bytes, (byte) => Buffer.from([byte])));
    await site.until(() => raw.of(DATA).length > 0);
    expect(raw.of(DATA)[0]?.payload.toString()).toBe('ok');
  });

  test('Http2ServerConnection ends a connection whose client sends no SETTINGS in time', async () => {
    const { site, raw } = await start(() => {});
    await raw.send(PREFACE);
    await site.until(() => raw.frames.length > 0);
    await site.pass(9_800);
    expect(raw.goaways).toEqual([]);
    await site.pass(400);
    await raw.client.waitForClose();
    expect(raw.goaways).toEqual(['0: 4']);
    expect(site.refused).toEqual(['ReadTimedout 0']);
  });

  test('Http2ServerConnection ends a connection whose client does not acknowledge its settings', async () => {
    const { site, raw } = await start(() => {});
    await raw.begin(Buffer.alloc(0), false);
    await raw.send(raw.request(1));
    await site.until(() => site.sessions.length === 1);
    await site.pass(10_200);
    await raw.client.waitForClose();
    expect(raw.goaways).toEqual(['1: 4']);
    expect(site.events).toEqual(['error ReadTimedout']);
  });

  const HALF_HEADS: readonly [what: string, bytes: (raw: RawHttp2) => Buffer][] = [
    ['a header block', (raw) => raw.request(3, {}, END_STREAM)],
    ['a frame', (raw) => raw.request(3).subarray(0, 20)],
    ['the header of a frame', (raw) => raw.request(3).subarray(0, 4)],
  ];

  test.each(HALF_HEADS)('Http2ServerConnection waits for the rest of %s, not for ever', async (_, bytes) => {
    const { site, raw } = await start(() => {});
    await raw.begin();
    await raw.send(raw.request(1), bytes(raw));
    await site.until(() => site.sessions.length === 1);
    await site.pass(9_800);
    expect(raw.goaways).toEqual([]);
    await site.pass(400);
    await site.until(() => raw.goaways.length > 0);
    expect(site.refused).toEqual(['ReadTimedout 0']);
    // What was asked before is still answered.
    expect(site.events).toEqual([]);
    answer(site.sessions[0] as ServerSession, 200, 'late');
    await raw.client.waitForClose();
    expect(raw.goaways).toEqual(['1: 0']);
    expect(raw.of(DATA)[0]?.payload.toString()).toBe('late');
  });

  test('Http2ServerConnection lets a connection live that has acknowledged', async () => {
    const { site, raw } = await start(() => {});
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => site.sessions.length === 1);
    await site.pass(30_000);
    expect(raw.goaways).toEqual([]);
    expect(site.events).toEqual([]);
  });
});

describe('Http2ServerConnection: hostile clients', () => {
  test('Http2ServerConnection ends a connection that breaks the protocol, and fails its requests', async () => {
    const { site, raw } = await start(() => {});
    await raw.begin();
    await raw.send(raw.request(1), frame(DATA, 0, 0, Buffer.from('x')));
    await raw.client.waitForClose();
    expect(raw.goaways).toEqual(['1: 1']);
    expect(site.events).toEqual([expect.stringMatching(/^error /)]);
    expect(site.refused).toEqual([expect.stringMatching(/ 0$/)]);
  });

  test('Http2ServerConnection reports a head that it refuses', async () => {
    const { site, raw } = await start((session) => answer(session, 200, 'fine'));
    await raw.begin();
    await raw.send(raw.request(1, { connection: 'close' }), raw.request(3));
    await site.until(() => raw.of(DATA).length === 1);
    expect(raw.resets).toEqual(['1: 1']);
    expect(site.refused).toHaveLength(1);
    expect(site.sessions).toHaveLength(1);
  });

  test.each([
    [{ ':method': 'CONNECT', ':protocol': 'a, b' }],
    [{ ':method': 'CONNECT', ':protocol': '' }],
    [{ ':path': '*' }],
    [{ ':path': 'http://a/' }],
    [{ ':authority': 'user@a' }],
  ])('Http2ServerConnection lets no head through that could mean something else: %j', async (fields) => {
    const { site, raw } = await start((session) => answer(session));
    await raw.begin();
    await raw.send(raw.request(1, fields, END_HEADERS));
    await site.until(() => raw.resets.length === 1);
    expect(raw.resets).toEqual(['1: 1']);
    expect(site.refused).toHaveLength(1);
    expect(site.sessions).toEqual([]);
  });

  test('Http2ServerConnection bounds the work of rapid resets', async () => {
    let active = 0;
    let most = 0;
    const { site, raw } = await start((session) => {
      active += 1;
      most = Math.max(most, active);
      session.handler = {
        ...session.handler,
        onDownstreamError: (error) => {
          active -= 1;
          session.abort(error);
        },
      };
    });
    await raw.begin();
    const frames = Array.from({ length: 1_000 }, (_, at) => [
      raw.request(2 * at + 1),
      frame(RST_STREAM, 0, 2 * at + 1, u32(8)),
    ]).flat();
    await raw.send(...frames);
    await raw.client.waitForClose();
    expect(raw.goaways.at(-1)).toMatch(/: 11$/);
    expect(site.sessions.length).toBeLessThanOrEqual(201);
    expect([active, most]).toEqual([0, 1]);
  });

  test('Http2ServerConnection cuts a stream whose client makes no room for the response', async () => {
    const { site, raw } = await start((session) => answer(session, 200, 'x'.repeat(100_000)), {
      writeTimeoutMs: 1_000,
    });
    await raw.begin();
    await raw.send(raw.request(1));
    const received = () => raw.of(DATA).reduce((sum, { payload }) => sum + payload.length, 0);
    await site.until(() => received() === 65_535);
    await site.pass(900);
    await raw.send(frame(WINDOW_UPDATE, 0, 1, u32(10)), frame(WINDOW_UPDATE, 0, 0, u32(10)));
    await site.until(() => received() === 65_545);
    await site.pass(900);
    expect(raw.resets).toEqual([]);
    await site.pass(1_300);
    await site.until(() => raw.resets.length === 1);
    expect(raw.resets).toEqual(['1: 8']);
    expect(site.sessions[0]?.responseEnded).toBe(true);
    await raw.send(raw.request(3, { ':method': 'HEAD' }));
    await site.until(() => raw.of(HEADERS).length === 2);
  });

  test('Http2ServerConnection tells the application of a response that its client does not take', async () => {
    const { site, raw } = await start(
      (session) => {
        session.writeHead(answerHead(), false);
        const chunk = Buffer.alloc(65_536);
        while (session.writeBody(chunk, 0, chunk.length, undefined));
      },
      { writeTimeoutMs: 1_000 },
    );
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => raw.of(DATA).length > 0);
    await site.pass(1_300);
    await site.until(() => raw.resets.length === 1);
    expect(site.events).toEqual(['error WriteTimedout']);
    expect(site.sessions[0]?.writable).toBe(false);
  });

  test('Http2ServerConnection asks for a least rate where one is set', async () => {
    const { site, raw } = await start((session) => answer(session, 200, 'x'.repeat(80_000)), {
      writeTimeoutMs: 60_000,
      minSendRate: 5_000,
    });
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => raw.of(DATA).length > 0);
    for (let second = 0; second < 2; second += 1) {
      await raw.send(frame(WINDOW_UPDATE, 0, 1, u32(100)), frame(WINDOW_UPDATE, 0, 0, u32(100)));
      await site.pass(1_000);
    }
    expect(raw.resets).toEqual([]);
    await site.pass(1_200);
    await site.until(() => raw.resets.length === 1);
    expect(raw.resets).toEqual(['1: 8']);
  });

  test('Http2ServerConnection cuts a connection that takes nothing at all', async () => {
    const { site, raw } = await start(
      (session) => {
        session.writeHead(answerHead(), false);
        const chunk = Buffer.alloc(1_048_576);
        session.handler = {
          ...session.handler,
          onDownstreamDrain: () => {
            while (session.writeBody(chunk, 0, chunk.length, undefined));
          },
        };
        session.handler.onDownstreamDrain();
      },
      { writeTimeoutMs: 1_000 },
    );
    raw.client.socket.pause();
    const largest = Buffer.concat([Buffer.from([0, 4]), u32(ANY)]);
    await raw.begin(largest);
    await raw.send(frame(WINDOW_UPDATE, 0, 0, u32(ANY - 65_535)), raw.request(1));
    await site.until(() => site.sessions.length === 1);
    await site.until(() => site.streams[0]?.duplex.writableNeedDrain === true);
    await site.pass(1_100);
    expect(site.streams[0]?.destroyed).toBe(true);
    expect(site.events).toEqual(['error WriteTimedout']);
  });

  test('Http2ServerConnection asks a silent client for a sign of life', async () => {
    const { site, raw } = await start(() => {}, { h2: { pingIntervalMs: 5_000, pingTimeoutMs: 2_000 } });
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => site.sessions.length === 1);
    await site.pass(5_100);
    await site.pass(5_100);
    const read = (): number => (site.streams[0] as unknown as { duplex: { bytesRead: number } }).duplex.bytesRead;
    const before = read();
    await answerPing(site, raw);
    await site.until(() => read() > before);
    await site.pass(2_100);
    expect(site.events).toEqual([]);
    await site.pass(5_100);
    await site.until(() => raw.of(PING).length === 2);
    await site.pass(2_100);
    expect(site.events).toEqual(['error PingTimedout']);
    await raw.client.waitForClose();
  });
});

describe('Http2ServerConnection: the end', () => {
  test('Http2ServerConnection closes an idle connection, in two steps', async () => {
    const { site, raw } = await start((session) => answer(session), { idleTimeoutMs: 5_000 });
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => raw.of(HEADERS).length === 1);
    await site.pass(4_800);
    await raw.send(raw.request(3));
    await site.until(() => raw.of(HEADERS).length === 2);
    await site.pass(4_800);
    expect(raw.goaways).toEqual([]);
    await site.pass(400);
    await answerPing(site, raw);
    expect(await raw.client.waitForClose()).toBe('end');
    expect(raw.goaways).toEqual([`${ANY}: 0`, '3: 0']);
  });

  test('Http2ServerConnection serves what comes between the two steps, and nothing after', async () => {
    const { site, raw } = await start(() => {});
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => site.sessions.length === 1);
    for (const stream of site.streams) site.app.shutdownConnection(stream);
    await site.until(() => raw.goaways.length === 1);
    expect(site.sessions[0]?.shuttingDown).toBe(true);
    await raw.send(raw.request(3));
    await site.until(() => site.sessions.length === 2);
    await answerPing(site, raw);
    await site.until(() => raw.goaways.length === 2);
    await raw.send(raw.request(5));
    for (const session of site.sessions) answer(session, 200, 'late');
    expect(await raw.client.waitForClose()).toBe('end');
    expect(raw.goaways).toEqual([`${ANY}: 0`, '3: 0']);
    expect(site.sessions).toHaveLength(2);
    expect(raw.of(DATA).map(({ id, payload }) => `${id} ${payload}`)).toEqual(['1 late', '3 late']);
  });

  test('Http2ServerConnection goes on to the second step without an answer to its ping', async () => {
    const { site, raw } = await start(() => {});
    await raw.begin();
    await site.until(() => raw.frames.length >= 3);
    for (const stream of site.streams) site.app.shutdownConnection(stream);
    await site.until(() => raw.goaways.length === 1);
    await site.pass(1_900);
    expect(raw.goaways).toHaveLength(1);
    await site.pass(200);
    expect(await raw.client.waitForClose()).toBe('end');
    expect(raw.goaways).toEqual([`${ANY}: 0`, '0: 0']);
  });

  test('Http2ServerConnection says the end once, however often it is asked for', async () => {
    const { site, raw } = await start(() => {});
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => site.sessions.length === 1);
    for (let round = 0; round < 3; round += 1) site.app.shutdownConnection(site.streams[0] as never);
    await answerPing(site, raw);
    await site.until(() => raw.goaways.length === 2);
    site.app.shutdownConnection(site.streams[0] as never);
    answer(site.sessions[0] as ServerSession, 200, 'last');
    await raw.client.waitForClose();
    expect(raw.goaways).toEqual([`${ANY}: 0`, '1: 0']);
  });

  test('Http2ServerConnection sends the last response whole, to a client that makes room slowly', async () => {
    const { site, raw } = await start((session) => answer(session, 200, 'x'.repeat(70_000)));
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => raw.of(DATA).length > 0);
    site.app.shutdownConnection(site.streams[0] as never);
    await answerPing(site, raw);
    await site.until(() => raw.goaways.length === 2);
    expect(raw.client.closeKind).toBeUndefined();
    await raw.send(frame(WINDOW_UPDATE, 0, 1, u32(10_000)), frame(WINDOW_UPDATE, 0, 0, u32(10_000)));
    expect(await raw.client.waitForClose()).toBe('end');
    expect(raw.of(DATA).reduce((sum, { payload }) => sum + payload.length, 0)).toBe(70_000);
    expect((raw.of(DATA).at(-1)?.flags ?? 0) & END_STREAM).toBe(END_STREAM);
  });

  test('Http2ServerConnection goes away after as many requests as it may serve', async () => {
    const { site, raw } = await start((session) => answer(session, 200, 'ok'), { keepaliveRequestLimit: 2 });
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => raw.of(DATA).length === 1);
    expect(raw.goaways).toEqual([]);
    await raw.send(raw.request(3));
    await answerPing(site, raw);
    expect(await raw.client.waitForClose()).toBe('end');
    expect(raw.goaways).toEqual([`${ANY}: 0`, '3: 0']);
    expect(raw.of(DATA)).toHaveLength(2);
  });

  test('Http2ServerConnection cancels its requests when the client closes its side', async () => {
    const { site, raw } = await start(() => {});
    await raw.begin();
    await raw.send(raw.request(1));
    await site.until(() => site.sessions.length === 1);
    raw.client.end();
    await site.until(() => site.events.length === 1);
    expect(site.events).toEqual(['error ConnectionClosed']);
    await site.until(() => site.streams[0]?.destroyed === true);
  });

  test('Http2ServerConnection answers a client that half-closes where that is asked for', async () => {
    const { site, raw } = await start(() => {}, { abortOnClose: false });
    await raw.begin();
    await raw.send(raw.request(1), raw.request(3, { ':method': 'POST' }, END_HEADERS));
    await site.until(() => site.sessions.length === 2);
    raw.client.end();
    await site.until(() => site.events.length === 1);
    expect(site.events).toEqual(['error ConnectionClosed']);
    expect(site.sessions.map(({ writable }) => writable)).toEqual([true, false]);
    (site.sessions[1] as ServerSession).abort(undefined as never);
    answer(site.sessions[0] as ServerSession, 200, 'still');
    await raw.client.waitForClose();
    expect(raw.of(DATA)[0]?.payload.toString()).toBe('still');
  });

  test('Http2ServerConnection closes an idle connection whose client closes', async () => {
    const { site, raw } = await start(() => {});
    await raw.begin();
    await site.until(() => raw.frames.length >= 3);
    raw.client.end();
    await raw.client.waitForClose();
    await site.until(() => site.streams[0]?.destroyed === true);
  });

  test('Http2ServerConnection ends its requests when a server stops, and loses none', async () => {
    const begun = Promise.withResolvers<void>();
    const service = httpService(
      'h2',
      async ({ target }) => {
        begun.resolve();
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { body: target };
      },
      { serverOptions: { h2c: true } },
    ).addTcp('127.0.0.1:0');
    const running = await RunningServer.start([service]);
    const { port } = service.endpoints[0] as { port: number };
    const client = connect(`http://127.0.0.1:${port}`);
    client.on('error', () => {});
    const requests = Array.from({ length: 20 }, (_, at) => fetchH2(client, { ':path': `/${at}` }));
    await begun.promise;
    const [got] = await Promise.all([Promise.all(requests), running.stopGracefully()]);
    expect(got.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, (_, at) => `/${at}`));
    client.destroy();
  });
});

function answerHead(): ResponseHeader {
  return new ResponseHeader(200);
}
