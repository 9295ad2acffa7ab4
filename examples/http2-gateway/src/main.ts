// HTTP/2 on both sides. Clients speak it over TLS, or in plaintext when they know that they may, beside HTTP/1.1 on the
// same ports; upstreams speak it where they can.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, Server, TlsSettings } from '@cirque/core';
import { HttpPeer, type PeerOptions } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { ensureCertificates } from '@cirque-example/certificates';
import { bundled } from '@cirque-example/origins';
import { startOrigins } from './origins.ts';

class Gateway extends ProxyHttp {
  readonly #modern: HttpPeer;
  readonly #old: HttpPeer;

  constructor(modern: string, old: string, options: PeerOptions) {
    super();
    this.#modern = new HttpPeer(modern, options);
    this.#old = new HttpPeer(old, options);
  }

  override newCtx(): undefined {}

  override upstreamPeer(session: Session): HttpPeer {
    return session.requestHeader.path.startsWith('/old/') ? this.#old : this.#modern;
  }

  override logging(session: Session): void {
    const { method, path, version } = session.requestHeader;
    console.log(`${method} ${path} by HTTP/${version}, ${session.digest.ssl === undefined ? 'plaintext' : 'TLS'}`);
  }
}

const args = parseArgs({
  name: 'http2-gateway',
  description: 'HTTP/2 from clients and to upstreams.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6202', valueName: 'ADDRESS', help: 'where plaintext is spoken' },
    'listen-tls': { type: 'string', default: '127.0.0.1:6203', valueName: 'ADDRESS', help: 'where TLS is spoken' },
  },
});
const server = new Server(args);
server.bootstrap();

const { caFile, files } = ensureCertificates(join(import.meta.dirname, '../.state'), {
  gateway: { names: ['localhost'], ips: ['127.0.0.1'] },
  origin: { names: ['origin.example'] },
});
const origins = await bundled(server, () => startOrigins(files.origin));
// Both versions are offered, the origin chooses.
const options: PeerOptions = { tls: true, sni: 'origin.example', ca: readFileSync(caFile), alpn: 'h2h1' };
const gateway = new Gateway(origins.modern, origins.old, options);

const service = httpProxyService(server.configuration, gateway, { server: { h2c: true } });
service.addTcp(args.values.listen);
const { certFile, keyFile } = files.gateway;
service.addTlsWithSettings(args.values['listen-tls'], TlsSettings.intermediate(certFile, keyFile).enableH2());

server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') for (const { text } of service.endpoints) console.log(`listening on ${text}`);
});
await server.runForever();
