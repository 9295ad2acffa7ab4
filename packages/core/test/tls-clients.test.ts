/** Client certificates and resumed sessions with real clients: what each host asks for, and what a session may carry over. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { LeakCheck, makeCa } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TlsSettings, type TlsSettingsOptions } from '../src/index.ts';
import { ca, closed, TlsSite, type Visit, visit } from './tls-site.ts';

const certificate = ca.issue({ names: ['a.example'] });
const b = ca.issue({ names: ['b.example'] });
const people = makeCa('People');
const machines = makeCa('Machines');
const ann = people.issue({ commonName: 'Ann', organization: 'People Inc', clientAuth: true });
const late = people.issue({ commonName: 'Late', clientAuth: true, expired: true });
const robot = machines.issue({ commonName: 'Robot', clientAuth: true });

let check: LeakCheck;
beforeEach(() => {
  check = LeakCheck.start();
});
afterEach(() => check.assertClean());

describe('clientCertificate', () => {
  test('request lets everybody in and tells what it knows', async () => {
    await using site = await TlsSite.start({ certificate, clientCertificate: 'request', clientCa: people.cert });
    for (const client of [{}, ann, robot, late]) expect((await visit(site.port, client)).text).toBe('hello ping');
    expect(
      site.app.digests.map(({ ssl }) => [ssl?.peerCertificate?.commonName, ssl?.authorized, ssl?.authorizationError]),
    ).toEqual([
      [undefined, false, undefined],
      ['Ann', true, undefined],
      ['Robot', false, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      ['Late', false, 'CERT_HAS_EXPIRED'],
    ]);
  });

  test.each([['TLSv1.2'], ['TLSv1.3']] as const)('require lets trusted ones in only, with %s', async (maxVersion) => {
    await using site = await TlsSite.start({ certificate, clientCertificate: 'require', clientCa: [people.cert] });
    expect((await visit(site.port, { ...ann, maxVersion })).text).toBe('hello ping');
    for (const client of [{}, robot, late]) expect((await visit(site.port, { ...client, maxVersion })).text).toBe('');
    expect(site.app.digests).toHaveLength(1);
  });

  test.each([
    ['no certificate', {}, 'the client gave no certificate'],
    ['a stranger’s', robot, 'the certificate of CN=Robot is not trusted: UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['one that has expired', late, 'the certificate of CN=Late is not trusted: CERT_HAS_EXPIRED'],
  ])('require logs why it refused %s', async (_, client: ConnectionOptions, reason) => {
    await using site = await TlsSite.start({ certificate, clientCertificate: 'require', clientCa: people.cert });
    await visit(site.port, client);
    expect(site.refusals(reason)).toHaveLength(1);
  });

  test('without authorities nobody is trusted, not even by a public one', async () => {
    await using site = await TlsSite.start({ certificate, clientCertificate: 'request' });
    await visit(site.port, ann);
    expect(site.app.digests[0]?.ssl).toMatchObject({ authorized: false, peerCertificate: { commonName: 'Ann' } });
  });

  test('verifyClient has the last word', async () => {
    const seen: unknown[] = [];
    await using site = await TlsSite.start({
      certificate,
      clientCertificate: 'require',
      clientCa: [people.cert, machines.cert],
      verifyClient: async (ssl, serverName) => {
        seen.push([ssl.peerCertificate?.commonName, serverName, ssl.authorized]);
        if (ssl.peerCertificate?.commonName === 'Robot') throw new Error('no robots');
        return ssl.peerCertificate?.organization === 'People Inc';
      },
    });
    expect((await visit(site.port, ann)).text).toBe('hello ping');
    expect((await visit(site.port, people.issue({ commonName: 'Bob', clientAuth: true }))).text).toBe('');
    expect((await visit(site.port, robot)).text).toBe('');
    expect((await visit(site.port, late)).text).toBe('');
    expect(seen).toEqual([
      ['Ann', 'a.example', true],
      ['Bob', 'a.example', true],
      ['Robot', 'a.example', true],
    ]);
    expect(site.refusals('verifyClient refused the certificate of CN=Bob')).toHaveLength(1);
  });

  test('verifyClient may trust certificates that no authority has signed', async () => {
    const pinned = makeCa('Nobody').issue({ commonName: 'Pinned', clientAuth: true });
    await using site = await TlsSite.start({
      certificate,
      clientCertificate: 'require',
      verifyClient: ({ peerCertificate }) => peerCertificate?.commonName === 'Pinned',
    });
    expect((await visit(site.port, pinned)).text).toBe('hello ping');
    expect((await visit(site.port, ann)).text).toBe('');
    expect((await visit(site.port)).text).toBe('');
  });

  test('each host asks for its own', async () => {
    await using site = await TlsSite.start({
      certificate,
      hosts: {
        'b.example': { ...b, clientCertificate: 'require', clientCa: people.cert },
        'c.example': { ...ca.issue({ names: ['c.example'] }), clientCertificate: 'require', clientCa: machines.cert },
      },
    });
    const text = async (servername: string, client: ConnectionOptions): Promise<string> =>
      (await visit(site.port, { servername, ...client })).text;
    expect(await text('a.example', {})).toBe('hello ping');
    expect(await text('a.example', robot)).toBe('hello ping');
    expect(await text('b.example', ann)).toBe('hello ping');
    expect(await text('b.example', robot)).toBe('');
    expect(await text('b.example', {})).toBe('');
    expect(await text('c.example', robot)).toBe('hello ping');
    expect(await text('c.example', ann)).toBe('');
  });

  test('a host can be left out of what the settings ask', async () => {
    await using site = await TlsSite.start({
      certificate,
      clientCertificate: 'require',
      clientCa: people.cert,
      hosts: { 'b.example': { ...b, clientCertificate: 'off' } },
    });
    expect((await visit(site.port, { servername: 'b.example' })).text).toBe('hello ping');
    expect((await visit(site.port)).text).toBe('');
    expect((await visit(site.port, { servername: 'unknown', rejectUnauthorized: false })).text).toBe('');
  });
});

/** Both versions, for what they do in different ways. */
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

