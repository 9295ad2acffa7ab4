/**
 * Tunnels over real sockets at their edges: servers that speak first, ends behind a backlog, refusals.
 */
import { Duplex } from 'node:stream';
import type { HttpModule } from '@cirque/http';
import { HttpPeer, type SessionRequest } from '@cirque/pool';
import { LeakCheck, RawClient } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProxyPhases } from '../src/proxy-http.ts';
import { type ListeningProxy, listen } from './listening-proxy.ts';
import { RawOrigin } from './raw-origin.ts';

const CONNECT = 'CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n\r\n';
const UPGRADE = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

let leaks: LeakCheck;
const cleanUps: (() => unknown)[] = [];

beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await leaks.assertClean();
});

interface Setting {
  readonly origin: RawOrigin;
  readonly proxy: ListeningProxy;
  readonly client: RawClient;
}

async function setUp(phases: Partial<ProxyPhases<undefined>> = {}): Promise<Setting> {
  const origin = await RawOrigin.listen();
  cleanUps.push(() => origin.close());
  const peer = new HttpPeer(`127.0.0.1:${origin.port}`);
  const proxy = await listen({ newCtx: () => undefined, upstreamPeer: () => peer, ...phases }, { allowConnect: true });
  cleanUps.push(() => proxy.close());
  const client = await RawClient.connect({ port: proxy.port });
  cleanUps.push(() => client.close());
  return { origin, proxy, client };
}

async function idle(proxy: ListeningProxy): Promise<void> {
  await vi.waitFor(() => {
    expect(proxy.openConnections).toBe(0);
    expect(proxy.stats).toMatchObject({ active: 0, upstream: { active: 0 } });
  });
}

describe('a server that speaks first', () => {
  test('waits for a response phase that takes its time', async () => {
    const { origin, client } = await setUp({
      responseFilter: () => new Promise((resolve) => setTimeout(resolve, 100)),
    });
    await client.send(CONNECT);
    await vi.waitFor(() => expect(origin.sockets).toHaveLength(1));
    origin.sockets[0]?.write('220 ready');
    expect(await client.waitFor('220 ready')).toBe('HTTP/1.1 200 OK\r\n\r\n220 ready');
  });
});

describe('modules', () => {
  test.each([
    ['initDownstreamModules', CONNECT, ''],
    ['initUpstreamModules', CONNECT, ''],
    ['initDownstreamModules', UPGRADE, SWITCHING],
    ['initUpstreamModules', UPGRADE, SWITCHING],
  ] as const)('of %s see nothing of what passes a tunnel (%j)', async (side, request, answer) => {
    const seen: string[] = [];
    const module: HttpModule = {
      responseHeaderFilter: (header) => void seen.push(`head ${header.status}`),
      responseBodyFilter: (body) => void seen.push(`body ${body}`),
    };
    const { origin, client } = await setUp({
      [side]: (modules: Parameters<NonNullable<ProxyPhases<undefined>['initDownstreamModules']>>[0]) =>
        modules.add({ name: 'noting', create: () => module }),
    });
    await client.send(request);
    await vi.waitFor(() => expect(origin.sockets).toHaveLength(1));
    if (answer !== '') await origin.received('\r\n\r\n');
    origin.sockets[0]?.write(`${answer}tunnelled`);
    await client.waitFor('tunnelled');
    expect(seen).toEqual([]);
  });
});

/** Notes how it is asked for a session, and has none. */
class AskedPeer extends HttpPeer {
  readonly asked: (boolean | undefined)[] = [];

  openSession({ http1Only }: SessionRequest): never {
    this.asked.push(http1Only);
    throw new Error('no session');
  }
}

