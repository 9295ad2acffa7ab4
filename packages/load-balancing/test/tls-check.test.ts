import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import { FakeClock, LeakCheck, makeCa } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Backend, HttpHealthCheck, TcpHealthCheck, TlsHealthCheck } from '../src/index.ts';
import { closeAll } from './cleanup.ts';
import { Endpoint, until } from './servers.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

const authority = makeCa('test authority');
const ca = authority.cert;
const identity = authority.issue({ names: ['example.com'], ips: ['127.0.0.1'] });

interface TlsEndpoint {
  readonly server: Server;
  readonly endpoint: Endpoint;
  readonly backend: Backend;
  /** Server names of complete handshakes. */
  readonly names: unknown[];
}

async function openTls(options: TlsOptions = {}): Promise<TlsEndpoint> {
  const names: unknown[] = [];
  const server = createServer({ ...identity, ...options }, (socket) => {
    names.push((socket as { servername?: string | false }).servername);
    socket.on('error', () => undefined).resume();
  });
  server.on('tlsClientError', () => undefined);
  const endpoint = await new Endpoint(server).start();
  return { server, endpoint, backend: Backend.parse(endpoint.address), names };
}

describe('TcpHealthCheck with tls', () => {
  it('passes when the handshake succeeds, and closes its connection', async () => {
    const { endpoint, backend, names } = await openTls();
    await new TcpHealthCheck({ tls: true, ca, sni: 'example.com' }).check(backend);
    await new TcpHealthCheck({ tls: true, ca }).check(backend);
    await until(() => endpoint.open === 0);
    expect(names).toEqual(['example.com', false]);
  });

  it('is no failed handshake for the backend', async () => {
    const failures: Error[] = [];
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { server, backend, names } = await openTls({ maxVersion });
      server.on('tlsClientError', (error: Error) => void failures.push(error));
      const check = new TcpHealthCheck({ tls: true, ca });
      for (let i = 0; i < 20; i += 1) await check.check(backend);
      expect(names).toHaveLength(20);
    }
    expect(failures).toEqual([]);
  });

  it('passes though the backend does not close, when connectionTimeoutMs is over', async () => {
    const server = createServer({ ...identity, allowHalfOpen: true }, (socket) =>
      socket.on('error', () => undefined).resume(),
    );
    const endpoint = await new Endpoint(server).start();
    const clock = new FakeClock();
    const wheel = new TimerWheel({ clock });
    const check = new TcpHealthCheck({ tls: true, ca, connectionTimeoutMs: 400, time: { clock, wheel } });
    let ended = false;
    server.on('secureConnection', (socket) => socket.on('end', () => (ended = true)));
    const checked = check.check(Backend.parse(endpoint.address));
    await until(() => ended);
    clock.advance(440);
    wheel.advance();
    await checked;
    expect(wheel.size).toBe(0);
  });

  it('fails when the certificate is not right, each time anew', async () => {
    const { backend } = await openTls();
    const check = new TcpHealthCheck({ tls: true, ca, sni: 'other.example' });
    for (let i = 0; i < 2; i += 1) {
      await expect(check.check(backend)).rejects.toMatchObject({ type: 'InvalidCert' });
    }
    await expect(new TcpHealthCheck({ tls: true }).check(backend)).rejects.toMatchObject({ type: 'InvalidCert' });
    await new TcpHealthCheck({ tls: true, verifyCert: false }).check(backend);
    await new TcpHealthCheck({ tls: true, ca, sni: 'other.example', verifyHostname: false }).check(backend);
    await new TcpHealthCheck({ tls: true, ca, sni: 'other.example', alternativeCn: 'example.com' }).check(backend);
  });

  it('sees a certificate that went bad after a good check', async () => {
    const server = createServer(identity, (socket) => socket.on('error', () => undefined).resume());
    const endpoint = await new Endpoint(server).start();
    const check = new TcpHealthCheck({ tls: true, ca });
    await check.check(Backend.parse(endpoint.address));
    server.setSecureContext(authority.issue({ ips: ['127.0.0.1'], expired: true }));
    await expect(check.check(Backend.parse(endpoint.address))).rejects.toMatchObject({ type: 'InvalidCert' });
  });

  it('fails where nobody speaks TLS', async () => {
    const endpoint = await Endpoint.tcp().start();
    const clock = new FakeClock();
    const wheel = new TimerWheel({ clock });
    const check = new TcpHealthCheck({ tls: true, ca, connectionTimeoutMs: 400, time: { clock, wheel } });
    const failure = check.check(Backend.parse(endpoint.address));
    const failed = expect(failure).rejects.toMatchObject({
      source: 'Upstream',
      type: expect.stringMatching(/Timedout$/),
    });
    await until(() => endpoint.open === 1);
    clock.advance(440);
    wheel.advance();
    await failed;
    await until(() => endpoint.open === 0);
    expect(wheel.size).toBe(0);
  });

  it('shows its certificate', async () => {
    const { backend } = await openTls({ requestCert: true, ca, maxVersion: 'TLSv1.2' });
    const clientCert = authority.issue({ names: ['checker'], clientAuth: true });
    await new TcpHealthCheck({ tls: true, ca, clientCert }).check(backend);
    await expect(new TcpHealthCheck({ tls: true, ca }).check(backend)).rejects.toMatchObject({
      type: 'TLSHandshakeFailure',
    });
  });

  it('refuses wrong options by name', () => {
    expect(() => new TcpHealthCheck({ sni: 'example.com' })).toThrow('peer option sni is given without tls');
    expect(() => new TcpHealthCheck({ tls: true, ca: 'ca.pem' })).toThrow('peer option ca is not PEM');
  });
});

