/**
 * A gigabyte, both ways at a time, over several connections: compared by SHA-256, with half-closed connections, rates, TLS that ends
 * or begins at the gateway, and unix sockets.
 */
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { makeCa } from '@cirque/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { bulk, serveBulk } from './src/bulk-server.ts';
import { freePort } from './src/free-port.ts';
import type { GatewayProcess } from './src/gateway-process.ts';
import { MortalServer } from './src/mortal-server.ts';
import { LIMITS, Site } from './src/site.ts';

vi.setConfig(LIMITS);

const MEGABYTE = 1_000_000;
const RATE = 8 * MEGABYTE;

let site: Site;
let cirque: GatewayProcess;
let ca: string;
const ports: Record<string, number> = {};

beforeAll(async () => {
  site = new Site();
  const authority = makeCa('l4');
  ca = authority.cert;
  const { cert, key } = authority.issue({ names: ['bulk.test'] });
  site.file('ca.pem', ca);
  site.file('bulk.pem', cert);
  site.file('bulk.key', key);
  const plain = await MortalServer.start(site, 'plain', () => createServer({ allowHalfOpen: true }, serveBulk));
  const tls = await MortalServer.start(site, 'tls', () =>
    createTlsServer({ cert, key, allowHalfOpen: true }, serveBulk),
  );
  for (const name of ['plain', 'limited', 'terminated', 'originated']) ports[name] = await freePort();
  const listener = (name: string, more: string): string =>
    `  - { name: ${name}, address: "127.0.0.1:${ports[name]}", protocol: tcp, ${more} }`;
  cirque = await site.gateway(`
threads: 2
listeners:
${listener('plain', 'upstream: plain')}
${listener('limited', `upstream: plain, upload_rate: ${RATE}, download_rate: ${RATE}`)}
${listener('terminated', 'upstream: plain, tls: { cert: bulk.pem, key: bulk.key }')}
${listener('originated', 'upstream: tls')}
  - { name: unix, address: "unix:${site.path('bulk.sock')}", protocol: tcp, upstream: plain }
upstreams:
  plain: ["${plain.address}"]
  tls: { servers: ["${tls.address}"], tls: { sni: bulk.test, ca: ca.pem } }
`);
});
afterAll(() => site?.close());

function open(name: string): Socket {
  const options = { host: '127.0.0.1', port: ports[name] as number, allowHalfOpen: true };
  if (name === 'unix') return connect({ path: site.path('bulk.sock'), allowHalfOpen: true });
  return name === 'terminated' ? connectTls({ ...options, ca, servername: 'bulk.test' }) : connect(options);
}

async function carry(name: string, connections: number, upBytes: number, downBytes: number): Promise<void> {
  const all = Array.from({ length: connections }, () => bulk(open(name), upBytes, downBytes));
  for (const result of await Promise.all(all)) {
    expect(result).toMatchObject({ received: result.sent, down: result.expectedDown, downBytes });
  }
}

it.each([
  ['plain', 4, 60, 60],
  ['plain', 1, 0, 50],
  ['plain', 1, 50, 0],
  ['unix', 2, 25, 25],
  ['terminated', 2, 25, 25],
  ['originated', 2, 25, 25],
] as const)('%s: %i connections, %i MB up and %i MB down', async (name, connections, up, down) => {
  await carry(name, connections, up * MEGABYTE, down * MEGABYTE);
  expect(cirque.errors).toEqual([]);
});

it('limited: the rate holds for each connection and each way', async () => {
  const begun = performance.now();
  await carry('limited', 3, 2 * RATE, 2 * RATE);
  const seconds = (performance.now() - begun) / 1_000;
  // Two seconds' worth, of which at most one goes at once.
  expect(seconds).toBeGreaterThan(0.9);
});