describe('sessions', () => {
  test.each(VERSIONS)('sessions are resumed with %s', async (maxVersion) => {
    await using site = await TlsSite.start({ certificate });
    const { session } = await visit(site.port, { maxVersion });
    expect((await visit(site.port, { maxVersion, ...offer(session) })).reused).toBe(true);
    expect(site.app.digests.map(({ ssl }) => ssl?.sessionReused)).toEqual([false, true]);
  });

  test.each(VERSIONS)('sessions are resumed on another machine with the same keys, with %s', async (maxVersion) => {
    const ticketKeys = randomBytes(48);
    const hosts = { 'b.example': b };
    await using one = await TlsSite.start({ certificate, hosts, ticketKeys });
    await using other = await TlsSite.start({ certificate, hosts, ticketKeys });
    await using stranger = await TlsSite.start({ certificate, hosts });
    for (const servername of ['a.example', 'b.example']) {
      const { session } = await visit(one.port, { maxVersion, servername });
      const again = (port: number): Promise<Visit> => visit(port, { maxVersion, servername, ...offer(session) });
      expect((await again(other.port)).reused).toBe(true);
      expect((await again(stranger.port)).reused).toBe(false);
    }
  });

  test.each(VERSIONS)('rotateTicketKeys ends older sessions, with %s', async (maxVersion) => {
    await using site = await TlsSite.start({ certificate, hosts: { 'b.example': b } });
    for (const servername of ['a.example', 'b.example']) {
      const { session } = await visit(site.port, { maxVersion, servername });
      const keys = site.settings.rotateTicketKeys();
      expect(keys).toBe(site.settings.ticketKeys);
      const next = await visit(site.port, { maxVersion, servername, ...offer(session) });
      expect(next).toMatchObject({ reused: false, text: 'hello ping' });
      expect((await visit(site.port, { maxVersion, servername, ...offer(next.session) })).reused).toBe(true);
    }
  });

  test.each(VERSIONS)('sessionTickets: false resumes nothing, with %s', async (maxVersion) => {
    await using site = await TlsSite.start({ certificate, sessionTickets: false });
    const { session } = await visit(site.port, { maxVersion });
    expect((await visit(site.port, { maxVersion, ...offer(session) })).reused).toBe(false);
  });

  // CVE-2025-23419 of nginx: the verdict on a certificate must not travel to another host within a session.
  test.each(VERSIONS)('a session does not carry a client certificate to another host, with %s', async (maxVersion) => {
    await using site = await TlsSite.start({
      certificate,
      hosts: {
        'b.example': { ...b, clientCertificate: 'require', clientCa: people.cert },
        'c.example': { ...ca.issue({ names: ['c.example'] }), clientCertificate: 'require', clientCa: machines.cert },
      },
    });
    const text = async (servername: string, session: Buffer | undefined): Promise<string> =>
      (await visit(site.port, { servername, maxVersion, ...offer(session) })).text;
    const trusted = await visit(site.port, { servername: 'b.example', maxVersion, ...ann });
    const anonymous = await visit(site.port, { servername: 'a.example', maxVersion });
    expect(trusted.text).toBe('hello ping');
    expect(await text('c.example', trusted.session)).toBe('');
    expect(await text('c.example', anonymous.session)).toBe('');
    expect(await text('b.example', anonymous.session)).toBe('');
    expect(await text('b.example', trusted.session)).toBe('');
  });
});

