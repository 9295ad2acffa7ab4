import { getEventListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';
import { duplexPair, FakeClock, LeakCheck, type OriginScript, TestOrigin } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HttpPeer } from '../src/peer.ts';
import type { ConnectionTracer, PeerOptions } from '../src/peer-options.ts';
import { TransportConnector, type TransportConnectorOptions } from '../src/transport-connector.ts';
import { openBlackHole } from './black-hole.ts';
import { closeAll, closeLater } from './closing.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start({ ignore: ['MessagePort'] });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
  await leaks.assertClean();
});

async function openOrigin(script: OriginScript = [], host = '127.0.0.1'): Promise<TestOrigin> {
  const origin = await TestOrigin.listen(script, { host });
  closeLater(() => origin.close());
  return origin;
}

/** A connector to which `name` has the given addresses. */
function connectorOf(addresses: string[], options: TransportConnectorOptions = {}): TransportConnector {
  return new TransportConnector({ resolver: { lookup: () => Promise.resolve(addresses) }, ...options });
}

async function open(connector: TransportConnector, peer: HttpPeer, signal?: AbortSignal): Promise<Stream> {
  const stream = await connector.newStream(peer, signal);
  closeLater(() => stream.destroy());
  return stream;
}

async function failure(attempt: Promise<unknown>): Promise<CirqueError> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CirqueError);
  return error as CirqueError;
}

function handDriven(): { clock: FakeClock; wheel: TimerWheel } {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  return { clock, wheel };
}

async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('TransportConnector: names', () => {
  test('the next address is tried when the first refuses', async () => {
    const origin = await openOrigin();
    const connector = connectorOf(['127.0.0.9', '127.0.0.1']);
    const stream = await open(connector, new HttpPeer({ host: 'name', port: origin.port }));
    expect(stream.digest.socket.remoteAddress).toBe('127.0.0.1');
  });

  test('when all refuse, the last error is told', async () => {
    const origin = await openOrigin();
    const connector = connectorOf(['127.0.0.8', '127.0.0.9']);
    const error = await failure(connector.newStream(new HttpPeer({ host: 'name', port: origin.port })));
    expect(error.type).toBe('ConnectRefused');
    expect(error.message).toContain('127.0.0.9');
  });

  test('each address has its own connectionTimeoutMs', async () => {
    const { clock, wheel } = handDriven();
    const port = await openBlackHole();
    const connector = connectorOf(['127.0.0.1', '127.0.0.1'], { wheel });
    const attempt = failure(connector.newStream(new HttpPeer({ host: 'name', port }, { connectionTimeoutMs: 400 })));
    await turns();
    clock.advance(420);
    await turns();
    expect(wheel.size).toBe(1);
    clock.advance(420);
    expect((await attempt).type).toBe('ConnectTimedout');
  });

  test('a name without address is ConnectNoRoute', async () => {
    const connector = connectorOf([]);
    const error = await failure(connector.newStream(new HttpPeer('name:80')));
    expect(error).toMatchObject({ type: 'ConnectNoRoute', source: 'Upstream' });
  });

  test('localhost needs no configuration', async () => {
    const origin = await openOrigin();
    const stream = await open(new TransportConnector(), new HttpPeer({ host: 'localhost', port: origin.port }));
    expect(stream.digest.socket.remoteAddress).toBe('127.0.0.1');
  });
});

