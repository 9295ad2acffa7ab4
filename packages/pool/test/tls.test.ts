import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair, LeakCheck, makeCa, TestOrigin } from '@cirque/testing';
import type { Digest } from '@cirque/transport';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  HttpConnector,
  type HttpConnectorOptions,
  HttpPeer,
  type PeerOptions,
  resolvePeerOptions,
  reuseKey,
} from '../src/index.ts';
import { closeAll, closeLater } from './closing.ts';
import { exchange } from './exchange.ts';
import { ask, CA, openTlsOrigin, type TlsOrigin } from './tls-origin.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await closeAll();
  await leaks.assertClean();
});

function openConnector(options: HttpConnectorOptions = {}): HttpConnector {
  const connector = new HttpConnector(options);
  closeLater(() => connector.close());
  return connector;
}

function openDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cirque-tls-'));
  closeLater(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function expectRefused(
  connector: HttpConnector,
  origin: Pick<TlsOrigin, 'address'>,
  options: PeerOptions,
  message: string,
): Promise<void> {
  const error: unknown = await ask(connector, origin, options).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ type: 'InvalidCert', source: 'Upstream', retry: false });
  expect(String(error)).toContain(message);
  expect(connector.stats).toMatchObject({ active: 0, idle: 0, connects: 0 });
}

const GARBAGE = '-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n';

function ownAuthority(): { cert: string; key: string } {
  const authority = makeCa('own');
  const { cert, key } = authority.issue({ ips: ['127.0.0.1'] });
  return { cert: cert + authority.cert, key };
}

