import type { CirqueError } from '@cirque/error';
import { afterEach, describe, expect, test } from 'vitest';
import { exchangeOn } from '../test/exchange.ts';
import { settle } from '../test/memory-network.ts';
import { Recorder, request } from '../test/open-session.ts';
import { GOAWAY, PING, type RawHttp2, type RawNetwork, rawNetwork, SETTINGS } from '../test/raw-http2.ts';
import type { ClientSession } from './client-session.ts';
import type { HttpConnectorOptions } from './http-connector.ts';
import { HttpPeer } from './peer.ts';
import type { PeerOptions } from './peer-options.ts';
import type { SessionRequest } from './session-request.ts';

const networks: RawNetwork[] = [];
afterEach(async () => {
  for (const { connector } of networks.splice(0)) connector.close();
  await settle();
});

function network(options: HttpConnectorOptions = {}): RawNetwork {
  const made = rawNetwork(options);
  networks.push(made);
  return made;
}

function peer(options: PeerOptions = {}): HttpPeer {
  return new HttpPeer('origin:80', { alpn: 'h2', ...options });
}

/** Sessions as they come, and errors of those that do not. */
class Asked {
  readonly sessions: ClientSession[] = [];
  readonly errors: CirqueError[] = [];

  constructor(net: RawNetwork, count: number, options: PeerOptions = {}, wish: SessionRequest = {}) {
    for (let i = 0; i < count; i += 1) this.#wait(net.connector.getSession(peer(options), wish));
  }

  #wait(session: ClientSession | Promise<ClientSession>): void {
    Promise.resolve(session).then(
      (one) => this.sessions.push(one),
      (error: CirqueError) => this.errors.push(error),
    );
  }
}

/** A session that waits for the answer to a GET. */
async function busy(net: RawNetwork, options: PeerOptions = {}): Promise<ClientSession> {
  const session = await net.connector.getSession(peer(options));
  session.handler = new Recorder();
  session.writeHead(request(), 0);
  return session;
}

/** A connection that has answered once and is idle now. */
async function idle(net: RawNetwork, options: PeerOptions = {}): Promise<RawHttp2> {
  const session = await net.connector.getSession(peer(options));
  const done = exchangeOn(session);
  await settle();
  const origin = net.origins.find(({ requests, answered }) => requests.length > answered) as RawHttp2;
  origin.answer(origin.requests.at(-1) as number);
  await done;
  return origin;
}