describe('TransportConnector: totalConnectionTimeoutMs and abort', () => {
  const HANGING: [
    name: string,
    open: () => Promise<{ peer: (options: PeerOptions) => HttpPeer; lookup?: () => Promise<string[]> }>,
  ][] = [
    [
      'a lookup',
      async () => ({
        peer: (options) => new HttpPeer('name:80', options),
        lookup: () => new Promise(() => undefined),
      }),
    ],
    [
      'a connect',
      async () => {
        const port = await openBlackHole();
        return { peer: (options) => new HttpPeer({ host: '127.0.0.1', port }, options) };
      },
    ],
    [
      'a tunnel',
      async () => {
        const proxy = await openOrigin();
        return { peer: (options) => new HttpPeer('origin:80', { ...options, proxy: { nextHop: proxy.address } }) };
      },
    ],
    [
      'a connect of the user',
      async () => ({
        peer: (options) => new HttpPeer('origin:80', { ...options, customConnect: () => new Promise(() => undefined) }),
      }),
    ],
  ];

  test.each(HANGING)('%s is given up at the end of the budget', async (_, prepare) => {
    const { clock, wheel } = handDriven();
    const { peer, lookup } = await prepare();
    const connector = new TransportConnector({ wheel, ...(lookup === undefined ? {} : { resolver: { lookup } }) });
    const attempt = failure(connector.newStream(peer({ totalConnectionTimeoutMs: 500, connectionTimeoutMs: 0 })));
    await turns();
    clock.advance(520);
    const error = await attempt;
    expect(error).toMatchObject({ type: 'ConnectTimedout', source: 'Upstream' });
    expect(error.message).toContain('all in all');
    await turns();
    expect(wheel.size).toBe(0);
  });

  test.each(HANGING)('%s is given up when the signal aborts, at once', async (_, prepare) => {
    const { wheel } = handDriven();
    const { peer, lookup } = await prepare();
    const connector = new TransportConnector({ wheel, ...(lookup === undefined ? {} : { resolver: { lookup } }) });
    const controller = new AbortController();
    const attempt = failure(connector.newStream(peer({ totalConnectionTimeoutMs: 500 }), controller.signal));
    await turns();
    controller.abort();
    expect((await attempt).message).toContain('was cancelled');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await turns();
    expect(wheel.size).toBe(0);
  });

  test('a budget given by the caller replaces that of the peer', async () => {
    const { clock, wheel } = handDriven();
    const port = await openBlackHole();
    const connector = new TransportConnector({ wheel });
    const peer = new HttpPeer({ host: '127.0.0.1', port }, { totalConnectionTimeoutMs: 5_000 });
    const attempt = failure(connector.newStream(peer, undefined, 100));
    clock.advance(120);
    expect((await attempt).type).toBe('ConnectTimedout');
  });

  test('a signal that has aborted opens nothing', async () => {
    const connect = vi.fn(() => Promise.resolve(duplexPair()[0]));
    const connector = new TransportConnector();
    const peer = new HttpPeer('origin:80', { customConnect: connect });
    expect((await failure(connector.newStream(peer, AbortSignal.abort()))).type).toBe('ConnectError');
    expect(connect).not.toHaveBeenCalled();
  });

  test.each(['budget', 'signal'])(
    'a stream of the user that comes after the end of the %s is destroyed',
    async (what) => {
      const { clock, wheel } = handDriven();
      const opening = Promise.withResolvers<Duplex>();
      const controller = new AbortController();
      let told: AbortSignal | undefined;
      const connector = new TransportConnector({ wheel });
      const peer = new HttpPeer('origin:80', {
        totalConnectionTimeoutMs: 500,
        connectionTimeoutMs: 0,
        customConnect: (_address, signal) => {
          told = signal;
          return opening.promise;
        },
      });
      const attempt = failure(connector.newStream(peer, controller.signal));
      expect(told?.aborted).toBe(false);
      if (what === 'signal') controller.abort();
      else clock.advance(520);
      await attempt;
      expect(told?.aborted).toBe(true);
      const [near] = duplexPair();
      opening.resolve(near);
      await turns();
      expect(near.destroyed).toBe(true);
    },
  );

  test('a function of the user learns that its attempt has failed', async () => {
    let told: AbortSignal | undefined;
    const { clock, wheel } = handDriven();
    const peer = new HttpPeer('origin:80', {
      connectionTimeoutMs: 100,
      customConnect: (_address, signal) => {
        told = signal;
        return new Promise(() => undefined);
      },
    });
    const attempt = failure(new TransportConnector({ wheel }).newStream(peer));
    clock.advance(120);
    await attempt;
    expect(told?.aborted).toBe(true);
  });
});

