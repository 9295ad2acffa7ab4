/**
 * Clients that do not read, or read slowly: what waits for them is bounded, and what they were promised is not cut.
 * Real sockets, because only the system's buffers show it; time is driven by hand.
 */
import { connect, createServer, type Socket } from 'node:net';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { FakeClock, LeakCheck } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { acceptStreams, type Stream } from '@cirque/transport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HttpConnectionApp, type HttpServerApp, type HttpServerOptions, type ServerSession } from '../src/index.ts';

let leaks: LeakCheck;
const closers: (() => Promise<void>)[] = [];

beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await leaks.assertClean();
});

/** More than the system buffers for one connection. */
const LARGE = 24 * 1024 * 1024;

interface Site {
  readonly clock: FakeClock;
  readonly wheel: TimerWheel;
  readonly app: HttpConnectionApp;
  /** Of the server, oldest first. */
  readonly streams: readonly Stream[];
  /** Connected, and not reading. */
  readonly client: Client;
}

interface Client {
  readonly socket: Socket;
  /** Bytes received. */
  readonly bytes: number;
  readonly ended: boolean;
}

async function site(process: (session: ServerSession) => void, serverOptions: HttpServerOptions): Promise<Site> {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const http: HttpServerApp = { serverOptions, processNewHttp: process };
  const app = new HttpConnectionApp(http, wheel);
  const streams: Stream[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accept = (stream: Stream): void => {
    streams.push(stream);
    app.processNew(stream);
  };
  acceptStreams(server, {}, accept, (error) => {
    throw error;
  });
  closers.push(async () => {
    for (const stream of streams) stream.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { clock, wheel, app, streams, client: await unreading((server.address() as { port: number }).port) };
}

async function unreading(port: number): Promise<Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let bytes = 0;
  let ended = false;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  socket.on('end', () => {
    ended = true;
  });
  socket.on('error', () => undefined);
  socket.pause();
  closers.push(async () => {
    socket.destroy();
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return {
    socket,
    get bytes() {
      return bytes;
    },
    get ended() {
      return ended;
    },
  };
}

/** Answers with so many bytes at once, as an application with the whole body in its hand. */
function answerWith(bytes: number): (session: ServerSession) => void {
  const body = Buffer.alloc(bytes, 'x');
  return (session) => {
    session.writeHead(
      new ResponseHeader(200, HeaderMap.from([['Content-Length', String(body.length)]])),
      body.length === 0,
    );
    if (body.length > 0) session.writeBody(body, 0, body.length, undefined);
    session.end();
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Reads on until about so many bytes more have come. */
async function read(client: Client, bytes: number): Promise<void> {
  const goal = client.bytes + bytes;
  client.socket.resume();
  await expect.poll(() => client.bytes, { interval: 1, timeout: 10_000 }).toBeGreaterThanOrEqual(goal);
  client.socket.pause();
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('Http1ServerSession', () => {
  test('Http1ServerSession answers no further request of a pipeline before the client reads', async () => {
    let answered = 0;
    const answer = answerWith(256 * 1024);
    const { client, streams, clock } = await site((session) => {
      answered += 1;
      answer(session);
    }, {});
    client.socket.write(GET.repeat(300));
    await expect.poll(() => answered).toBeGreaterThan(0);
    await turns(200);
    expect(answered).toBeLessThan(150);
    expect(streams[0]?.duplex.writableLength).toBeLessThan(1_000_000);
    client.socket.resume();
    await expect.poll(() => answered, { timeout: 10_000 }).toBe(300);
    await expect.poll(() => client.bytes, { timeout: 10_000 }).toBeGreaterThan(300 * 256 * 1024);
    clock.advance(60_100, 20);
    await expect.poll(() => client.ended).toBe(true);
  });

  test('Http1ServerSession cuts the pipeline of a client that never reads', async () => {
    const { client, streams, clock } = await site(answerWith(256 * 1024), { writeTimeoutMs: 5_000 });
    client.socket.write(GET.repeat(300));
    await expect.poll(() => streams[0]?.duplex.writableNeedDrain).toBe(true);
    await turns(50);
    clock.advance(10_100, 20);
    await expect.poll(() => streams[0]?.destroyed).toBe(true);
  });

  test.each([
    ['stays', GET],
    ['closes', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
  ])('Http1ServerSession does not cut a slow reader whose connection %s', async (_, request) => {
    const { client, streams, clock } = await site(answerWith(LARGE), { writeTimeoutMs: 60_000, idleTimeoutMs: 60_000 });
    client.socket.write(request);
    await read(client, 1);
    // Until the system has the rest: what is left to do then is not ours.
    for (let step = 0; step < 8 && streams[0]?.writePending === true; step++) {
      await read(client, LARGE / 16);
      await turns(20);
      clock.advance(50_000, 20);
    }
    expect(clock.now()).toBeGreaterThan(150_000);
    client.socket.resume();
    await expect.poll(() => client.bytes, { timeout: 10_000 }).toBeGreaterThan(LARGE);
    clock.advance(130_000, 20);
    await expect.poll(() => client.ended).toBe(true);
  });

  test('Http1ServerSession finishes its last response to a slow reader when the server stops', async () => {
    const { client, streams, clock, app } = await site(answerWith(LARGE), {});
    client.socket.write(GET);
    await read(client, 1);
    app.shutdownConnection(streams[0] as Stream);
    clock.advance(2_000, 20);
    await turns(2);
    client.socket.resume();
    await expect.poll(() => client.ended, { timeout: 10_000 }).toBe(true);
    expect(client.bytes).toBeGreaterThan(LARGE);
  });

  test('Http1ServerSession watches the request body again when the client has taken the response', async () => {
    let failure: unknown;
    const part = Buffer.alloc(LARGE, 'x');
    const { client, clock } = await site(
      (session) => {
        session.handler = {
          onRequestBody() {},
          onRequestEnd() {},
          onDownstreamDrain() {},
          onDownstreamError(error) {
            failure = error;
            session.abort(error);
          },
        };
        session.writeHead(new ResponseHeader(200), false);
        session.writeBody(part, 0, part.length, undefined);
      },
      { readTimeoutMs: 5_000 },
    );
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    client.socket.resume();
    await expect.poll(() => client.bytes, { timeout: 10_000 }).toBeGreaterThan(LARGE);
    await turns(20);
    clock.advance(5_100, 20);
    expect(String(failure)).toContain('the request body did not arrive in time');
    clock.advance(130_000, 20);
  });
});