describe('a peer with tls: true', () => {
  test('is spoken to over a verified connection, which is kept', async () => {
    const origin = await openTlsOrigin();
    const connector = openConnector();
    const options = { sni: 'origin.example' };
    expect(await ask(connector, origin, options)).toMatchObject({
      sni: 'origin.example',
      version: 'TLSv1.3',
      reused: false,
    });
    expect(await ask(connector, origin, options)).toMatchObject({ reused: true });
    expect(origin.sockets).toHaveLength(1);
  });

  test('tells in its digest what the handshake settled', async () => {
    const origin = await openTlsOrigin({ ALPNProtocols: ['http/1.1'] });
    const connector = openConnector();
    const session = await connector.getSession(
      new HttpPeer(origin.address, { tls: true, ca: CA.cert, sni: 'origin.example' }),
    );
    const { ssl, socket } = session.digest;
    expect(socket.remotePort).toBe(origin.address.port);
    session.abort();
    expect(ssl).toMatchObject({
      version: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      alpn: 'http/1.1',
      serverName: 'origin.example',
      sessionReused: false,
      authorized: true,
      authorizationError: undefined,
    });
    expect(ssl?.peerCertificate).toMatchObject({ commonName: 'origin.example', issuer: 'CN=test authority' });
  });

  test('and large bodies both ways', async () => {
    const origin = await openTlsOrigin();
    origin.server.removeAllListeners('secureConnection').on('secureConnection', (socket) => {
      origin.sockets.push(socket);
      let size = 0;
      socket.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > 3_000_000) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n${'y'.repeat(2_000_000)}`);
      });
    });
    const peer = new HttpPeer(origin.address, { tls: true, ca: CA.cert });
    const answer = await exchange(openConnector(), peer, { method: 'POST', body: 'x'.repeat(3_000_000) });
    expect(answer.body.length).toBe(2_000_000);
  });

  test('offers what alpn says', async () => {
    const chosen = async (alpn: PeerOptions['alpn'], ALPNProtocols: string[]): Promise<unknown> => {
      const origin = await openTlsOrigin({ ALPNProtocols });
      return (await ask(openConnector(), origin, alpn === undefined ? {} : { alpn })).alpn;
    };
    expect(await chosen(undefined, ['h2', 'http/1.1'])).toBe('http/1.1');
    expect(await chosen('h1', ['h2', 'http/1.1'])).toBe('http/1.1');
    expect(await chosen('h2h1', ['http/1.1'])).toBe('http/1.1');
  });

  test('asks for the versions, ciphers and groups that it is told', async () => {
    const origin = await openTlsOrigin({ minVersion: 'TLSv1.2', ecdhCurve: 'P-256:X25519' });
    const connector = openConnector();
    expect(await ask(connector, origin, { maxTlsVersion: 'TLSv1.2' })).toMatchObject({ version: 'TLSv1.2' });
    expect(await ask(connector, origin, { minTlsVersion: 'TLSv1.3' })).toMatchObject({ version: 'TLSv1.3' });
    const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305';
    expect(await ask(connector, origin, { maxTlsVersion: 'TLSv1.2', ciphers })).toMatchObject({ cipher: ciphers });
    expect(await ask(connector, origin, { curves: 'P-256' })).toMatchObject({ version: 'TLSv1.3' });
    await expect(ask(connector, origin, { curves: 'P-521' })).rejects.toMatchObject({ type: 'TLSHandshakeFailure' });
  });
});

describe('the name of the upstream', () => {
  test('is sent as it is verified: lower case, without the last dot', async () => {
    const origin = await openTlsOrigin();
    expect(await ask(openConnector(), origin, { sni: 'Origin.Example.' })).toMatchObject({ sni: 'origin.example' });
  });

  test.each([undefined, ''])('is the host of the address when sni is %j', async (sni) => {
    const origin = await openTlsOrigin();
    const { port } = origin.address;
    const lookup = (): Promise<string[]> => Promise.resolve(['127.0.0.1']);
    const connector = openConnector({ resolver: { lookup } });
    const named = (host: string): Pick<TlsOrigin, 'address'> => ({ address: { host, port } });
    const options = sni === undefined ? {} : { sni };
    expect(await ask(connector, named('Origin.example'), options)).toMatchObject({ sni: 'origin.example' });
    await expect(ask(connector, named('other.example'), options)).rejects.toMatchObject({ type: 'InvalidCert' });
  });

  test('is the IP address where there is no other, which is not sent', async () => {
    const origin = await openTlsOrigin();
    expect(await ask(openConnector(), origin)).toMatchObject({ sni: false });
    const other = await openTlsOrigin(CA.issue({ names: ['origin.example'] }));
    await expectRefused(openConnector(), other, {}, 'IP: 127.0.0.1 is not in the cert');
  });

  test('may be an IP address that is not the one connected to', async () => {
    const origin = await openTlsOrigin(CA.issue({ ips: ['192.0.2.7'] }));
    expect(await ask(openConnector(), origin, { sni: '192.0.2.7' })).toMatchObject({ sni: false });
    await expectRefused(openConnector(), origin, { sni: '192.0.2.8' }, 'IP: 192.0.2.8 is not in the cert');
  });

  test('may be covered by a wildcard, for one label', async () => {
    const origin = await openTlsOrigin(CA.issue({ names: ['*.wild.example'] }));
    expect(await ask(openConnector(), origin, { sni: 'a.wild.example' })).toMatchObject({ sni: 'a.wild.example' });
    await expectRefused(openConnector(), origin, { sni: 'a.b.wild.example' }, 'altnames');
  });

  test('has an alternative, which is not sent', async () => {
    const origin = await openTlsOrigin();
    const connector = openConnector();
    const options = { sni: 'front.example', alternativeCn: 'origin.example' };
    expect(await ask(connector, origin, options)).toMatchObject({ sni: 'front.example' });
    expect(await ask(connector, origin, { sni: 'origin.example', alternativeCn: 'x.example' })).toMatchObject({});
    await expectRefused(
      openConnector(),
      origin,
      { sni: 'front.example', alternativeCn: 'back.example' },
      'front.example',
    );
  });

  test('is not compared with verifyHostname: false, but the certificate must be good', async () => {
    const origin = await openTlsOrigin();
    const options = { sni: 'front.example', verifyHostname: false };
    expect(await ask(openConnector(), origin, options)).toMatchObject({ sni: 'front.example' });
    const untrusted = await openTlsOrigin(makeCa('nobody').issue({ names: ['front.example'] }));
    await expectRefused(openConnector(), untrusted, options, 'unable to verify the first certificate');
  });

  test('has to be said for a unix socket', async () => {
    const address = { path: '/run/origin.sock' };
    expect(() => new HttpPeer(address, { tls: true })).toThrow(
      new TypeError(
        'peer address unix:/run/origin.sock is a unix socket: expected peer option sni with the name to verify, or verifyHostname: false',
      ),
    );
    const good: PeerOptions[] = [
      { sni: 'x' },
      { alternativeCn: 'x' },
      { verifyHostname: false },
      { verifyCert: false },
    ];
    for (const options of good) expect(new HttpPeer(address, { tls: true, ...options }).options.tls).toBe(true);
  });

  test('is missed at the handshake when a peer of the user’s own has none', async () => {
    const origin = await openTlsOrigin();
    const customConnect = async () => connect(origin.address);
    const address = { path: '/virtual' };
    const options = resolvePeerOptions({ tls: true, ca: CA.cert, customConnect });
    const attempt = exchange(openConnector(), { address, options, reuseKey: reuseKey(address, options) });
    const error: unknown = await attempt.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ type: 'InvalidCert', source: 'Upstream' });
    expect(String(error)).toContain('there is no name to verify: set sni');
  });
});

describe('the certificate of the upstream', () => {
  test.each<[what: string, options: () => object, message: string]>([
    [
      'is of an unknown authority',
      () => makeCa('nobody').issue({ ips: ['127.0.0.1'] }),
      'unable to verify the first cert',
    ],
    ['brings its own authority', ownAuthority, 'self-signed certificate in certificate chain'],
    ['has expired', () => CA.issue({ ips: ['127.0.0.1'], expired: true }), 'certificate has expired'],
    ['is of another name', () => CA.issue({ names: ['other.example'] }), 'not in the cert'],
  ])('that %s is refused, unless verifyCert is false', async (_, identity, message) => {
    const origin = await openTlsOrigin(identity());
    await expectRefused(openConnector(), origin, {}, message);
    await expectRefused(openConnector(), origin, {}, `TLS handshake with 127.0.0.1:${origin.address.port}`);
    expect(origin.sockets.every((socket) => socket.bytesRead === 0)).toBe(true);
    expect(await ask(openConnector(), origin, { verifyCert: false })).toMatchObject({ version: 'TLSv1.3' });
  });

  test('that was not verified says so in the digest, resumed or not', async () => {
    const origin = await openTlsOrigin(CA.issue({ ips: ['127.0.0.1'], expired: true }));
    const digests: Digest[] = [];
    const tracer = { onConnected: (digest: Digest) => void digests.push(digest) };
    const connector = openConnector({ poolSize: 0 });
    const options = { verifyCert: false, tracer };
    await ask(connector, origin, options);
    await ask(connector, origin, options);
    expect(digests.map(({ ssl }) => ssl?.sessionReused)).toEqual([false, true]);
    for (const { ssl } of digests)
      expect(ssl).toMatchObject({ authorized: false, authorizationError: 'CERT_HAS_EXPIRED' });
  });

  test('is verified whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const origin = await openTlsOrigin(ownAuthority());
    await expectRefused(openConnector(), origin, {}, 'self-signed certificate');
  });

  test('may come with intermediate ones', async () => {
    const origin = await openTlsOrigin(CA.issueCa('intermediate').issue({ names: ['origin.example'] }));
    expect(await ask(openConnector(), origin, { sni: 'origin.example' })).toMatchObject({ version: 'TLSv1.3' });
  });
});

describe('ca', () => {
  test('replaces what is trusted, as text, as bytes, as a list and as a bundle', async () => {
    const origin = await openTlsOrigin();
    const other = makeCa('other');
    for (const ca of [CA.cert, Buffer.from(CA.cert), [other.cert, CA.cert], other.cert + CA.cert]) {
      expect(await ask(openConnector(), origin, { ca })).toMatchObject({ version: 'TLSv1.3' });
    }
    await expectRefused(openConnector(), origin, { ca: other.cert }, 'unable to verify the first certificate');
  });

  test('that is no certificate inside is an error of ours', async () => {
    const origin = await openTlsOrigin();
    await expect(ask(openConnector(), origin, { ca: CA.cert + GARBAGE })).rejects.toMatchObject({
      type: 'TLSConfigError',
      source: 'Internal',
    });
  });

  test('of the connector (caFile) is for peers that name none', async () => {
    const origin = await openTlsOrigin();
    const caFile = join(openDirectory(), 'ca.pem');
    writeFileSync(caFile, CA.cert);
    const connector = openConnector({ caFile });
    const plain: PeerOptions = { tls: true };
    expect((await exchange(connector, new HttpPeer(origin.address, plain))).status).toBe(200);
    await expect(ask(connector, origin, { ca: makeCa('other').cert })).rejects.toMatchObject({ type: 'InvalidCert' });
    await expect(exchange(openConnector(), new HttpPeer(origin.address, plain))).rejects.toMatchObject({
      type: 'InvalidCert',
    });
  });

  test('file that cannot be used is refused by name when the connector is made', () => {
    const directory = openDirectory();
    const empty = join(directory, 'empty.pem');
    writeFileSync(empty, '');
    expect(() => new HttpConnector({ caFile: join(directory, 'none.pem') })).toThrow(
      /^caFile .*none\.pem cannot be used: ENOENT/,
    );
    expect(() => new HttpConnector({ caFile: empty })).toThrow(
      /^caFile .*empty\.pem cannot be used: its content is not PEM/,
    );
    writeFileSync(empty, GARBAGE);
    expect(() => new HttpConnector({ caFile: empty })).toThrow(/^caFile .*empty\.pem cannot be used: error:/);
    expect(() => new HttpConnector({ caFile: '' })).toThrow('caFile is "": expected a path');
  });
});

describe('clientCert', () => {
  const mtls = { requestCert: true, rejectUnauthorized: true, ca: CA.cert };
  const client = CA.issue({ names: ['client.example'], clientAuth: true });

  test('is shown to an upstream that asks', async () => {
    const origin = await openTlsOrigin(mtls);
    expect(await ask(openConnector(), origin, { clientCert: client })).toMatchObject({ client: 'CN=client.example' });
    const bytes = { cert: Buffer.from(client.cert), key: Buffer.from(client.key) };
    expect(await ask(openConnector(), origin, { clientCert: bytes })).toMatchObject({ client: 'CN=client.example' });
  });

  test('is missed by an upstream that demands it, in TLS 1.2 in the handshake, in 1.3 with the first request', async () => {
    const origin = await openTlsOrigin(mtls);
    const error = await ask(openConnector(), origin, { maxTlsVersion: 'TLSv1.2' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ type: 'TLSHandshakeFailure', source: 'Upstream' });
    await expect(ask(openConnector(), origin)).rejects.toMatchObject({ source: 'Upstream' });
  });

  test('of one peer never serves another', async () => {
    const origin = await openTlsOrigin({ ...mtls, rejectUnauthorized: false });
    const connector = openConnector();
    const other = CA.issue({ names: ['other.example'], clientAuth: true });
    const seen = [];
    for (const clientCert of [client, other, undefined, client]) {
      seen.push(await ask(connector, origin, clientCert === undefined ? {} : { clientCert }));
    }
    expect(seen.map((one) => one.client)).toEqual([
      'CN=client.example',
      'CN=other.example',
      undefined,
      'CN=client.example',
    ]);
    expect(seen.map((one) => one.reused)).toEqual([false, false, false, true]);
  });

  test('whose key is of another certificate is an error of ours', async () => {
    const origin = await openTlsOrigin();
    const clientCert = { cert: client.cert, key: makeCa('other').key };
    const attempt = ask(openConnector(), origin, { clientCert });
    await expect(attempt).rejects.toMatchObject({ type: 'TLSConfigError', source: 'Internal' });
  });

  test.each([{ ciphers: 'NO-SUCH-CIPHER' }, { curves: 'no-such-group' }])('as are %j', async (options) => {
    const origin = await openTlsOrigin();
    await expect(ask(openConnector(), origin, options)).rejects.toMatchObject({
      type: 'TLSConfigError',
      source: 'Internal',
    });
  });
});

describe('TLS over other transports', () => {
  test('than TCP: a user’s duplex', async () => {
    const origin = await openTlsOrigin();
    const customConnect = async () => {
      const [near, far] = duplexPair();
      const socket = connect(origin.address);
      far.pipe(socket).pipe(far);
      closeLater(() => socket.destroy());
      near.on('close', () => socket.destroy());
      return near;
    };
    const connector = openConnector();
    expect(await ask(connector, origin, { customConnect })).toMatchObject({ version: 'TLSv1.3', reused: false });
    expect(await ask(connector, origin, { customConnect })).toMatchObject({ reused: true });
  });

  test('than TCP: a unix socket', async () => {
    const path = join(openDirectory(), 'origin.sock');
    const origin = await openTlsOrigin();
    const relay = await TestOrigin.listen(
      async (connection) => {
        const socket = connect(origin.address);
        connection.socket.pipe(socket).pipe(connection.socket);
        await connection.waitForClose();
        socket.destroy();
      },
      { path },
    );
    closeLater(() => relay.close());
    const peer = new HttpPeer({ path }, { tls: true, ca: CA.cert, sni: 'origin.example' });
    expect((await exchange(openConnector(), peer)).body).toContain('"sni":"origin.example"');
  });

  test('through a CONNECT tunnel, on a socket and on a duplex of the user', async () => {
    const origin = await openTlsOrigin();
    const asked: string[] = [];
    const proxy = await TestOrigin.listen(async (connection) => {
      asked.push(await connection.expect('\r\n\r\n'));
      const socket = connect(origin.address);
      await connection.send('HTTP/1.1 200 OK\r\n\r\n');
      connection.socket.pipe(socket).pipe(connection.socket);
      await connection.waitForClose();
      socket.destroy();
    });
    closeLater(() => proxy.close());
    const peer = new HttpPeer('origin.example:443', { tls: true, ca: CA.cert, proxy: { nextHop: proxy.address } });
    const overDuplex = openConnector({
      connect: async () => {
        const [near, far] = duplexPair();
        const socket = connect(proxy.address);
        far.pipe(socket).pipe(far);
        near.on('close', () => socket.destroy());
        return near;
      },
    });
    for (const connector of [openConnector(), overDuplex]) {
      const answer = await exchange(connector, peer);
      expect(JSON.parse(answer.body)).toMatchObject({ sni: 'origin.example', resumed: false });
      expect(await exchange(connector, peer)).toMatchObject({ reused: true });
      connector.close();
    }
    expect(asked[0]).toContain('CONNECT origin.example:443 HTTP/1.1');
  });
});

describe('sslKeyLogFile', () => {
  test('gets the secrets of every connection, and is for its owner only', async () => {
    const origin = await openTlsOrigin();
    const path = join(openDirectory(), 'keys.log');
    const connector = openConnector({ sslKeyLogFile: path, poolSize: 0 });
    expect(readFileSync(path, 'latin1')).toBe('');
    await ask(connector, origin);
    const first = readFileSync(path, 'latin1');
    await ask(connector, origin, { maxTlsVersion: 'TLSv1.2' });
    expect(first).toMatch(/^CLIENT_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]{64} [0-9a-f]+$/m);
    expect(readFileSync(path, 'latin1').slice(first.length)).toMatch(/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('that cannot be written is refused when the connector is made', () => {
    const path = join(openDirectory(), 'none', 'keys.log');
    expect(() => new HttpConnector({ sslKeyLogFile: path })).toThrow(/^sslKeyLogFile .* cannot be used: ENOENT/);
    expect(existsSync(path)).toBe(false);
  });

  test('that vanishes is told once, and breaks nothing', async () => {
    const origin = await openTlsOrigin();
    const directory = mkdtempSync(join(tmpdir(), 'cirque-tls-'));
    const connector = openConnector({ sslKeyLogFile: join(directory, 'keys.log') });
    rmSync(directory, { recursive: true });
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    expect(await ask(connector, origin)).toMatchObject({ version: 'TLSv1.3' });
    expect(warn.mock.calls.map(([text]) => String(text))).toEqual([
      expect.stringMatching(/^the key log .* cannot be written: Error: ENOENT/),
    ]);
  });
});