describe('TransportConnector: local addresses', () => {
  test('bindTo is where the connection comes from', async () => {
    const origin = await openOrigin();
    const peer = new HttpPeer(origin.address, { bindTo: { address: '127.0.0.7' } });
    const stream = await open(new TransportConnector({ bindToIpv4: ['127.0.0.5'] }), peer);
    expect(stream.digest.socket.localAddress).toBe('127.0.0.7');
  });

  test('bindTo that cannot be bound is BindError, with fallback the system chooses', async () => {
    const origin = await openOrigin();
    const connector = new TransportConnector();
    const strict = new HttpPeer(origin.address, { bindTo: { address: '192.0.2.1' } });
    expect((await failure(connector.newStream(strict))).type).toBe('BindError');
    const relaxed = new HttpPeer(origin.address, { bindTo: { address: '192.0.2.1', fallback: true } });
    expect((await open(connector, relaxed)).digest.socket.localAddress).toBe('127.0.0.1');
  });

  test('fallback is for binding only: a refused connection stays refused, after one attempt', async () => {
    const closed = await TestOrigin.listen([]);
    await closed.close();
    const peer = new HttpPeer(closed.address, { bindTo: { address: '127.0.0.7', fallback: true } });
    expect((await failure(new TransportConnector().newStream(peer))).type).toBe('ConnectRefused');
  });

  test('with bindTo only addresses of its family are tried', async () => {
    const origin = await openOrigin();
    const connector = connectorOf(['::1', '127.0.0.1']);
    const peer = new HttpPeer({ host: 'name', port: origin.port }, { bindTo: { address: '127.0.0.7' } });
    expect((await open(connector, peer)).digest.socket.localAddress).toBe('127.0.0.7');
  });

  test('without one of its family it is BindError, with fallback all are tried', async () => {
    const origin = await openOrigin([], '::1');
    const connector = connectorOf(['::1']);
    const address = { host: 'name', port: origin.port };
    const strict = new HttpPeer(address, { bindTo: { address: '127.0.0.7' } });
    const error = await failure(connector.newStream(strict));
    expect(error).toMatchObject({ type: 'BindError', source: 'Upstream' });
    expect(error.message).toContain('name has no address of the family of bindTo 127.0.0.7');
    const relaxed = new HttpPeer(address, { bindTo: { address: '127.0.0.7', fallback: true } });
    expect((await open(connector, relaxed)).digest.socket.localAddress).toBe('::1');
  });

  test('of a list one is taken at random, of the family of the upstream', async () => {
    const origin = await openOrigin();
    const origin6 = await openOrigin([], '::1');
    const draws = [0, 0.5, 0.999];
    const connector = new TransportConnector({
      bindToIpv4: ['127.0.0.5', '127.0.0.6'],
      bindToIpv6: ['::1'],
      random: () => draws.shift() as number,
    });
    const locals = [];
    for (const { address } of [origin, origin, origin6]) {
      locals.push((await open(connector, new HttpPeer(address))).digest.socket.localAddress);
    }
    expect(locals).toEqual(['127.0.0.5', '127.0.0.6', '::1']);
  });

  test.each([
    [{ bindToIpv4: ['::1'] }, 'bindToIpv4 holds "::1": expected local IPv4 addresses without port'],
    [{ bindToIpv6: ['localhost'] }, 'bindToIpv6 holds "localhost": expected local IPv6 addresses'],
    [{ bindToIpv4: '127.0.0.1' }, 'bindToIpv4 is "127.0.0.1": expected a list of IP addresses'],
    [{ resolver: { ttlMs: -1 } }, 'resolver option ttlMs is -1'],
  ])('refuses %j', (options, message) => {
    expect(() => new TransportConnector(options as TransportConnectorOptions)).toThrow(message);
  });
});

