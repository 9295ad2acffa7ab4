/**
 * The program of the soak: all versions on both sides, with filters and compression for the requests that ask for them, so
 * that bodies with and without copies share connections.
 */
import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { compression } from '@cirque/compression';
import { parseArgs, Server, TlsSettings } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';
import type { GatewaySetup } from '../src/gateway-setup.ts';

const args = parseArgs({
  name: 'known-gateway',
  description: 'Forwards the requests of the soak.',
  options: { setup: { type: 'string', default: 'setup.json', valueName: 'FILE', help: 'what to do' } },
});
const { upstreams, tls } = JSON.parse(readFileSync(args.values.setup, 'utf8')) as GatewaySetup;
const peers = new Map(
  Object.entries(upstreams).map(([name, { address, options }]) => [name, new HttpPeer(address, options)]),
);

async function later(body: Buffer | undefined): Promise<Buffer | undefined> {
  if (body === undefined || body.length % 4 === 0) await nextTurn();
  else if (body.length % 4 === 1) await pause(2);
  return body === undefined ? undefined : Buffer.from(body);
}

/** Leaves bodies as they are, in one of two ways. */
function filtersOf(kind: string | undefined) {
  if (kind === 'identity') return { requestBodyFilter: () => undefined, responseBodyFilter: () => undefined };
  return kind === 'async' ? { requestBodyFilter: later, responseBodyFilter: later } : undefined;
}

const gateway = defineProxy({
  initDownstreamModules(modules) {
    modules.add(compression({ gzip: 1, brotli: 0, zstd: 0 }));
    modules.add({ name: 'soak filters', create: ({ headers }) => filtersOf(headers.get('x-filter')) });
  },
  upstreamPeer(session) {
    const peer = peers.get(session.requestHeader.headers.get('x-upstream') ?? '');
    if (peer === undefined) throw new Error('no upstream');
    return peer;
  },
  responseFilter(session) {
    return session.requestHeader.headers.has('x-late') ? pause(5) : undefined;
  },
});

const server = new Server(args);
server.bootstrap();
const service = httpProxyService(server.configuration, gateway, { server: { h2c: true } });
if (tls !== undefined) service.addTlsWithSettings('127.0.0.1:0', new TlsSettings(tls));
service.addTcp('127.0.0.1:0');
server.addService(service);
server.onPhase((phase) => {
  if (phase !== 'Running') return;
  const ports = service.endpoints.map(({ text }) => text);
  if (tls !== undefined) process.stdout.write(`TLS on ${ports.shift()}\n`);
  process.stdout.write(`listening on ${ports[0]}\n`);
});
await server.runForever();
