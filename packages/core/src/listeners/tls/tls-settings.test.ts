import { randomBytes } from 'node:crypto';
import { makeCa } from '@cirque/testing';
import { describe, expect, test } from 'vitest';
import type { TlsSettingsOptions } from './tls-options.ts';
import { TlsSettings } from './tls-settings.ts';

const ca = makeCa('Root');
const certificate = ca.issue({ names: ['a.example'] });
const hosts = { 'b.example': ca.issue({ names: ['b.example'] }) };

describe('TlsSettings', () => {
  test.each<[unknown, RegExp]>([
    [undefined, /need an object of options/],
    [null, /need an object of options/],
    [{}, /need a certificate: certificate, hosts or selectCertificate/],
    [{ certificate, cert: 'x' }, /TLS settings has no option "cert"; it has certificate, hosts/],
    [{ certificate: {} }, /^certificate needs \{ certFile, keyFile \}/],
    [{ hosts: { a: { certFile: 'x' } } }, /^host "a" needs/],
    [{ hosts: { 'a b': certificate } }, /host "a b" is no server name/],
    [{ certificate, selectCertificate: true }, /selectCertificate must be a function, got boolean/],
    [{ certificate, handshakeComplete: {} }, /handshakeComplete must be a function, got object/],
    [{ certificate, verifyClient: 'x' }, /verifyClient must be a function, got string/],
    [{ certificate, minVersion: 'TLSv1' }, /minVersion must be one of TLSv1\.2, TLSv1\.3, got "TLSv1"/],
    [{ certificate, maxVersion: 'TLSv1.1' }, /maxVersion must be one of/],
    [{ certificate, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, /minVersion TLSv1\.3 is above maxVersion TLSv1\.2/],
    [{ certificate, alpn: 'h2' }, /alpn must be a list of names/],
    [{ certificate, alpn: [''] }, /alpn must be a list of names/],
    [{ certificate, alpn: ['x'.repeat(256)] }, /alpn must be a list of names/],
    [{ certificate, handshakeTimeoutMs: 0 }, /handshakeTimeoutMs must be a number above 0, got 0/],
    [{ certificate, plaintext: true }, /plaintext must be 'refuse' or 'allow', got true/],
    [{ certificate, sessionTickets: 'no' }, /sessionTickets must be true or false, got no/],
    [{ certificate, sessionIdContext: 'x'.repeat(33) }, /sessionIdContext must be a text of at most 32 bytes/],
    [{ certificate, ticketKeys: randomBytes(32) }, /ticketKeys must be a Buffer of 48 bytes, got 32 bytes/],
    [{ certificate, ticketKeys: 'x' }, /ticketKeys must be a Buffer of 48 bytes, got string/],
    [{ certificate, clientCertificate: 'yes' }, /must be 'off', 'request' or 'require', got "yes"/],
    [{ certificate, clientCertificate: 'require' }, /of TLS settings needs clientCa, clientCaFile or verifyClient/],
    [{ certificate, clientCa: ca.cert }, /clientCertificate is 'off': request or require them/],
    [{ certificate, clientCertificate: 'request', clientCa: [7] }, /clientCa of TLS settings must be PEM text/],
    [{ certificate, clientCertificate: 'request', clientCaFile: '' }, /clientCaFile of TLS settings must be a path/],
    [{ hosts: { a: { ...certificate, clientCertificate: 'require' } } }, /'require' of host "a" needs clientCa/],
    [{ hosts: { a: { ...certificate, clientCa: ca.cert } } }, /host "a" has authorities for clients/],
  ])('refuses %j', (options, message) => {
    expect(() => new TlsSettings(options as TlsSettingsOptions)).toThrow(message);
  });

  test('has safe defaults', () => {
    const { options, alpn, ticketKeys } = new TlsSettings({ certificate });
    expect(options).toMatchObject({
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      curves: 'X25519:prime256v1:secp384r1',
      sessionTickets: true,
      handshakeTimeoutMs: 10_000,
      plaintext: 'refuse',
    });
    expect(options.ciphers.split(':').filter((name) => !/^TLS_|^ECDHE-.*(GCM|CHACHA20)/.test(name))).toEqual([]);
    expect(alpn).toEqual(['http/1.1']);
    expect(ticketKeys).toHaveLength(48);
    expect(new TlsSettings({ certificate }).ticketKeys).not.toEqual(ticketKeys);
  });

  test('enableH2 and setTicketKeys change what was given', () => {
    const settings = new TlsSettings({ certificate, alpn: ['x'] }).enableH2();
    expect(settings.alpn).toEqual(['h2', 'http/1.1']);
    const keys = randomBytes(48);
    settings.setTicketKeys(keys);
    expect(settings.ticketKeys).toBe(keys);
    expect(() => settings.setTicketKeys(Buffer.alloc(47))).toThrow(/48 bytes/);
    expect(settings.ticketKeys).toBe(keys);
  });

  test('hosts take over what the settings ask of clients, unless they say otherwise', async () => {
    const other = makeCa('Other').cert;
    const settings = new TlsSettings({
      certificate,
      clientCertificate: 'require',
      clientCa: ca.cert,
      hosts: {
        same: certificate,
        off: { ...certificate, clientCertificate: 'off' },
        request: { ...certificate, clientCertificate: 'request' },
        own: { ...certificate, clientCa: other },
      },
    });
    await settings.load();
    const policies = ['same', 'off', 'request', 'own', 'unknown'].map((name) => settings.contexts.known(name).client);
    expect(policies).toEqual([
      { mode: 'require', ca: [ca.cert] },
      { mode: 'off', ca: [] },
      { mode: 'request', ca: [ca.cert] },
      { mode: 'require', ca: [other] },
      { mode: 'require', ca: [ca.cert] },
    ]);
    expect(settings.contexts.asksClients).toBe(true);
  });

  test('load reads once, reload every time; a failed one changes nothing', async () => {
    const settings = new TlsSettings({ certificate, hosts });
    expect(() => settings.contexts).toThrow('before they were loaded');
    expect(await settings.load()).toEqual([]);
    const { contexts } = settings;
    await settings.load();
    expect(settings.contexts).toBe(contexts);
    await settings.reload();
    expect(settings.contexts).not.toBe(contexts);
  });

  test('load warns of certificates that have expired', async () => {
    const old = ca.issue({ names: ['old.example'], expired: true });
    const settings = new TlsSettings({ certificate: old, hosts: { 'old.example': old, ...hosts } });
    const warnings = await settings.load();
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toMatch(/^host old\.example: the certificate has expired/);
    expect(await settings.load()).toEqual(warnings);
  });

  test.each([
    [{ ciphers: 'NONSENSE' }, /cannot be used with these TLS settings/],
    [{ curves: 'NONSENSE' }, /cannot be used with these TLS settings/],
    [{ clientCertificate: 'request', clientCa: 'nonsense' }, /the authorities for clients are no PEM/],
    [
      { clientCertificate: 'request', clientCa: `${ca.cert}${ca.cert.replace('MII', 'MIX')}` },
      /an authority for clients cannot be read/,
    ],
  ] as const)('load refuses what OpenSSL does not know: %j', async (options, message) => {
    await expect(new TlsSettings({ certificate, ...options }).load()).rejects.toThrow(message);
  });
});

describe('TlsContexts', () => {
  test('select asks selectCertificate with a plain name, and prepares what it answers once', async () => {
    const asked: string[] = [];
    const answer = ca.issue({ names: ['c.example'] });
    const selectCertificate = (name: string): typeof answer | undefined => {
      asked.push(name);
      return name === 'c.example' ? answer : undefined;
    };
    const settings = new TlsSettings({ certificate, hosts, selectCertificate });
    await settings.load();
    const { contexts } = settings;
    const first = contexts.select('C.Example.');
    expect(contexts.select('c.example')).toBe(first);
    expect(first).not.toBe(contexts.fallback);
    expect(contexts.select('b.example')).toBe(contexts.known('b.example'));
    expect(contexts.select('b.example')).not.toBe(contexts.fallback);
    for (const name of [undefined, '', '\u212A.example', 'a b']) expect(contexts.select(name)).toBe(contexts.fallback);
    expect(asked).toEqual(['c.example', 'c.example', 'b.example', 'b.example']);
  });
});
