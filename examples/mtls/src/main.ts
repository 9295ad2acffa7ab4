// Mutual TLS to an upstream: it shows its certificate, the proxy shows one of its own, and both are verified.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';
import { ensureCertificates } from '@cirque-example/certificates';
import { bundled } from '@cirque-example/origins';
import { startOrigin } from './origin.ts';

const args = parseArgs({
  name: 'mtls',
  description: 'Shows an upstream the certificate that it asks for.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6208', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const { caFile, files } = ensureCertificates(join(import.meta.dirname, '../.state'), {
  origin: { names: ['origin.example'] },
  proxy: { commonName: 'the proxy', clientAuth: true },
});
const origin = await bundled(server, () => startOrigin(files.origin, caFile));

const ca = readFileSync(caFile);
const { certFile, keyFile } = files.proxy;
const clientCert = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
// Made once: a peer with a certificate takes a digest of it. They never share connections.
const known = new HttpPeer(origin.address, { tls: true, sni: 'origin.example', ca, clientCert });
const unknown = new HttpPeer(origin.address, { tls: true, sni: 'origin.example', ca });

const proxy = defineProxy({
  upstreamPeer: (session) => (session.requestHeader.path === '/unknown' ? unknown : known),
  connectedToUpstream(_session, reused, _peer, { ssl }) {
    if (!reused) console.log(`connected by ${ssl?.version} to ${ssl?.peerCertificate?.subject}`);
  },
});

const service = httpProxyService(server.configuration, proxy);
service.addTcp(args.values.listen);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