describe('Http2Connector: sharing', () => {
  test('a place on a connection comes at once, without a promise', async () => {
    const net = network();
    await idle(net);
    const first = net.connector.getSession(peer());
    const second = net.connector.getSession(peer());
    expect(first).not.toBeInstanceOf(Promise);
    expect(second).not.toBeInstanceOf(Promise);
    expect(net.connector.stats).toMatchObject({ active: 1, idle: 0, connects: 1, h2Connections: 1, h2Streams: 2 });
    (first as ClientSession).release();
    (second as ClientSession).release();
    expect(net.connector.stats).toMatchObject({ active: 0, idle: 1, h2Streams: 0 });
  });

  test('before SETTINGS one request goes ahead, the others wait', async () => {
    const net = network();
    net.onConnection = () => undefined;
    const asked = new Asked(net, 5);
    await settle();
    expect(net.origins).toHaveLength(1);
    expect(asked.sessions).toHaveLength(1);
    expect(net.connector.stats.waiting).toBe(4);
    net.origins[0]?.settings([3, 100]);
    await settle();
    expect(asked.sessions).toHaveLength(5);
    expect(net.connector.stats).toMatchObject({ waiting: 0, h2Streams: 5, connects: 1 });
  });

  test('those that find no place get further connections', async () => {
    const net = network();
    net.onConnection = (origin) => void origin.settings([3, 2]);
    const asked = new Asked(net, 5);
    await settle();
    await settle();
    expect(asked.sessions).toHaveLength(5);
    expect(net.origins).toHaveLength(3);
    expect(net.connector.stats).toMatchObject({ active: 3, h2Streams: 5, waiting: 0 });
  });

  test('maxH2Streams counts when the upstream allows more, and is known beforehand', async () => {
    const net = network();
    net.onConnection = () => undefined;
    const asked = new Asked(net, 7, { maxH2Streams: 3 });
    await settle();
    expect(net.origins).toHaveLength(3);
    for (const origin of net.origins) origin.settings([3, 1_000]);
    await settle();
    expect(asked.sessions).toHaveLength(7);
    expect(net.origins).toHaveLength(3);
  });

  test('a place that becomes free serves one that waits', async () => {
    const net = network();
    net.onConnection = (origin) => void origin.settings([3, 1]);
    const first = await busy(net, { maxConnections: 1 });
    await settle();
    const asked = new Asked(net, 1, { maxConnections: 1 });
    await settle();
    expect(asked.sessions).toHaveLength(0);
    first.abort();
    await settle();
    expect(asked.sessions).toHaveLength(1);
    expect(net.origins).toHaveLength(1);
  });

  test('more places by a later SETTINGS serve those that wait', async () => {
    const net = network();
    net.onConnection = (origin) => void origin.settings([3, 1]);
    await busy(net, { maxConnections: 1 });
    const asked = new Asked(net, 3, { maxConnections: 1 });
    await settle();
    net.origins[0]?.settings([3, 3]);
    await settle();
    expect(asked.sessions).toHaveLength(2);
  });

  test('fewer places are respected', async () => {
    const net = network();
    const origin = await idle(net);
    await busy(net);
    origin.settings([3, 1]);
    await settle();
    await busy(net);
    expect(net.origins).toHaveLength(2);
  });

  test('an upstream that allows no streams is an error, not a wait', async () => {
    const net = network();
    net.onConnection = (origin) => void origin.settings([3, 0]);
    const asked = new Asked(net, 3);
    await settle();
    // The first has its place before the settings come, and nothing was sent on it.
    expect(asked.sessions).toHaveLength(1);
    expect(asked.errors.map(({ type }) => type)).toEqual(['H2Error', 'H2Error']);
    expect(() => asked.sessions[0]?.writeHead(request(), 0)).toThrow(expect.objectContaining({ type: 'H2Error' }));
    expect(net.connector.stats).toMatchObject({ h2Connections: 0, active: 0, waiting: 0 });
  });

  test('the connection used first is filled first, so that others run empty and go', async () => {
    const net = network();
    net.onConnection = (origin) => void origin.settings([3, 2]);
    const asked = new Asked(net, 4, { idleTimeoutMs: 1_000 });
    await settle();
    await settle();
    expect(net.origins).toHaveLength(2);
    for (const session of asked.sessions.slice(1)) session.release();
    for (let i = 0; i < 4; i += 1) {
      await net.pass(400);
      const session = (await net.connector.getSession(peer({ idleTimeoutMs: 1_000 }))) as ClientSession;
      session.release();
    }
    expect(net.origins.map(({ closed }) => closed)).toEqual([false, true]);
  });
});