describe('a peer that opens its own sessions', () => {
  test.each([
    ['websocket', true],
    ['TLS/1.0', false],
  ])('an upgrade to %s: is asked for HTTP/1 only where it may be passed on', async (protocol, http1Only) => {
    const peer = new AskedPeer('10.0.0.1:80');
    const { client } = await setUp({ upstreamPeer: () => peer });
    await client.send(UPGRADE.replace('websocket', protocol));
    await client.waitFor('\r\n\r\n');
    expect(peer.asked).toEqual([http1Only]);
  });

  test('is not gone round by CONNECT', async () => {
    const origin = await RawOrigin.listen();
    cleanUps.push(() => origin.close());
    const { client } = await setUp({ upstreamPeer: () => new AskedPeer(`127.0.0.1:${origin.port}`) });
    await client.send(CONNECT);
    expect(await client.waitFor('\r\n\r\n')).toMatch('HTTP/1.1 500');
    expect(origin.sockets).toHaveLength(0);
  });
});

describe('a refused CONNECT', () => {
  test.each<[string, Partial<ProxyPhases<undefined>>]>([
    [
      'by requestFilter',
      {
        requestFilter(session) {
          if (session.requestHeader.method !== 'CONNECT') return false;
          session.respond(403, 'no');
          return true;
        },
      },
    ],
    ['by proxyUpstreamFilter', { proxyUpstreamFilter: (session) => session.requestHeader.method !== 'CONNECT' }],
  ])('%s closes the connection: what follows was meant for the far end', async (_, phases) => {
    const { origin, client } = await setUp(phases);
    await client.send(`${CONNECT}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(await client.waitFor('\r\n\r\n')).toMatch(/^HTTP\/1.1 (403|502) .*Connection: close/s);
    await client.waitForClose();
    expect(origin.texts).toEqual([]);
  });
});

/** An upstream that has said all it had to say, and takes what it is sent slowly. */
class SlowReader extends Duplex {
  text = '';
  readonly #answer: string;

  constructor(answer: string) {
    super();
    this.#answer = answer;
    if (answer === '') this.push(null);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    setTimeout(() => {
      if (this.destroyed) return;
      this.text += chunk.toString('latin1');
      if (this.#answer !== '' && this.text.endsWith('\r\n\r\n')) {
        this.push(this.#answer);
        this.push(null);
      }
      done();
    }, 10);
  }
}

describe('the end of the client behind a backlog', () => {
  test.each([
    ['CONNECT', CONNECT, ''],
    ['upgrade', UPGRADE, SWITCHING],
  ])('%s: an origin that has ended its side gets everything', async (_, request, answer) => {
    const reader = new SlowReader(answer);
    const peer = new HttpPeer('10.0.0.1:80', { customConnect: () => Promise.resolve(reader) });
    const { proxy, client } = await setUp({ upstreamPeer: () => peer });
    await client.send(request);
    expect(await client.waitForClose()).toBe('end');
    await client.sendChunks(['a', 'b', 'c'].map((letter) => Buffer.alloc(1_000, letter)));
    client.end();
    await idle(proxy);
    expect(reader.text.replace(/^.*\r\n\r\n/s, '')).toMatch(/^a{1000}b{1000}c{1000}$/);
    expect(reader.destroyed).toBe(true);
    expect(proxy.stats.failures).toBe(0);
  });
});

describe('the end of the origin', () => {
  test.each([
    ['CONNECT', CONNECT, ''],
    ['upgrade', UPGRADE, SWITCHING],
  ])(
    '%s: is told once to a filter that takes its time, whatever the client reads later',
    async (_, request, answer) => {
      let ends = 0;
      const more = Buffer.alloc(8 * 1_048_576, 'x');
      const { origin, proxy, client } = await setUp({
        async responseBodyFilter(_session, _body, end) {
          await Promise.resolve();
          if (!end) return undefined;
          ends += 1;
          return more;
        },
      });
      await client.send(request);
      await vi.waitFor(() => expect(origin.sockets).toHaveLength(1));
      if (answer !== '') await origin.received('\r\n\r\n');
      client.pause();
      origin.sockets[0]?.end(answer);
      await vi.waitFor(() => expect(ends).toBe(1));
      client.resume();
      expect(await client.waitForClose()).toBe('end');
      expect(client.received.length).toBeGreaterThan(more.length);
      await client.send('still there');
      await origin.received('still there');
      client.end();
      await idle(proxy);
      expect(ends).toBe(1);
      expect(proxy.stats.failures).toBe(0);
    },
  );
});