describe('HttpHealthCheck with tls', () => {
  async function openHttps(): Promise<Backend> {
    const server = createHttpsServer(identity, (request, response) => {
      const { servername } = request.socket as { servername?: string | false };
      response.end(`${request.headers.host} ${servername}`);
    });
    return Backend.parse((await new Endpoint(server).start()).address);
  }

  it('passes when the backend is who the request is for', async () => {
    const backend = await openHttps();
    for (const host of ['example.com', 'example.com:8443', '127.0.0.1', '127.0.0.1:443']) {
      await new HttpHealthCheck({ host, tls: true, ca }).check(backend);
    }
    await new HttpHealthCheck({ host: 'other.example', sni: 'example.com', tls: true, ca }).check(backend);
  });

  it('fails when it is not', async () => {
    const backend = await openHttps();
    const check = new HttpHealthCheck({ host: 'other.example', tls: true, ca });
    await expect(check.check(backend)).rejects.toMatchObject({ type: 'InvalidCert', source: 'Upstream' });
    await expect(new HttpHealthCheck({ host: 'example.com' }).check(backend)).rejects.toMatchObject({
      source: 'Upstream',
    });
  });

  it('keeps its connection when asked to', async () => {
    const server = createHttpsServer(identity, (_, response) => response.end('ok'));
    const endpoint = await new Endpoint(server).start();
    const check = new HttpHealthCheck({ host: 'example.com', tls: true, ca, reuseConnection: true });
    for (let i = 0; i < 3; i += 1) await check.check(Backend.parse(endpoint.address));
    expect(endpoint.connections).toBe(1);
    await check.release();
    await until(() => endpoint.open === 0);
  });
});

describe('TlsHealthCheck', () => {
  it('TlsHealthCheck passes when the handshake succeeds, and ends it in order', async () => {
    const failures: Error[] = [];
    const { endpoint, server, backend, names } = await openTls();
    server.on('tlsClientError', (error: Error) => void failures.push(error));
    await new TlsHealthCheck({ ca, sni: 'example.com' }).check(backend);
    await until(() => endpoint.open === 0);
    expect([names, failures]).toEqual([['example.com'], []]);
  });

  it('TlsHealthCheck looks at the certificate unless told not to', async () => {
    const { backend } = await openTls();
    const check = new TlsHealthCheck({ ca, sni: 'other.example' }).check(backend);
    await expect(check).rejects.toMatchObject({ type: 'InvalidCert' });
    await new TlsHealthCheck({ sni: 'other.example', verifyCert: false }).check(backend);
  });

  it('TlsHealthCheck wants a certificate that stays valid for minValidityMs, verified or not', async () => {
    const { backend } = await openTls();
    const hour = 3_600_000;
    await new TlsHealthCheck({ ca, minValidityMs: hour }).check(backend);
    const century = 100 * 365 * 24 * hour;
    for (const verifyCert of [true, false]) {
      const check = new TlsHealthCheck({ ca, verifyCert, minValidityMs: century });
      const failure = await check.check(backend).catch((error: unknown) => error);
      expect(failure).toMatchObject({ type: 'InvalidCert', source: 'Upstream' });
      expect(String(failure)).toMatch(/is valid until \d{4}-.*Z, not for another 36500\.0 days/);
    }
    const expired = await openTls(authority.issue({ ips: ['127.0.0.1'], expired: true }));
    await new TlsHealthCheck({ verifyCert: false }).check(expired.backend);
    const late = new TlsHealthCheck({ verifyCert: false, minValidityMs: 1 }).check(expired.backend);
    await expect(late).rejects.toMatchObject({ type: 'InvalidCert' });
  });

  it('TlsHealthCheck fails where nobody speaks TLS', async () => {
    const endpoint = await Endpoint.http((_, response) => response.end()).start();
    const result = new TlsHealthCheck({ ca }).check(Backend.parse(endpoint.address));
    await expect(result).rejects.toMatchObject({ type: 'TLSHandshakeFailure' });
  });

  it('TlsHealthCheck refuses wrong options by name', () => {
    expect(() => new TlsHealthCheck({ minValidityMs: -1 })).toThrow('minValidityMs must be an integer from 0, got -1');
    expect(() => new TlsHealthCheck({ ca: 'ca.pem' })).toThrow('peer option ca is not PEM');
  });
});
