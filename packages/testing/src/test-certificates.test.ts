import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { checkServerIdentity, connect, createServer, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { type IssuedCertificate, makeCa } from './test-certificates.ts';

const ca = makeCa('Test Root');

/** What a client that trusts `authority` says of a server with this certificate. */
async function verdict(served: IssuedCertificate, authority: string, servername: string): Promise<string> {
  const server = createServer({ cert: served.cert, key: served.key });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await new Promise<string>((resolve) => {
    const client: TLSSocket = connect({ port, host: '127.0.0.1', ca: authority, servername }, () => {
      client.destroy();
      resolve('trusted');
    });
    client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  await new Promise((resolve) => server.close(resolve));
  return answer;
}

describe('makeCa', () => {
  test('makeCa makes an authority that signs itself', () => {
    const own = new X509Certificate(ca.cert);
    expect([own.subject, own.issuer, own.ca]).toEqual(['CN=Test Root', 'CN=Test Root', true]);
    expect(own.verify(own.publicKey)).toBe(true);
  });

  test('makeCa issues a certificate that clients who trust the authority accept', async () => {
    const issued = ca.issue({ names: ['a.example', '*.b.example'] });
    expect(await verdict(issued, ca.cert, 'a.example')).toBe('trusted');
    expect(await verdict(issued, ca.cert, 'x.b.example')).toBe('trusted');
    expect(await verdict(issued, ca.cert, 'c.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await verdict(issued, makeCa('Test Root').cert, 'a.example')).not.toBe('trusted');
  });

  test('makeCa issues expired certificates, which clients refuse', async () => {
    expect(await verdict(ca.issue({ names: ['a.example'], expired: true }), ca.cert, 'a.example')).toBe(
      'CERT_HAS_EXPIRED',
    );
  });

  test('makeCa puts addresses, subject and usages in', () => {
    const request = {
      names: ['a.example'],
      ips: ['127.0.0.1', '::1', '2001:db8::a:1'],
      organization: 'Org',
      clientAuth: true,
    };
    const cert = new X509Certificate(ca.issue(request).cert);
    expect(cert.subject).toBe('O=Org\nCN=a.example');
    expect(cert.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(cert.checkIP('2001:db8::a:1')).toBe('2001:db8::a:1');
    expect(cert.checkIP('::1')).toBe('::1');
    expect(cert.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(checkServerIdentity('a.example', cert.toLegacyObject())).toBeUndefined();
  });

  test('makeCa issues below an intermediate authority with the chain that the server sends', async () => {
    const issued = ca
      .issueCa('Middle')
      .issueCa('Low')
      .issue({ names: ['a.example'], keyType: 'rsa' });
    expect(issued.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
    expect(await verdict(issued, ca.cert, 'a.example')).toBe('trusted');
  });

  test('makeCa gives each certificate its own serial number', () => {
    const serials = new Set(Array.from({ length: 20 }, () => new X509Certificate(ca.issue({}).cert).serialNumber));
    expect(serials.size).toBe(20);
  });
});
