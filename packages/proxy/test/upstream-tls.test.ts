import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { serverConfiguration } from '@cirque/core';
import type { CirqueError } from '@cirque/error';
import { HttpPeer, type PeerOptions } from '@cirque/pool';
import { LeakCheck, makeCa, RawClient, type TestCa } from '@cirque/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defineProxy } from '../src/proxy-http.ts';
import { httpProxyService } from '../src/service.ts';
import { type ListeningProxy, listen } from './listening-proxy.ts';

const ca: TestCa = makeCa('test authority');
let leaks: LeakCheck;
let directory: string;
let cleanup: (() => unknown)[] = [];
beforeEach(() => {
  leaks = LeakCheck.start();
  directory = mkdtempSync(join(tmpdir(), 'cirque-proxy-'));
});
afterEach(async () => {
  for (const close of cleanup.reverse()) await close();
  cleanup = [];
  rmSync(directory, { recursive: true });
  vi.unstubAllEnvs();
  await leaks.assertClean();
});

/** An HTTPS origin at 127.0.0.1 that tells the Host field it got. */
async function openOrigin(): Promise<number> {
  const server = createServer(ca.issue({ names: ['origin.example'] }), (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (head) => {
      const host = /^Host: (.*)\r$/im.exec(head.toString('latin1'))?.[1] ?? '';
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${host.length}\r\n\r\n${host}`);
    });
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function openProxy(...args: Parameters<typeof listen>): Promise<ListeningProxy> {
  const proxy = await listen(...args);
  cleanup.push(() => proxy.close());
  return proxy;
}

async function ask(proxy: ListeningProxy): Promise<string> {
  const client = await RawClient.connect({ port: proxy.port });
  await client.send('GET / HTTP/1.1\r\nHost: front.example\r\nConnection: close\r\n\r\n');
  await client.waitForClose();
  await client.close();
  return client.text;
}

function to(port: number, options: PeerOptions): ReturnType<typeof defineProxy> {
  return defineProxy({
    upstreamPeer: () => new HttpPeer({ host: '127.0.0.1', port }, options),
    upstreamRequestFilter: (_session, request) => request.headers.set('Host', 'origin.example'),
  });
}

test('HttpProxy: requests go to an HTTPS origin, over connections that are kept', async () => {
  const proxy = await openProxy(to(await openOrigin(), { tls: true, sni: 'origin.example', ca: ca.cert }));
  expect(await ask(proxy)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*origin\.example$/s);
  expect(await ask(proxy)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*origin\.example$/s);
  expect(proxy.stats.upstream).toMatchObject({ connects: 1, reused: 1 });
});

test('HttpProxy: an origin whose certificate is not accepted is 502, and failToConnect hears why', async () => {
  const port = await openOrigin();
  const errors: CirqueError[] = [];
  const phases = defineProxy({
    upstreamPeer: () => new HttpPeer({ host: '127.0.0.1', port }, { tls: true, sni: 'other.example', ca: ca.cert }),
    failToConnect: (_session, _peer, _ctx, error) => {
      errors.push(error);
      return error;
    },
  });
  const proxy = await openProxy(phases);
  expect(await ask(proxy)).toMatch(/^HTTP\/1\.1 502 /);
  expect(errors).toMatchObject([{ type: 'InvalidCert', source: 'Upstream' }]);
  expect(JSON.stringify(proxy.logs)).toContain('other.example. is not in the cert');
});

test('httpProxyService reads caFile of the configuration, its own options go first', async () => {
  const port = await openOrigin();
  const trusted = join(directory, 'ca.pem');
  const other = join(directory, 'other.pem');
  writeFileSync(trusted, ca.cert);
  writeFileSync(other, makeCa('other').cert);
  const phases = to(port, { tls: true, sni: 'origin.example' });
  const configuration = serverConfiguration({ caFile: trusted });
  expect(await ask(await openProxy(phases, {}, configuration))).toMatch(/^HTTP\/1\.1 200 /);
  expect(await ask(await openProxy(phases, { caFile: other }, configuration))).toMatch(/^HTTP\/1\.1 502 /);
  expect(await ask(await openProxy(phases))).toMatch(/^HTTP\/1\.1 502 /);
  const missing = serverConfiguration({ caFile: join(directory, 'none.pem') });
  expect(() => httpProxyService(missing, phases)).toThrow(/^caFile .*none\.pem cannot be used: ENOENT/);
});

test('httpProxyService writes the key log where SSLKEYLOGFILE says, if the configuration wants it', async () => {
  const path = join(directory, 'keys.log');
  const phases = to(await openOrigin(), { tls: true, verifyCert: false });
  vi.stubEnv('SSLKEYLOGFILE', '');
  const wanted = serverConfiguration({ upstreamDebugSslKeylog: true });
  expect(() => httpProxyService(wanted, phases)).toThrow('SSLKEYLOGFILE does not name a file: set it');
  vi.stubEnv('SSLKEYLOGFILE', path);
  await ask(await openProxy(phases, {}, wanted));
  const written = readFileSync(path, 'latin1');
  expect(written).toContain('CLIENT_TRAFFIC_SECRET_0 ');
  await ask(await openProxy(phases));
  expect(readFileSync(path, 'latin1')).toBe(written);
});
