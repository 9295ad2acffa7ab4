// Clients show certificates. Who they are is found out once, when a connection is made; each request is then judged by it.
import { join } from 'node:path';
import { parseArgs, Server, TlsSettings } from '@cirque/core';
import type { RequestHeader } from '@cirque/http';
import { HttpPeer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { ensureCertificates } from '@cirque-example/certificates';
import { bundled } from '@cirque-example/origins';
import { startOrigin } from './origin.ts';
import { type User, userOf } from './users.ts';

class Portal extends ProxyHttp {
  readonly #origin: HttpPeer;

  constructor(origin: string) {
    super();
    this.#origin = new HttpPeer(origin);
  }

  override newCtx(): undefined {}

  override requestFilter(session: Session): boolean {
    const { name, isAdmin } = userOfSession(session);
    if (isAdmin || !session.requestHeader.path.startsWith('/admin/')) return false;
    session.respond(403, `this is not for ${name}\n`);
    return true;
  }

  override upstreamPeer(): HttpPeer {
    return this.#origin;
  }

  override upstreamRequestFilter(session: Session, request: RequestHeader): void {
    request.insertHeader('X-User', userOfSession(session).name);
  }
}

/** What `handshakeComplete` has answered for the connection of this request. */
function userOfSession(session: Session): User {
  return session.digest.ssl?.extension as User;
}

const args = parseArgs({
  name: 'client-cert',
  description: 'Asks clients for certificates, and lets them in by their names.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6209', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const { caFile, files } = ensureCertificates(join(import.meta.dirname, '../.state'), {
  portal: { names: ['localhost'], ips: ['127.0.0.1'] },
  alice: { commonName: 'alice', organization: 'Admins', clientAuth: true },
  bob: { commonName: 'bob', organization: 'Guests', clientAuth: true },
});
const settings = new TlsSettings({
  certificate: files.portal,
  clientCertificate: 'require',
  clientCaFile: caFile,
  handshakeComplete: userOf,
});

const origin = await bundled(server, startOrigin);
const service = httpProxyService(server.configuration, new Portal(origin.address));
service.addTlsWithSettings(args.values.listen, settings);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