describe('TransportConnector: through an HTTP proxy', () => {
  test('asks for the host and port of the peer, which the proxy resolves', async () => {
    const proxy = await openOrigin([{ expect: '\r\n\r\n' }, { send: 'HTTP/1.1 200 OK\r\n\r\n' }]);
    const peer = new HttpPeer('inner.example:8080', { proxy: { nextHop: proxy.address, headers: { 'X-A': 'b' } } });
    await open(new TransportConnector(), peer);
    expect(proxy.connections[0]?.text).toBe(
      'CONNECT inner.example:8080 HTTP/1.1\r\nHost: inner.example:8080\r\nX-A: b\r\n\r\n',
    );
  });

  test('a refusal closes the connection to the proxy', async () => {
    const proxy = await openOrigin([{ expect: '\r\n\r\n' }, { send: 'HTTP/1.1 403 Forbidden\r\n\r\n' }]);
    const peer = new HttpPeer('inner.example:8080', { proxy: { nextHop: proxy.address } });
    expect((await failure(new TransportConnector().newStream(peer))).type).toBe('ConnectProxyFailure');
    expect(await (proxy.connections[0] as NonNullable<(typeof proxy.connections)[0]>).waitForClose()).toBe('end');
  });

  test('a unix peer of somebody’s own making is refused before anything is opened', async () => {
    const proxy = await openOrigin();
    const options = new HttpPeer('a:1', { proxy: { nextHop: proxy.address } }).options;
    const peer = { address: { path: '/run/o.sock' }, options, reuseKey: 'x' };
    const error = await failure(new TransportConnector().newStream(peer));
    expect(error).toMatchObject({ type: 'InternalError', source: 'Internal' });
    expect(proxy.connections).toEqual([]);
  });
});

describe('TransportConnector: tracer', () => {
  function tracedPeer(tracer: ConnectionTracer): { peer: HttpPeer; far: Duplex } {
    const [near, far] = duplexPair();
    closeLater(() => near.destroy());
    far.on('error', () => undefined).resume();
    return { peer: new HttpPeer('origin:80', { tracer, customConnect: () => Promise.resolve(near) }), far };
  }

  test('hears of the connection and of its end, once each', async () => {
    const tracer = { onConnected: vi.fn(), onDisconnected: vi.fn() };
    const { peer } = tracedPeer(tracer);
    const stream = await new TransportConnector().newStream(peer);
    expect(tracer.onConnected).toHaveBeenCalledExactlyOnceWith(stream.digest);
    expect(tracer.onDisconnected).not.toHaveBeenCalled();
    stream.destroy();
    await turns();
    expect(tracer.onDisconnected).toHaveBeenCalledExactlyOnceWith(undefined);
  });

  test('hears of the error that ended it', async () => {
    const tracer = { onDisconnected: vi.fn() };
    const { peer, far } = tracedPeer(tracer);
    const stream = await new TransportConnector().newStream(peer);
    stream.start({ onRead() {}, onReadEnd() {}, onDrain() {}, onClose() {} });
    far.destroy(new Error('reset'));
    await turns();
    expect(tracer.onDisconnected).toHaveBeenCalledOnce();
    expect(tracer.onDisconnected.mock.calls[0]?.[0]).toMatchObject({
      source: 'Upstream',
      cause: { code: 'ECONNRESET' },
    });
  });

  test('hears nothing of attempts that failed', async () => {
    const tracer = { onConnected: vi.fn(), onDisconnected: vi.fn() };
    const connect = (): Promise<never> => Promise.reject(new Error('broken'));
    await failure(new TransportConnector().newStream(new HttpPeer('a:1', { tracer, customConnect: connect })));
    expect(tracer.onConnected).not.toHaveBeenCalled();
    expect(tracer.onDisconnected).not.toHaveBeenCalled();
  });

  const broken = (): never => {
    throw new Error('broken tracer');
  };
  test.each([
    ['throws', { onConnected: broken, onDisconnected: broken }],
    [
      'rejects',
      { onConnected: async () => broken(), onDisconnected: async () => broken() } as unknown as ConnectionTracer,
    ],
  ])('that %s is warned about, and the connection lives', async (_, tracer) => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { peer } = tracedPeer(tracer);
    const stream = await new TransportConnector().newStream(peer);
    expect(stream.destroyed).toBe(false);
    stream.destroy();
    await turns();
    expect(warnings.mock.calls).toEqual([
      ['connection tracer failed: Error: broken tracer', 'CirqueWarning'],
      ['connection tracer failed: Error: broken tracer', 'CirqueWarning'],
    ]);
  });
});
