/** What is true of streams over TLS only: their facts, their reset, their unsent bytes. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { connect, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { LeakCheck, makeCa } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Lease, Stream, sslDigest } from '../src/index.ts';

const ca = makeCa('Test Root');
const site = ca.issue({ names: ['a.example'], organization: 'Site' });
const person = ca.issue({ commonName: 'Ann', organization: 'People', clientAuth: true });

let check: LeakCheck;
beforeEach(() => {
  check = LeakCheck.start();
});
afterEach(() => check.assertClean());

interface TlsPair {
  readonly server: TLSSocket;
  readonly client: TLSSocket;
  readonly raw: { readonly server: Socket; readonly client: Socket };
  readonly close: () => Promise<void>;
}

/** Both ends of a TLS connection over TCP, with the sockets underneath. */
async function tlsPair(options: TlsOptions = {}, clientOptions: object = {}): Promise<TlsPair> {
  const listener = createTcpServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const acceptor = createServer({ ...site, ...options });
  const secured = once(acceptor, 'secureConnection');
  const accepted = once(listener, 'connection');
  const socket = connectTcp((listener.address() as AddressInfo).port, '127.0.0.1');
  const [raw] = (await accepted) as [Socket];
  acceptor.emit('connection', raw);
  const client = connect({ socket, ca: ca.cert, servername: 'A.Example.', ...clientOptions });
  await once(client, 'secureConnect');
  const [server] = (await secured) as [TLSSocket];
  client.on('error', () => {});
  const close = async (): Promise<void> => {
    // TLS first: Node crashes when the socket under it is closed before.
    const ends = [server, client, raw, socket];
    for (const end of ends) end.destroy();
    listener.close();
    await Promise.all([...ends.filter((end) => !end.closed), listener].map((end) => once(end, 'close')));
  };
  return { server, client, raw: { server: raw, client: socket }, close };
}

