/**
 * The program under test with real peers: plaintext (HTTP/1.1 and h2c) on one port, TLS on another, upstreams of any kind.
 *
 * Told by a JSON file (see src/gateway-setup.ts). Each response says how its request came and where it went.
 */
import { readFileSync } from 'node:fs';
import { parseArgs, Server, TlsSettings } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService, type Session } from '@cirque/proxy';
import {
  CLIENT_FACTS,
  CLIENT_VERSION,
  type ConnectionFacts,
  type GatewaySetup,
  UPSTREAM_FACTS,
} from '../src/gateway-setup.ts';

type Digest = Session['digest'];

const args = parseArgs({
  name: 'gateway',
  description: 'Forwards requests as a file says.',
  options: { setup: { type: 'string', default: 'setup.json', valueName: 'FILE', help: 'what to do' } },
});
const { upstreams, tls, proxy = {} } = JSON.parse(readFileSync(args.values.setup, 'utf8')) as GatewaySetup;
const peers = Object.entries(upstreams).map(
  ([name, { address, options }]) => [name, new HttpPeer(address, options)] as const,
);

function factsOf({ ssl }: Digest, more: ConnectionFacts): string {
  const { version: tls, cipher, alpn, serverName, sessionReused: resumed, authorized } = ssl ?? {};
  const peer = ssl?.peerCertificate?.subject;
  return JSON.stringify({ ...more, tls, cipher, alpn, serverName, resumed, peer, authorized });
}

const gateway = defineProxy<{ upstream: string }>({
  newCtx: () => ({ upstream: '' }),
  upstreamPeer(session) {
    const { headers, target } = session.requestHeader;
    const wish = headers.get('x-upstream') ?? /[?&]upstream=([^&]+)/.exec(target)?.[1];
    const [, peer] = peers.find(([name]) => name === wish) ?? peers[0] ?? [];
    if (peer === undefined) throw new Error('no upstream');
    return peer;
  },
  connectedToUpstream(_session, reused, _peer, digest, ctx) {
    ctx.upstream = factsOf(digest, { reused });
  },
  upstreamRequestFilter(session, request) {
    request.insertHeader(CLIENT_VERSION, session.requestHeader.version);
  },
  responseFilter(session, response, { upstream }) {
    if (response.informational) return;
    const { digest, requestHeader, requestNumber: number } = session;
    response.insertHeader(CLIENT_FACTS, factsOf(digest, { http: requestHeader.version, number }));
    response.insertHeader(UPSTREAM_FACTS, upstream);
  },
});

const server = new Server(args);
server.bootstrap();
const service = httpProxyService(server.configuration, gateway, { ...proxy, server: { h2c: true, ...proxy.server } });
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
