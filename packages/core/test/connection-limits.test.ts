/** Connections over a limit, with real sockets: who is refused, what he sees, and that every place is given back. */
import { channel } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { LeakCheck, type RawClient, SeededRandom } from '@cirque/testing';
import { encodeProxyHeader } from '@cirque/transport';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CONNECTION_CHANNELS, type ConnectionEvent, type ServerApp, TlsSettings } from '../src/index.ts';
import { ServiceConnections } from '../src/listeners/service-connections.ts';
import { allocateShared } from '../src/service/thread-place.ts';
import { HttpSite, StackSite, type StackSiteOptions, until } from './stack-site.ts';
import { ca, visit } from './tls-site.ts';

let leaks: LeakCheck;
const closers: (() => Promise<void>)[] = [];

beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await leaks.assertClean();
});

async function start(app: ServerApp, options?: StackSiteOptions): Promise<StackSite> {
  const site = await StackSite.start(app, options);
  closers.push(() => site.close());
  return site;
}

const certificate = ca.issue({ names: ['a.example'] });
const get = 'GET /hello HTTP/1.1\r\nHost: a\r\n\r\n';
const echo: ServerApp = { processNew: ({ duplex }) => void duplex.pipe(duplex) };

/** What a client with TLS gets that asks once, and waits for the end. */
async function visitHttp(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca: ca.cert, servername: 'a.example' });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  socket.write(get);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** The client is served. */
async function served(client: RawClient): Promise<void> {
  await client.send(get);
  await client.waitFor('/hello');
}