describe('sslDigest', () => {
  test('sslDigest tells what the handshake settled, on both sides', async () => {
    const { server, client, close } = await tlsPair({ ALPNProtocols: ['h2'] }, { ALPNProtocols: ['h2', 'http/1.1'] });
    const facts = { version: 'TLSv1.3', alpn: 'h2', sessionReused: false, extension: undefined };
    const accepted = sslDigest(server);
    expect(accepted).toMatchObject({ ...facts, serverName: 'a.example', authorized: false });
    expect(accepted.cipher).toMatch(/^TLS_(AES|CHACHA20)/);
    expect([accepted.peerCertificate, accepted.authorizationError]).toEqual([undefined, undefined]);
    const outgoing = sslDigest(client);
    expect(outgoing).toMatchObject({ ...facts, authorized: true, authorizationError: undefined });
    expect(outgoing.peerCertificate).toMatchObject({ commonName: 'a.example', organization: 'Site' });
    await close();
  });

  test('sslDigest has the facts of a client certificate, also after the close', async () => {
    const options = { requestCert: true, rejectUnauthorized: false, ca: ca.cert };
    const { server, close } = await tlsPair(options, person);
    const digest = sslDigest(server);
    await close();
    expect(digest).toMatchObject({ authorized: true, authorizationError: undefined, alpn: undefined });
    const certificate = digest.peerCertificate;
    expect(certificate).toMatchObject({
      subject: 'O=People\nCN=Ann',
      issuer: 'CN=Test Root',
      organization: 'People',
      commonName: 'Ann',
      subjectAltName: undefined,
    });
    expect(certificate?.serialNumber).toMatch(/^[0-9A-F]+$/);
    expect(certificate?.fingerprint256).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(certificate?.validTo.getTime()).toBeGreaterThan(Date.now());
    expect(certificate?.validFrom.getTime()).toBeLessThan(Date.now());
    expect(certificate?.raw.length).toBeGreaterThan(200);
  });

  test('sslDigest says why a certificate is not trusted', async () => {
    const stranger = makeCa('Other').issue({ commonName: 'Eve', clientAuth: true });
    const options = { requestCert: true, rejectUnauthorized: false, ca: ca.cert };
    const { server, close } = await tlsPair(options, stranger);
    const digest = sslDigest(server);
    expect(digest).toMatchObject({ authorized: false, authorizationError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    expect(digest.peerCertificate?.commonName).toBe('Eve');
    await close();
  });

  test('sslDigest is written to logs with its facts and without the extension', async () => {
    const { server, close } = await tlsPair();
    const digest = sslDigest(server);
    digest.extension = { secret: true };
    expect(JSON.parse(JSON.stringify(digest))).toEqual({
      version: 'TLSv1.3',
      cipher: digest.cipher,
      serverName: 'a.example',
      sessionReused: false,
      authorized: false,
    });
    await close();
  });
});

describe('Stream over TLS', () => {
  test('Stream.reset sends RST, so that a cut message does not look complete', async () => {
    const { server, client, raw, close } = await tlsPair();
    const stream = new Stream(server, 'Downstream');
    stream.identify({ ssl: sslDigest(server), carrier: raw.server });
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => client.once('error', resolve));
    stream.reset();
    expect((await failed).code).toBe('ECONNRESET');
    await close();
  });

  test('Stream.writeBacklog changes while the other side reads, and only then', async () => {
    const { server, client, raw, close } = await tlsPair();
    const stream = new Stream(server, 'Downstream');
    stream.identify({ carrier: raw.server });
    stream.write(Buffer.alloc(32_000_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const full = stream.writeBacklog;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stream.writeBacklog).toBe(full);
    expect(full).toBeGreaterThan(0);
    const backlogs = new Set<number>();
    client.on('data', () => backlogs.add(stream.writeBacklog));
    await once(server, 'drain');
    expect(backlogs.size).toBeGreaterThan(3);
    expect(stream.writeBacklog).toBe(0);
    await close();
  });

  test('Stream gives chunks that may be kept and written without a copy', async () => {
    const { server, client, close } = await tlsPair();
    const stream = new Stream(server, 'Downstream');
    const pieces: Buffer[] = [];
    const onRead = (buffer: Buffer, length: number, lease: Lease | undefined): void => {
      if (lease === undefined) throw new Error('no lease');
      stream.writeSlice(buffer, 0, length, lease);
      pieces.push(buffer.subarray(0, length));
    };
    stream.start({ onRead, onReadEnd() {}, onDrain() {}, onClose() {} });
    const sent = Array.from({ length: 50 }, (_, index) => `${index} `.repeat(1_000)).join('');
    let received = '';
    client.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    client.write(sent);
    while (received.length < sent.length) await once(client, 'data');
    expect(received).toBe(sent);
    expect(Buffer.concat(pieces).toString('latin1')).toBe(sent);
    await close();
  });

  test('Stream.digest has the addresses of the socket, and of the PROXY header in their place', async () => {
    const { server, raw, close } = await tlsPair();
    const stream = new Stream(server, 'Downstream');
    const { remotePort } = raw.server;
    expect(stream.digest).toMatchObject({ ssl: undefined, proxyHeader: undefined, socket: { remotePort } });
    const source = { host: '192.0.2.1', port: 1_234 };
    const destination = { host: '198.51.100.1', port: 443 };
    const proxyHeader = { version: 2, command: 'PROXY', source, destination, tlvs: [] } as const;
    stream.identify({ ssl: sslDigest(server), proxyHeader, carrier: raw.server });
    expect(stream.digest).toMatchObject({
      ssl: { version: 'TLSv1.3' },
      proxyHeader,
      socket: { remoteAddress: '192.0.2.1', remotePort: 1_234, localAddress: '198.51.100.1', localPort: 443 },
      transport: { remoteAddress: '127.0.0.1', remotePort },
    });
    await close();
    expect(stream.digest.transport.remotePort).toBe(remotePort);
  });

  test('Stream.digest keeps the socket’s addresses when a PROXY header brings none', async () => {
    const { server, raw, close } = await tlsPair();
    const stream = new Stream(server, 'Downstream');
    const proxyHeader = { version: 2, command: 'LOCAL', source: undefined, destination: undefined, tlvs: [] } as const;
    stream.identify({ proxyHeader, carrier: raw.server });
    expect(stream.digest.socket.remoteAddress).toBe('127.0.0.1');
    expect(stream.digest.socket).toBe(stream.digest.transport);
    await close();
  });
});