/** Files that a test may write, in a folder of their own. */
class Files {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cirque-reload-'));
  readonly certFile = join(this.#folder, 'cert.pem');
  readonly keyFile = join(this.#folder, 'key.pem');
  readonly clientCaFile = join(this.#folder, 'ca.pem');

  install(commonName: string, expired = false): void {
    const { cert, key } = ca.issue({ names: ['a.example'], commonName, expired });
    writeFileSync(this.certFile, cert);
    writeFileSync(this.keyFile, key);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

describe('reload', () => {
  test('reload is for new connections; open ones go on, and sessions are kept', async () => {
    using files = new Files();
    files.install('first');
    await using site = await TlsSite.start(TlsSettings.intermediate(files.certFile, files.keyFile));
    const open = connect({ port: site.port, ca: ca.cert, servername: 'a.example' });
    await once(open, 'data');
    const { session, server } = await visit(site.port);
    expect(server).toBe('first');
    files.install('second');
    expect(await site.settings.reload()).toEqual([]);
    expect(await visit(site.port)).toMatchObject({ server: 'second', text: 'hello ping' });
    expect((await visit(site.port, offer(session))).reused).toBe(true);
    open.write('open');
    expect(String((await once(open, 'data'))[0])).toBe('open');
    await closed(open);
  });

  test('reload changes nothing when something is wrong, and says what', async () => {
    using files = new Files();
    files.install('first');
    const settings = TlsSettings.intermediate(files.certFile, files.keyFile, { hosts: { 'b.example': b } });
    await using site = await TlsSite.start(settings);
    writeFileSync(files.keyFile, ca.issue({}).key);
    await expect(settings.reload()).rejects.toThrow(/cert\.pem\): the key does not belong to the certificate/);
    writeFileSync(files.keyFile, 'nonsense');
    await expect(site.service.reloadCertificates()).rejects.toThrow(/cert\.pem\): the key cannot be read/);
    rmSync(files.keyFile);
    await expect(settings.reload()).rejects.toThrow(/key\.pem cannot be read/);
    expect(await visit(site.port)).toMatchObject({ server: 'first', text: 'hello ping' });
    expect(await visit(site.port, { servername: 'b.example' })).toMatchObject({ server: 'b.example' });
  });

  test('reload serves an expired certificate, with a warning', async () => {
    using files = new Files();
    files.install('first');
    await using site = await TlsSite.start(TlsSettings.intermediate(files.certFile, files.keyFile));
    files.install('old', true);
    await site.service.reloadCertificates();
    expect(site.running.logged('warn', 'the certificate has expired')).toHaveLength(1);
    expect((await visit(site.port)).error).toBe('CERT_HAS_EXPIRED');
  });

  test('reload reads the authorities of clients', async () => {
    using files = new Files();
    files.install('first');
    writeFileSync(files.clientCaFile, people.cert);
    const options: Omit<TlsSettingsOptions, 'certificate'> = {
      clientCertificate: 'require',
      clientCaFile: files.clientCaFile,
    };
    await using site = await TlsSite.start(TlsSettings.intermediate(files.certFile, files.keyFile, options));
    const { session, text } = await visit(site.port, ann);
    expect(text).toBe('hello ping');
    writeFileSync(files.clientCaFile, machines.cert);
    await site.settings.reload();
    expect((await visit(site.port, { ...ann, ...offer(session) })).text).toBe('');
    expect((await visit(site.port, robot)).text).toBe('hello ping');
  });
});

function offer(session: Buffer | undefined): ConnectionOptions {
  if (session === undefined) throw new Error('the server gave no session');
  return { session };
}