describe('maxConnections', () => {
  test('maxConnections answers the next HTTP client with 503, and has a place again when one is gone', async () => {
    const site = await start(new HttpSite().app, { limits: { maxConnections: 1 } });
    const first = await site.client();
    await served(first);
    const second = await site.client();
    expect(await second.waitForClose()).toBe('end');
    expect(second.text).toBe(
      'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nCache-Control: private, no-store\r\nRetry-After: 1\r\nConnection: close\r\n\r\n',
    );
    second.end();
    await served(first);
    await first.close();
    await site.open(0);
    await served(await site.client());
    expect(site.stats).toMatchObject({ accepted: 3, open: 1, closed: 2, refused: { limit: 1, perClient: 0 } });
    expect(site.lines.map(({ message }) => message)).toEqual(['connection refused: the service has as many as it may']);
  });

  test('maxConnections does not let the 503 be lost to a client that is sending', async () => {
    const site = await start(new HttpSite().app, { limits: { maxConnections: 1 } });
    await site.client();
    await site.open(1);
    const second = await site.client();
    // It does not read until it has sent everything: a reset would take the answer away.
    second.pause();
    await second.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(200_000)}`);
    second.resume();
    expect(await second.waitForClose()).toBe('end');
    expect(second.text).toMatch(/^HTTP\/1\.1 503 /);
  });

  test('maxConnections answers 100 clients at a time, and closes the others without a word', async () => {
    const http = new HttpSite();
    const site = await start(http.app, { limits: { maxConnections: 1 } });
    await site.client();
    await site.open(1);
    // They take their answer and stay; time stands still.
    const patient: RawClient[] = [];
    for (let count = 0; count < 100; count += 1) patient.push(await site.client());
    for (const client of patient) expect(await client.waitForClose()).toBe('end');
    expect(site.connections.open.size).toBe(101);
    const late = await site.client();
    await late.waitForClose();
    expect(late.text).toBe('');
    // After a second the server has waited long enough.
    await http.pass(1_100);
    await site.open(1);
    const next = await site.client();
    expect(await next.waitFor('\r\n\r\n')).toContain(' 503 ');
    expect(site.stats).toMatchObject({ refused: { limit: 102 } });
  });

  test.each([
    ['that wants it so', new HttpSite().app, { overLimit: 'close' } as const],
    ['without an answer', echo, {}],
  ])('maxConnections only closes on a service %s', async (_what, app, more) => {
    const site = await start(app, { limits: { maxConnections: 1, ...more } });
    await site.client();
    await site.open(1);
    const second = await site.client();
    await second.waitForClose();
    expect(second.text).toBe('');
    await site.open(1);
  });

  test('maxConnections closes before a TLS handshake', async () => {
    const tls = new TlsSettings({ certificate });
    const site = await start(new HttpSite().app, { tls, limits: { maxConnections: 1 } });
    const first = await site.client();
    await site.open(1);
    const second = await visit(site.port);
    expect([second.text, second.version]).toEqual(['', undefined]);
    const { refused, handshakes } = site.connections.counters;
    expect([refused.limit, handshakes.failed]).toEqual([1, 0]);
    await first.close();
  });

  test('maxConnections survives an application whose answer fails', async () => {
    const app: ServerApp = {
      ...echo,
      overLimit: () => {
        throw new Error('no words');
      },
    };
    const site = await start(app, { limits: { maxConnections: 1 } });
    const first = await site.client();
    await site.open(1);
    await (await site.client()).waitForClose();
    await first.send('still here');
    await first.waitFor('still here');
  });

  test('maxConnections gives back every place exactly once, however connections end', async () => {
    const site = await start(new HttpSite().app, { limits: { maxConnections: 8, maxConnectionsPerClient: 5 } });
    const random = new SeededRandom(7);
    const open: RawClient[] = [];
    for (let round = 0; round < 300; round += 1) {
      const client = open[random.int(0, 11)];
      if (client === undefined) open.push(await site.client(`127.0.0.${random.int(1, 3)}`));
      else {
        const how = random.int(0, 2);
        if (how === 0) client.end();
        else if (how === 1) client.reset();
        else await client.send(get).catch(() => {});
        if (how < 2) open.splice(open.indexOf(client), 1);
      }
    }
    for (const client of open) client.reset();
    await site.open(0);
    // All places are free: 5 for one client, 3 for another, and no more.
    const places = ['127.0.0.1', '127.0.0.2'].flatMap((address) => Array.from({ length: 5 }, () => address));
    const before = site.connections.counters.refused;
    const [limit, perClient] = [before.limit, before.perClient];
    for (const address of places) await site.client(address);
    await until(() => before.limit === limit + 2, 'two refusals');
    expect(before.perClient).toBe(perClient);
  });

  test('maxConnections counts over the threads of a service', async () => {
    const limits = { maxConnections: 2 };
    const { app } = new HttpSite();
    const shared = allocateShared(new ServiceConnections('site', app, limits).sharedMemory(2));
    const sites = await Promise.all(
      [0, 1].map((index) => start(app, { limits, place: { index, count: 2, row: index, rows: 2, shared } })),
    );
    const [one, two] = sites as [StackSite, StackSite];
    await served(await one.client());
    const second = await two.client();
    await served(second);
    for (const site of sites) expect(await (await site.client()).waitFor('\r\n\r\n')).toContain(' 503 ');
    await second.close();
    await two.open(1); // the one that is being told no
    await served(await one.client());
  });
});

describe('maxConnectionsPerClient', () => {
  test('maxConnectionsPerClient refuses one client and serves another', async () => {
    const site = await start(new HttpSite().app, { limits: { maxConnectionsPerClient: 2 } });
    const mine = [await site.client('127.0.0.1'), await site.client('127.0.0.1')];
    for (const client of mine) await served(client);
    const third = await site.client('127.0.0.1');
    expect(await third.waitFor('\r\n\r\n')).toContain(' 503 ');
    await served(await site.client('127.0.0.2'));
    await mine[0]?.close();
    await until(() => site.stats.closed === 1, 'the close');
    await served(await site.client('127.0.0.1'));
    expect(site.stats).toMatchObject({ refused: { limit: 0, perClient: 1 } });
    expect(site.lines[0]).toMatchObject({ level: 'warn', facts: { client: '127.0.0.1', maxConnectionsPerClient: 2 } });
  });

  test('maxConnectionsPerClient takes a network for a client where it is told to', async () => {
    const limits = { maxConnectionsPerClient: 1, clientPrefix: { v4: 24 } };
    const site = await start(new HttpSite().app, { limits });
    await served(await site.client('127.0.0.1'));
    expect(await (await site.client('127.0.0.2')).waitFor('\r\n\r\n')).toContain(' 503 ');
    await served(await site.client('127.0.1.1'));
  });

  test('maxConnectionsPerClient counts those whom a PROXY header announces', async () => {
    const tcp = { proxyProtocol: 'required', trustedSources: ['127.0.0.1'] } as const;
    const site = await start(new HttpSite().app, { tcp, limits: { maxConnectionsPerClient: 1 } });
    const announced = async (host: string): Promise<RawClient> => {
      const client = await site.client();
      const destination = { host: host.includes(':') ? '2001:db8::ff' : '198.51.100.1', port: 80 };
      await client.send(encodeProxyHeader({ version: 2, source: { host, port: 7_000 }, destination }));
      return client;
    };
    const first = await announced('2001:db8::1');
    await served(first);
    expect(await (await announced('2001:db8::2')).waitFor('\r\n\r\n')).toContain(' 503 ');
    await served(await announced('2001:db8:0:1::1'));
    await served(await announced('192.0.2.1'));
    await first.close();
    await until(() => site.connections.open.size <= 3, 'the close');
    await served(await announced('2001:db8::3'));
  });

  test('maxConnectionsPerClient follows a connection through its TLS handshake', async () => {
    const tls = new TlsSettings({ certificate });
    const site = await start(echo, { tls, limits: { maxConnectionsPerClient: 1 } });
    for (let round = 0; round < 3; round += 1) {
      expect((await visit(site.port)).text).toBe('ping');
      await site.open(0);
    }
    expect(site.stats).toMatchObject({ refused: { perClient: 0 }, handshakes: { completed: 3, failed: 0 } });
  });

  test('maxConnectionsPerClient means nobody on a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-core-'));
    closers.push(async () => rmSync(folder, { recursive: true }));
    const site = await start(new HttpSite().app, {
      path: join(folder, 'a.sock'),
      limits: { maxConnectionsPerClient: 1 },
    });
    await served(await site.client());
    await served(await site.client());
  });
});

describe('counters and events', () => {
  test('ServiceConnections counts what becomes of TLS handshakes', async () => {
    const tls = new TlsSettings({ certificate, handshakeTimeoutMs: 1_500 });
    const site = await start(echo, { tls });
    const first = await visit(site.port, { maxVersion: 'TLSv1.2' });
    expect((await visit(site.port, { maxVersion: 'TLSv1.2', session: first.session as Buffer })).reused).toBe(true);
    const stranger = await site.client();
    await stranger.send('GET / HTTP/1.1\r\n\r\n');
    await stranger.waitForClose();
    await (await site.client()).waitForClose();
    const quitter = await site.client();
    await site.open(1);
    await quitter.close();
    await site.open(0);
    expect(site.stats).toEqual({
      accepted: 5,
      open: 0,
      closed: 5,
      refused: { limit: 0, perClient: 0, filter: 0, filterError: 0, handshake: 2, descriptors: 0 },
      handshakes: { completed: 2, failed: 1, timedOut: 1, abandoned: 1, resumed: 1 },
    });
  });

  test.each([
    ['filter', (): boolean => false],
    ['filter', async (): Promise<boolean> => false],
    ['filterError', (): Promise<boolean> => Promise.reject(new Error('broken'))],
  ] as const)('ServiceConnections counts and tells a refusal for %s', async (reason, filter) => {
    const told: ConnectionEvent[] = [];
    const listener = (event: unknown): void => void told.push(event as ConnectionEvent);
    channel(CONNECTION_CHANNELS.refused).subscribe(listener);
    closers.push(async () => void channel(CONNECTION_CHANNELS.refused).unsubscribe(listener));
    const site = await start(echo, { filter });
    await (await site.client()).waitForClose();
    await site.open(0);
    expect(site.connections.counters.refused[reason]).toBe(1);
    expect(told).toMatchObject([{ service: 'site', reason }]);
    expect(told[0]?.digest.socket.remoteAddress).toBe('127.0.0.1');
  });

  test('ServiceConnections tells of the connections that the application gets, each once', async () => {
    const told: string[] = [];
    const opened = (event: unknown): void => void told.push(`open ${(event as ConnectionEvent).service}`);
    const closed = (event: unknown): void => void told.push(`close ${(event as ConnectionEvent).digest.ssl?.version}`);
    channel(CONNECTION_CHANNELS.open).subscribe(opened);
    channel(CONNECTION_CHANNELS.close).subscribe(closed);
    closers.push(async () => {
      channel(CONNECTION_CHANNELS.open).unsubscribe(opened);
      channel(CONNECTION_CHANNELS.close).unsubscribe(closed);
    });
    const site = await start(echo, { tls: new TlsSettings({ certificate }) });
    await (await site.client()).close();
    await until(() => site.stats.closed === 1, 'one that never gets there');
    await visit(site.port);
    await site.open(0);
    expect(told).toEqual(['open site', 'close TLSv1.3']);
  });

  test('ServiceConnections counts accept errors for want of descriptors', async () => {
    const site = await start(echo);
    const { counters } = site.connections;
    site.emitError(Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    site.emitError(Object.assign(new Error('accept ECONNABORTED'), { code: 'ECONNABORTED' }));
    expect([counters.refused.descriptors, counters.accepted]).toEqual([1, 0]);
  });

  test('HttpConnectionApp.stats counts connections and requests by version', async () => {
    const http = new HttpSite();
    const site = await start(http.app);
    const client = await site.client();
    await served(client);
    await served(client);
    const bad = await site.client();
    await bad.send('nonsense\r\n\r\n');
    await bad.waitForClose();
    expect(http.app.stats()).toEqual({ http: { h1Connections: 2, h2Connections: 0, requests: 2 } });
  });
});

describe('stop', () => {
  test('a TLS handshake that is under way when the service stops is completed, and its request answered', async () => {
    const gate = Promise.withResolvers<void>();
    const asked = vi.fn();
    const tls = new TlsSettings({
      certificate,
      handshakeComplete: async () => {
        asked();
        await gate.promise;
      },
    });
    const site = await start(new HttpSite().app, { tls });
    const visited = visitHttp(site.port);
    await until(() => asked.mock.calls.length === 1, 'the handshake');
    site.stop();
    gate.resolve();
    expect(await visited).toMatch(/^HTTP\/1\.1 200 .*Connection: close\r\n.*\/hello$/s);
    await site.open(0);
  });

  test('a connection whose filter decides after the stop is served, and closed behind its request', async () => {
    const verdict = Promise.withResolvers<boolean>();
    const site = await start(new HttpSite().app, { filter: () => verdict.promise });
    const client = await site.client();
    await site.open(1);
    site.stop();
    await client.send(get);
    verdict.resolve(true);
    expect(await client.waitFor('/hello')).toContain('Connection: close\r\n');
    expect(await client.waitForClose()).toBe('end');
  });
});