describe('Http2Connector: opening', () => {
  test('a failure is shared by those that have counted on it, each with an error of its own', async () => {
    const net = network();
    let attempts = 0;
    net.beforeConnect = async () => {
      attempts += 1;
      throw new Error('broken');
    };
    const asked = new Asked(net, 5);
    await settle();
    expect(attempts).toBe(1);
    expect(asked.errors.map(({ type, source }) => `${source} ${type}`)).toEqual(
      new Array(5).fill('Upstream ConnectError'),
    );
    expect(new Set(asked.errors).size).toBe(5);
    net.beforeConnect = () => Promise.resolve();
    await busy(net);
    expect(net.origins).toHaveLength(1);
  });

  test('one that leaves takes nobody with it; the last one stops the opening', async () => {
    const net = network();
    const signals: AbortSignal[] = [];
    const options: PeerOptions = {
      customConnect: (_, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
      connectionTimeoutMs: 0,
    };
    const controllers = [new AbortController(), new AbortController()];
    const asked = controllers.map(({ signal }) => new Asked(net, 1, options, { signal }));
    await settle();
    controllers[0]?.abort();
    await settle();
    expect(asked[0]?.errors[0]).toMatchObject({ type: 'ConnectError', source: 'Upstream' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    controllers[1]?.abort();
    await settle();
    expect(asked[1]?.errors).toHaveLength(1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(net.connector.stats).toMatchObject({ waiting: 0, connects: 0 });
    await busy(net);
  });

  test('an aborted signal asks for nothing', async () => {
    const net = network();
    const controller = new AbortController();
    controller.abort();
    const asked = new Asked(net, 1, {}, { signal: controller.signal });
    await settle();
    expect(asked.errors).toHaveLength(1);
    expect(net.origins).toHaveLength(0);
  });

  test('totalConnectionTimeoutMs bounds each wait', async () => {
    const net = network();
    net.beforeConnect = () => new Promise(() => undefined);
    const patient = new Asked(net, 1, { connectionTimeoutMs: 0 });
    const hasty = new Asked(net, 1, { connectionTimeoutMs: 0, totalConnectionTimeoutMs: 500 });
    await settle();
    await net.pass(600);
    expect(hasty.errors[0]).toMatchObject({ type: 'ConnectTimedout', source: 'Upstream' });
    expect(patient.errors).toEqual([]);
    await net.pass(60_000);
    expect(patient.errors).toEqual([]);
    expect(net.connector.stats.waiting).toBe(1);
  });

  test('what opens with nobody waiting any more is kept idle, or closed', async () => {
    const net = network();
    let connect = (): void => undefined;
    net.beforeConnect = () =>
      new Promise((resolve) => {
        connect = resolve;
      });
    net.onConnection = (origin) => void origin.settings([3, 1]);
    const asked = new Asked(net, 1);
    await settle();
    connect();
    await settle();
    const second = new Asked(net, 1);
    await settle();
    asked.sessions[0]?.release();
    await settle();
    expect(second.sessions).toHaveLength(1);
    connect();
    await settle();
    expect(net.connector.stats).toMatchObject({ h2Connections: 2, idle: 1, active: 1 });
  });
});

test('Http2Connector: those that wait for the settings of a silent connection get another when it is given up', async () => {
  const net = network();
  net.onConnection = () => undefined;
  const session = await net.connector.getSession(peer({ readTimeoutMs: 1_000 }));
  session.handler = new Recorder();
  session.writeHead(request(), 0);
  const later = new Asked(net, 2);
  await settle();
  expect(net.origins).toHaveLength(1);
  net.onConnection = (origin) => void origin.settings();
  await net.pass(1_100);
  await settle();
  expect(later.sessions).toHaveLength(2);
  expect(net.origins.map(({ closed }) => closed)).toEqual([true, false]);
});

describe('Http2Connector: the pool', () => {
  test('keeps poolSize idle connections over all peers, the least recently used goes first', async () => {
    const net = network({ poolSize: 2 });
    for (const groupKey of ['a', 'b', 'a', 'c']) await idle(net, { groupKey });
    await settle();
    expect(net.origins.map(({ closed }) => closed)).toEqual([false, true, false]);
    expect(net.connector.stats).toMatchObject({ idle: 2, evictions: 1, h2Connections: 2 });
  });

  test.each([
    ['poolSize 0', { poolSize: 0 }, {}],
    ['idleTimeoutMs 0', {}, { idleTimeoutMs: 0 }],
  ])('%s keeps nothing, and says goodbye', async (_, options, peerOptions) => {
    const net = network(options);
    const origin = await idle(net, peerOptions);
    await settle();
    expect(origin.closed).toBe(true);
    expect(origin.of(GOAWAY)).toHaveLength(1);
    expect(net.connector.stats).toMatchObject({ idle: 0, h2Connections: 0 });
    expect(net.wheel.size).toBe(0);
  });

  test('an idle connection goes after idleTimeoutMs, whatever it hears', async () => {
    const net = network();
    const origin = await idle(net, { idleTimeoutMs: 5_000 });
    await net.pass(4_900);
    origin.settings([3, 50]).send(PING, 0, 0, Buffer.alloc(8));
    await settle();
    expect(origin.of(PING)).toHaveLength(1);
    expect(net.connector.stats.idle).toBe(1);
    await net.pass(200);
    expect(origin.closed).toBe(true);
    expect(net.connector.stats).toMatchObject({ idle: 0, h2Connections: 0 });
  });

  test.each([
    ['GOAWAY', (origin: RawHttp2) => void origin.goaway(2 ** 31 - 1)],
    ['FIN', (origin: RawHttp2) => void origin.stream.end()],
    ['RST', (origin: RawHttp2) => void origin.stream.destroy(new Error('reset'))],
    ['nonsense', (origin: RawHttp2) => void origin.stream.write('\0'.repeat(64))],
  ])('%s takes an idle connection out', async (_, disturb) => {
    const net = network();
    const origin = await idle(net);
    disturb(origin);
    await settle();
    expect(net.connector.stats).toMatchObject({ idle: 0, h2Connections: 0, evictions: 0 });
    expect(net.wheel.size).toBe(0);
    await busy(net);
    expect(net.origins).toHaveLength(2);
  });

  test('a connection that goes away gets no more requests, and closes after the last', async () => {
    const net = network();
    const origin = await idle(net);
    const session = await busy(net);
    await settle();
    origin.goaway(3);
    await settle();
    await busy(net);
    expect(net.origins).toHaveLength(2);
    expect(origin.closed).toBe(false);
    session.abort();
    await settle();
    expect(origin.closed).toBe(true);
    expect(net.connector.stats.h2Connections).toBe(1);
  });

  test('close: idle connections go now, those in use when they become idle', async () => {
    const net = network();
    const origin = await idle(net);
    const session = await busy(net, { groupKey: 'used' });
    net.connector.close();
    await settle();
    expect(origin.closed).toBe(true);
    expect(net.origins[1]?.closed).toBe(false);
    session.abort();
    await settle();
    expect(net.origins[1]?.closed).toBe(true);
    expect(net.connector.stats).toMatchObject({ idle: 0, active: 0, h2Connections: 0 });
    expect(net.wheel.size).toBe(0);
  });

  test('a careful request looks at an idle connection first, not at one in use', async () => {
    const net = network();
    const origin = await idle(net);
    origin.goaway(1);
    const careful = net.connector.getSession(peer(), { careful: true });
    expect(careful).toBeInstanceOf(Promise);
    const session = await careful;
    expect(session.reused).toBe(false);
    expect(net.origins).toHaveLength(2);
    await settle();
    expect(net.connector.getSession(peer(), { careful: true })).not.toBeInstanceOf(Promise);
  });
});

describe('Http2Connector: maxConnections', () => {
  test('counts connections, not requests', async () => {
    const net = network();
    const asked = new Asked(net, 50, { maxConnections: 1 });
    await settle();
    expect(asked.sessions).toHaveLength(50);
    expect(net.origins).toHaveLength(1);
  });

  test('beyond it requests wait for places, and too many are refused', async () => {
    const net = network();
    net.onConnection = (origin) => void origin.settings([3, 2]);
    const capped = { maxConnections: 1, maxPendingRequests: 2 };
    const asked = new Asked(net, 2, capped);
    await settle();
    await settle();
    expect(asked.sessions).toHaveLength(2);
    const later = new Asked(net, 3, capped);
    await settle();
    expect(later.errors).toEqual([expect.objectContaining({ type: 'HTTPStatus', status: 503, source: 'Upstream' })]);
    expect(net.connector.stats).toMatchObject({ waiting: 2, active: 1 });
    for (const session of asked.sessions) session.release();
    await settle();
    expect(later.sessions).toHaveLength(2);
    expect(net.origins).toHaveLength(1);
    expect(net.connector.stats.waiting).toBe(0);
  });

  test('an idle connection does not count, and is taken first', async () => {
    const net = network();
    const capped = { maxConnections: 1 };
    await idle(net, capped);
    const first = await busy(net, capped);
    first.abort();
    await busy(net, capped);
    expect(net.origins).toHaveLength(1);
  });

  test('a connection that breaks makes room', async () => {
    const net = network();
    const capped = { maxConnections: 1, maxH2Streams: 1 };
    await busy(net, capped);
    const later = new Asked(net, 1, capped);
    await settle();
    expect(later.sessions).toHaveLength(0);
    net.origins[0]?.stream.end();
    await settle();
    await settle();
    expect(later.sessions).toHaveLength(1);
    expect(net.origins).toHaveLength(2);
  });

  test('so does one whose opening fails', async () => {
    const net = network();
    const capped = { maxConnections: 1 };
    net.beforeConnect = () => Promise.reject(new Error('broken'));
    for (let i = 0; i < 3; i += 1) {
      const asked = new Asked(net, 1, capped);
      await settle();
      expect(asked.errors).toHaveLength(1);
    }
    net.beforeConnect = () => Promise.resolve();
    await busy(net, capped);
    expect(net.connector.stats).toMatchObject({ active: 1, waiting: 0 });
  });

  test('one that leaves while it waits leaves nothing behind', async () => {
    const net = network();
    const capped = { maxConnections: 1, maxH2Streams: 1 };
    const first = await busy(net, capped);
    const controller = new AbortController();
    const later = new Asked(net, 1, capped, { signal: controller.signal });
    await settle();
    controller.abort();
    await settle();
    expect(later.errors[0]?.type).toBe('ConnectError');
    expect(net.connector.stats.waiting).toBe(0);
    first.abort();
    await settle();
    await busy(net, capped);
    expect(net.origins).toHaveLength(1);
  });
});

describe('Http2ClientConnection: deadlines', () => {
  test('an upstream that never sends SETTINGS', async () => {
    const net = network();
    net.onConnection = () => undefined;
    const first = new Asked(net, 1, { connectionTimeoutMs: 2_000 });
    const others = new Asked(net, 2, { connectionTimeoutMs: 2_000 });
    await settle();
    const recorder = new Recorder();
    const [session] = first.sessions;
    if (session === undefined) throw new Error('the first request has no session');
    session.handler = recorder;
    session.writeHead(request(), 0);
    await settle();
    await net.pass(2_100);
    expect(recorder.error).toMatchObject({ type: 'H2Error', retry: false });
    expect(recorder.error?.toString()).toContain('sent no SETTINGS');
    expect(others.errors.map(({ type }) => type)).toEqual(['H2Error', 'H2Error']);
    expect(net.origins[0]?.closed).toBe(true);
    expect(net.connector.stats).toMatchObject({ h2Connections: 0, active: 0, waiting: 0 });
  });

  test('one that never acknowledges ours', async () => {
    const net = network();
    net.onConnection = (origin) => {
      origin.acknowledges = false;
      origin.settings();
    };
    await busy(net, { connectionTimeoutMs: 2_000 });
    await settle();
    await net.pass(2_100);
    expect(net.origins[0]?.of(GOAWAY).at(-1)?.payload.readUInt32BE(4)).toBe(4);
    expect(net.connector.stats.h2Connections).toBe(0);
  });

  test('what is announced: no push, the windows, the limits of heads', async () => {
    const net = network();
    await busy(net, {
      h2StreamWindowBytes: 100_000,
      h2ConnectionWindowBytes: 1_000_000,
      limits: { maxHeadBytes: 9_000 },
    });
    await settle();
    const payload = net.origins[0]?.of(SETTINGS)[0]?.payload as Buffer;
    const announced: Record<number, number> = {};
    for (let at = 0; at < payload.length; at += 6) announced[payload.readUInt16BE(at)] = payload.readUInt32BE(at + 2);
    expect(announced).toMatchObject({ 2: 0, 4: 100_000, 6: 9_000 });
    expect(net.origins[0]?.of(8, 0)[0]?.payload.readUInt32BE(0)).toBe(1_000_000 - 65_535);
  });

  test('pings go out at their interval, and keep nobody waiting', async () => {
    const net = network();
    const origin = await idle(net, { h2PingIntervalMs: 1_000, idleTimeoutMs: 60_000 });
    for (let i = 1; i <= 3; i += 1) {
      await net.pass(1_040);
      expect(origin.of(PING)).toHaveLength(i);
      origin.pong();
      await settle();
    }
    expect(net.connector.stats.idle).toBe(1);
  });

  test('a ping without an answer ends the connection', async () => {
    const net = network();
    const options = { h2PingIntervalMs: 1_000, h2PingTimeoutMs: 500 };
    await idle(net, options);
    const session = await net.connector.getSession(peer(options));
    const recorder = new Recorder();
    session.handler = recorder;
    session.writeHead(request(), 0);
    await net.pass(1_040);
    expect(recorder.lines).toEqual([]);
    await net.pass(540);
    expect(recorder.error).toMatchObject({ type: 'PingTimedout', source: 'Upstream', retry: 'ReusedOnly' });
    expect(net.connector.stats.h2Connections).toBe(0);
    expect(net.wheel.size).toBe(0);
  });

  test('a flood of frames that ask for nothing ends the connection', async () => {
    const net = network();
    const session = await busy(net);
    const recorder = new Recorder();
    session.handler = recorder;
    await settle();
    const origin = net.origins[0] as RawHttp2;
    const ping = Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    origin.stream.write(Buffer.concat(new Array<Buffer>(2_000).fill(ping)));
    await settle();
    expect(recorder.error).toMatchObject({ type: 'H2Error', source: 'Upstream' });
    expect(origin.of(GOAWAY).at(-1)?.payload.readUInt32BE(4)).toBe(11);
    expect(net.connector.stats.h2Connections).toBe(0);
  });
});

test('HttpConnector: a peer that makes its sessions itself is only asked', async () => {
  const net = network();
  const own = { httpVersion: '2' } as unknown as ClientSession;
  const asked: SessionRequest[] = [];
  const custom = Object.assign(peer(), {
    openSession: (wish: SessionRequest) => {
      asked.push(wish);
      return own;
    },
  });
  expect(net.connector.getSession(custom, { http1Only: true })).toBe(own);
  expect(asked).toEqual([{ http1Only: true }]);
  expect(net.origins).toHaveLength(0);
});
