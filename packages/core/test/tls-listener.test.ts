/** Listeners with TLS and real clients: certificates by name, protocols, deadlines, plaintext beside it, the end. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { LeakCheck, RawClient } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ListeningService, TlsSettings } from '../src/index.ts';
import { RunningServer } from './running-server.ts';
import { ca, closed, EchoApp, TlsSite, visit } from './tls-site.ts';

const certificate = ca.issue({ names: ['a.example', 'default'], organization: 'Default' });
const b = ca.issue({ names: ['b.example'] });
const wild = ca.issue({ names: ['*.wild.example'] });

let check: LeakCheck;
beforeEach(() => {
  check = LeakCheck.start();
});
afterEach(() => check.assertClean());

describe('a TLS listener', () => {
  test.each(['duplex', 'callback'] as const)('serves an application with %s reads', async (reads) => {
    await using site = await TlsSite.start({ certificate }, {}, () => {}, new EchoApp(reads));
    const seen = await visit(site.port, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(seen).toMatchObject({
      text: 'hello ping',
      error: undefined,
      server: 'a.example',
      alpn: 'http/1.1',
      version: 'TLSv1.3',
    });
    const [digest] = site.app.digests;
    expect(digest?.ssl).toMatchObject({
      version: 'TLSv1.3',
      alpn: 'http/1.1',
      serverName: 'a.example',
      authorized: false,
    });
    expect(digest?.socket.remoteAddress).toBe('127.0.0.1');
    expect(digest?.proxyHeader).toBeUndefined();
    await vi.waitFor(() => expect(site.service.openConnections).toBe(0));
  });

  test('carries a large body both ways', async () => {
    await using site = await TlsSite.start({ certificate }, {}, () => {}, new EchoApp('callback'));
    const client = connect({ port: site.port, ca: ca.cert, servername: 'a.example' });
    const sent = 'x'.repeat(3_000_000);
    let received = 0;
    client.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.end(sent);
    await once(client, 'close');
    expect(received).toBe('hello '.length + sent.length);
  });

  test('listens on a unix socket, and reads certificates from files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-tls-'));
    writeFileSync(join(folder, 'cert.pem'), certificate.cert);
    writeFileSync(join(folder, 'key.pem'), certificate.key);
    const service = new ListeningService('site', new EchoApp());
    service.addTls(`unix:${join(folder, 's')}`, join(folder, 'cert.pem'), join(folder, 'key.pem'));
    const running = await RunningServer.start([service]);
    const seen = await visit(0, { socket: connectTcp(join(folder, 's')) });
    expect(seen).toMatchObject({ text: 'hello ping', server: 'a.example' });
    await running.stopFast();
    rmSync(folder, { recursive: true });
  });
});

describe('certificates by server name', () => {
  const hosts = { 'B.example.': b, '*.wild.example': wild };

  test.each([
    ['a.example', 'a.example'],
    ['b.example', 'b.example'],
    ['B.EXAMPLE', 'b.example'],
    ['x.wild.example', '*.wild.example'],
    ['x.y.wild.example', 'a.example'],
    ['wild.example', 'a.example'],
    ['', 'a.example'],
  ])('%s gets the certificate of %s', async (servername, server) => {
    await using site = await TlsSite.start({ certificate, hosts });
    expect(await visit(site.port, { servername, rejectUnauthorized: false })).toMatchObject({
      server,
      text: 'hello ping',
    });
  });

  test.each([
    ['RSA', 'EC', 'TLSv1.2'],
    ['EC', 'RSA', 'TLSv1.2'],
    ['RSA', 'EC', 'TLSv1.3'],
    ['EC', 'RSA', 'TLSv1.3'],
  ] as const)('a default with %s and a host with %s do not mix, with %s', async (first, second, maxVersion) => {
    const issue = (name: string, kind: 'RSA' | 'EC'): typeof b =>
      ca.issue({ names: [name], keyType: kind === 'RSA' ? 'rsa' : 'ec' });
    await using site = await TlsSite.start({
      certificate: issue('a.example', first),
      hosts: { 'b.example': issue('b.example', second) },
      selectCertificate: (name) => (name === 'c.example' ? chosen : undefined),
    });
    const chosen = issue('c.example', second);
    for (const name of ['a.example', 'b.example', 'c.example']) {
      expect(await visit(site.port, { servername: name, maxVersion })).toMatchObject({
        server: name,
        text: 'hello ping',
      });
    }
    const nameless = await visit(site.port, { servername: '', maxVersion, rejectUnauthorized: false });
    expect(nameless).toMatchObject({ server: 'a.example', text: 'hello ping' });
    expect(site.app.digests.at(-1)?.ssl?.serverName).toBeUndefined();
  });

  test('a name without a certificate is refused where there is no default', async () => {
    await using site = await TlsSite.start({ hosts });
    expect((await visit(site.port, { servername: 'b.example' })).text).toBe('hello ping');
    expect((await visit(site.port, { servername: 'c.example' })).error).toMatch(/HANDSHAKE_FAILURE|ALERT/);
    expect((await visit(site.port, { servername: '' })).error).toMatch(/HANDSHAKE_FAILURE|ALERT/);
    expect(site.refusals('there is no certificate for "c.example"')).toHaveLength(1);
  });

  test('selectCertificate goes first, now or later, and is prepared once', async () => {
    const asked: string[] = [];
    const selectCertificate = (name: string): typeof b | undefined | Promise<typeof wild> => {
      asked.push(name);
      if (name === 'now.example') return b;
      if (name === 'x.wild.example') return sleep(5).then(() => wild);
      return undefined;
    };
    await using site = await TlsSite.start({ certificate, hosts, selectCertificate });
    const server = async (servername: string): Promise<string | undefined> =>
      (await visit(site.port, { servername, rejectUnauthorized: false })).server;
    expect(await server('NOW.example')).toBe('b.example');
    expect(await server('now.example')).toBe('b.example');
    expect(await server('x.wild.example')).toBe('*.wild.example');
    expect(await server('b.example')).toBe('b.example');
    expect(await server('other')).toBe('a.example');
    expect(asked).toEqual(['now.example', 'now.example', 'x.wild.example', 'b.example', 'other']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database'))],
    ['answers nonsense', () => ({ cert: 'no', key: 'database' })],
  ] as const)('a selectCertificate that %s ends that handshake, and nothing else', async (_, selectCertificate) => {
    await using site = await TlsSite.start({ certificate, selectCertificate });
    expect((await visit(site.port)).error).toBeDefined();
    expect(site.running.logged('warn', 'handshake failed')).toHaveLength(1);
    expect((await visit(site.port, { servername: '', rejectUnauthorized: false })).text).toBe('hello ping');
  });

  test('a selectCertificate that never answers is bounded by the deadline', async () => {
    await using site = await TlsSite.start({
      certificate,
      handshakeTimeoutMs: 40,
      selectCertificate: () => new Promise(() => {}),
    });
    expect((await visit(site.port)).error).toBeDefined();
    expect(site.refusals('TLSHandshakeTimedout')).toHaveLength(1);
  });
});

describe('protocols', () => {
  test('enableH2 offers h2 first', async () => {
    await using site = await TlsSite.start(new TlsSettings({ certificate }).enableH2());
    expect(await visit(site.port, { ALPNProtocols: ['http/1.1', 'h2'] })).toMatchObject({ alpn: 'h2' });
    expect(await visit(site.port, { ALPNProtocols: ['http/1.1'] })).toMatchObject({ alpn: 'http/1.1' });
    expect(await visit(site.port)).toMatchObject({ alpn: undefined, text: 'hello ping' });
    expect(site.app.digests.map(({ ssl }) => ssl?.alpn)).toEqual(['h2', 'http/1.1', undefined]);
  });

  test('protocols of one’s own are agreed on; nothing in common is refused', async () => {
    await using site = await TlsSite.start({ certificate, alpn: ['mine', 'h2'] });
    expect(await visit(site.port, { ALPNProtocols: ['h2', 'mine'] })).toMatchObject({ alpn: 'mine' });
    expect((await visit(site.port, { ALPNProtocols: ['http/1.1'] })).error).toMatch(/NO_APPLICATION_PROTOCOL/);
  });

  test('without protocols ALPN is not answered', async () => {
    await using site = await TlsSite.start({ certificate, alpn: [] });
    expect(await visit(site.port, { ALPNProtocols: ['x'] })).toMatchObject({ alpn: undefined, text: 'hello ping' });
  });

  test('versions are bounded, TLS 1.1 is out of the question', async () => {
    await using site = await TlsSite.start({ certificate });
    expect((await visit(site.port, { maxVersion: 'TLSv1.2' })).version).toBe('TLSv1.2');
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect((await visit(site.port, old)).error).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/);
    await using newest = await TlsSite.start({ certificate, minVersion: 'TLSv1.3' });
    expect((await visit(newest.port, { maxVersion: 'TLSv1.2' })).error).toMatch(/PROTOCOL_VERSION/);
    await using older = await TlsSite.start({ certificate, maxVersion: 'TLSv1.2' });
    expect((await visit(older.port)).version).toBe('TLSv1.2');
  });

  test('ciphers without forward secrecy are out of the question', async () => {
    const rsa = ca.issue({ names: ['a.example'], keyType: 'rsa' });
    await using site = await TlsSite.start({ certificate: rsa });
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES128-GCM-SHA256' } as const;
    expect((await visit(site.port, weak)).error).toMatch(/HANDSHAKE_FAILURE/);
  });
});

describe('handshakeComplete', () => {
  test('handshakeComplete gives the digest its extension', async () => {
    await using site = await TlsSite.start({
      certificate,
      handshakeComplete: async ({ serverName, version }) => {
        await sleep(1);
        return { serverName, version };
      },
    });
    expect((await visit(site.port)).text).toBe('hello ping');
    expect(site.app.digests[0]?.ssl?.extension).toEqual({ serverName: 'a.example', version: 'TLSv1.3' });
  });

  test('handshakeComplete that fails closes the connection', async () => {
    await using site = await TlsSite.start({
      certificate,
      handshakeComplete: () => {
        throw new Error('do not like it');
      },
    });
    expect((await visit(site.port)).text).toBe('');
    expect(site.app.streams).toEqual([]);
    expect(site.refusals('do not like it')).toHaveLength(1);
  });
});

describe('what goes wrong', () => {
  test('a client that says nothing is cut at the deadline', async () => {
    await using site = await TlsSite.start({ certificate, handshakeTimeoutMs: 40 });
    const client = await RawClient.connect({ port: site.port });
    expect(site.service.openConnections).toBe(1);
    await client.waitForClose();
    await client.close();
    expect(site.refusals('not complete within 40 ms')).toHaveLength(1);
    expect(site.running.logged('warn', 'handshake failed')[0]?.facts.client).toBe('127.0.0.1');
    await vi.waitFor(() => expect(site.service.openConnections).toBe(0));
  });

  test.each(['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x00\x05hello', '\x16\x03\x01\xff\xff', '\0\0\0\0\0\0\0\0'])(
    'garbage such as %j closes that connection, with one line in the log',
    async (garbage) => {
      await using site = await TlsSite.start({ certificate, handshakeTimeoutMs: 100 });
      const client = await RawClient.connect({ port: site.port });
      await client.send(garbage);
      await client.waitForClose();
      await client.close();
      expect(site.running.logged('warn', 'handshake failed')).toHaveLength(1);
      expect((await visit(site.port)).text).toBe('hello ping');
    },
  );

  test('many failures are one line a second, with their number', async () => {
    await using site = await TlsSite.start({ certificate });
    for (let i = 0; i < 20; i += 1) {
      const client = await RawClient.connect({ port: site.port });
      await client.send('garbage that is no TLS\r\n');
      await client.waitForClose();
      await client.close();
    }
    expect(site.running.logged('warn', 'handshake failed').length).toBeLessThan(4);
  });

  test('a client that leaves during the handshake is not worth a warning', async () => {
    await using site = await TlsSite.start({ certificate });
    const client = await RawClient.connect({ port: site.port });
    await client.send('\x16\x03\x01');
    await vi.waitFor(() => expect(site.service.openConnections).toBe(1));
    await client.close();
    await vi.waitFor(() => expect(site.running.logged('debug', 'left during the handshake')).toHaveLength(1));
    expect(site.running.logged('warn', 'handshake')).toEqual([]);
  });

  test('a record that is damaged after the handshake ends the connection with an error', async () => {
    await using site = await TlsSite.start({ certificate });
    const raw = connectTcp(site.port, '127.0.0.1');
    const client = connect({ socket: raw, ca: ca.cert, servername: 'a.example' });
    client.on('error', () => {});
    await once(client, 'data');
    const [stream] = site.app.streams;
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => stream?.duplex.once('error', resolve));
    raw.write(Buffer.concat([Buffer.from('170303002000', 'hex'), Buffer.alloc(40)]));
    expect((await failed).code).toMatch(/^ERR_SSL/);
    await vi.waitFor(() => expect(site.service.openConnections).toBe(0));
    await closed(client);
  });
});

describe('plaintext beside TLS', () => {
  const options = { certificate, plaintext: 'allow', handshakeTimeoutMs: 50 } as const;

  test.each(['duplex', 'callback'] as const)('is told apart by the first byte, with %s reads', async (reads) => {
    await using site = await TlsSite.start(options, {}, () => {}, new EchoApp(reads));
    expect((await visit(site.port)).text).toBe('hello ping');
    const client = await RawClient.connect({ port: site.port });
    await client.send('plain');
    expect(await client.waitFor('plain')).toBe('hello plain');
    client.end();
    expect(await client.waitForClose()).toBe('end');
    await client.close();
    expect(site.app.digests.map(({ ssl }) => ssl === undefined)).toEqual([false, true]);
  });

  test('says and ends in one go', async () => {
    await using site = await TlsSite.start(options);
    const client = await RawClient.connect({ port: site.port });
    client.socket.end('all at once');
    expect(await client.waitFor('once')).toBe('hello all at once');
    await client.waitForClose();
    await client.close();
  });

  test('a handshake that arrives byte by byte is one', async () => {
    await using site = await TlsSite.start({ ...options, handshakeTimeoutMs: 5_000 });
    // A relay that passes on one byte at a time.
    const relay = createServer((client) => {
      const server = connectTcp({ port: site.port, host: '127.0.0.1', noDelay: true });
      server.pipe(client);
      const passOn = async (chunk: Buffer): Promise<void> => {
        client.pause();
        for (const byte of chunk) {
          server.write(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
        client.resume();
      };
      client.on('data', (chunk: Buffer) => void passOn(chunk));
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const client = connect({ port: (relay.address() as AddressInfo).port, ca: ca.cert, servername: 'a.example' });
    const [text] = (await once(client.setEncoding('latin1'), 'data')) as [string];
    expect(text).toBe('hello ');
    await closed(client);
    relay.close();
    await once(relay, 'close');
  });

  test('silence is cut at the deadline', async () => {
    await using site = await TlsSite.start(options);
    const client = await RawClient.connect({ port: site.port });
    await client.waitForClose();
    await client.close();
    expect(site.refusals('no byte within 50 ms')).toHaveLength(1);
  });
});

describe('the end', () => {
  test('connections in their handshake end at once, and the application never hears of them', async () => {
    const site = await TlsSite.start({ certificate });
    const silent = await RawClient.connect({ port: site.port });
    const half = await RawClient.connect({ port: site.port });
    await half.send('\x16\x03\x01');
    const open = connect({ port: site.port, ca: ca.cert, servername: 'a.example' });
    await once(open, 'data');
    await vi.waitFor(() => expect(site.service.openConnections).toBe(3));
    const stopped = site.running.stopGracefully();
    await silent.waitForClose();
    await half.waitForClose();
    await stopped;
    expect(site.app.shutDown).toEqual(site.app.streams);
    expect(site.app.streams).toHaveLength(1);
    for (const client of [silent, half]) await client.close();
    await closed(open);
  });

  test('connections in their handshake count for maxConnections', async () => {
    const service = new ListeningService('site', new EchoApp(), { maxConnections: 1 });
    service.addTlsWithSettings('127.0.0.1:0', new TlsSettings({ certificate }));
    const running = await RunningServer.start([service]);
    const port = (service.endpoints[0] as { port: number }).port;
    const first = await RawClient.connect({ port });
    const second = await RawClient.connect({ port });
    await second.waitForClose();
    expect(first.closeKind).toBeUndefined();
    for (const client of [first, second]) await client.close();
    await running.stopFast();
  });
});
