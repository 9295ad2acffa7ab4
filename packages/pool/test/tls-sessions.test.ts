import { randomBytes } from 'node:crypto';
import { LeakCheck, makeCa } from '@cirque/testing';
import type { Digest } from '@cirque/transport';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HttpConnector, type PeerOptions } from '../src/index.ts';
import { closeAll, closeLater } from './closing.ts';
import { ask, CA, openTlsOrigin, type TlsOrigin } from './tls-origin.ts';

let leaks: LeakCheck;
beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  vi.useRealTimers();
  await closeAll();
  await leaks.assertClean();
});

/** Keeps no connections, so that every request begins with a handshake. */
function openConnector(): HttpConnector {
  const connector = new HttpConnector({ poolSize: 0 });
  closeLater(() => connector.close());
  return connector;
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

test.each(VERSIONS)('the next connection resumes the session of the last, %s', async (maxTlsVersion) => {
  const origin = await openTlsOrigin();
  const connector = openConnector();
  const seen = [];
  for (let i = 0; i < 4; i += 1) seen.push(await ask(connector, origin, { maxTlsVersion }));
  expect(seen.map((one) => one.resumed)).toEqual([false, true, true, true]);
});

test.each(VERSIONS)('a resumed connection still knows whose certificate it goes back to, %s', async (maxTlsVersion) => {
  const origin = await openTlsOrigin();
  const connector = openConnector();
  const digests: Digest[] = [];
  const tracer = { onConnected: (digest: Digest) => void digests.push(digest) };
  for (let i = 0; i < 3; i += 1) await ask(connector, origin, { maxTlsVersion, tracer });
  expect(digests.map(({ ssl }) => ssl?.sessionReused)).toEqual([false, true, true]);
  for (const { ssl } of digests) {
    expect(ssl).toMatchObject({ authorized: true, authorizationError: undefined });
    expect(ssl?.peerCertificate?.commonName).toBe('origin.example');
  }
});

test('sessionResumption: false begins anew each time', async () => {
  const origin = await openTlsOrigin();
  const connector = openConnector();
  for (let i = 0; i < 3; i += 1) {
    expect(await ask(connector, origin, { sessionResumption: false })).toMatchObject({ resumed: false });
  }
});

test('a session is for its own identity only', async () => {
  const origin = await openTlsOrigin(CA.issue({ ips: ['127.0.0.1'], names: ['a.example', 'b.example'] }));
  const connector = openConnector();
  const client = CA.issue({ names: ['client'], clientAuth: true });
  const identities: PeerOptions[] = [
    {},
    { sni: 'a.example' },
    { sni: 'b.example' },
    { verifyCert: false },
    { verifyHostname: false },
    { alternativeCn: 'a.example' },
    { ca: [CA.cert, makeCa('other').cert] },
    { clientCert: client },
    { groupKey: 'blue' },
    { maxTlsVersion: 'TLSv1.2' },
  ];
  for (const options of identities) {
    expect([options, (await ask(connector, origin, options)).resumed]).toEqual([options, false]);
  }
  for (const options of identities) {
    expect([options, (await ask(connector, origin, options)).resumed]).toEqual([options, true]);
  }
});

test.each(VERSIONS)('a session of a connection that was refused is not kept, %s', async (maxTlsVersion) => {
  // Were it kept, the next handshake would resume it, and nobody would look at the name again.
  const origin = await openTlsOrigin(CA.issue({ names: ['other.example'] }));
  const connector = openConnector();
  for (let i = 0; i < 2; i += 1) {
    await expect(ask(connector, origin, { maxTlsVersion })).rejects.toMatchObject({ type: 'InvalidCert' });
  }
});

test.each(VERSIONS)(
  'a session that the upstream forgot costs a full handshake, and its certificate is judged, %s',
  async (maxTlsVersion) => {
    const origin = await openTlsOrigin();
    const connector = openConnector();
    await ask(connector, origin, { maxTlsVersion });
    origin.server.setTicketKeys(randomBytes(48));
    expect(await ask(connector, origin, { maxTlsVersion })).toMatchObject({ resumed: false });
    expect(await ask(connector, origin, { maxTlsVersion })).toMatchObject({ resumed: true });
    origin.server.setTicketKeys(randomBytes(48));
    origin.server.setSecureContext(CA.issue({ names: ['other.example'] }));
    await expect(ask(connector, origin, { maxTlsVersion })).rejects.toMatchObject({ type: 'InvalidCert' });
  },
);

test('a session is not renewed for ever: an hour after its handshake the certificate is asked for again', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const origin = await openTlsOrigin();
  const connector = openConnector();
  const minutes = (count: number): void => void vi.setSystemTime(Date.now() + count * 60_000);
  expect(await ask(connector, origin)).toMatchObject({ resumed: false });
  minutes(35);
  expect(await ask(connector, origin)).toMatchObject({ resumed: true });
  minutes(24);
  expect(await ask(connector, origin)).toMatchObject({ resumed: true });
  minutes(1);
  expect(await ask(connector, origin)).toMatchObject({ resumed: false });
  minutes(59);
  expect(await ask(connector, origin)).toMatchObject({ resumed: true });
});

test('a session that the handshake fails with is given up', async () => {
  const origin = await openTlsOrigin();
  const connector = openConnector();
  await ask(connector, origin);
  breakNextHandshake(origin);
  await expect(ask(connector, origin)).rejects.toMatchObject({ type: 'TLSHandshakeFailure' });
  expect(await ask(connector, origin)).toMatchObject({ resumed: false });
});

function breakNextHandshake({ server }: TlsOrigin): void {
  server.once('connection', (socket) => socket.destroy());
}

test('connections that are opened at the same time resume the same session', async () => {
  const origin = await openTlsOrigin();
  const connector = openConnector();
  await ask(connector, origin);
  const seen = await Promise.all([ask(connector, origin), ask(connector, origin), ask(connector, origin)]);
  expect(seen.map((one) => one.resumed)).toEqual([true, true, true]);
});
