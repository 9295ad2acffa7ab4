// TLS ends here: clients speak HTTPS with two hosts, each with a certificate of its own, the origin speaks HTTP.
import { httpService, parseArgs, Server, TlsSettings } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { addXForwarded, defineProxy, httpProxyService } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { certificates } from './certificates.ts';
import { startOrigin } from './origin.ts';

const args = parseArgs({
  name: 'tls-termination',
  description: 'HTTPS for two hosts, in front of an origin that speaks HTTP.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6200', valueName: 'ADDRESS', help: 'where HTTPS is spoken' },
    http: { type: 'string', default: '127.0.0.1:6201', valueName: 'ADDRESS', help: 'what redirects to it' },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = await bundled(server, startOrigin);
const peer = new HttpPeer(origin.address);
const proxy = defineProxy({
  upstreamPeer: () => peer,
  upstreamRequestFilter: (session, request) => addXForwarded(session, request),
  // Browsers that have been here once come by HTTPS only, from then on.
  responseFilter: (_session, response) => response.insertHeader('Strict-Transport-Security', 'max-age=3600'),
  logging(session) {
    const { version, serverName } = session.digest.ssl ?? {};
    console.log(`${session.requestHeader.path} for ${serverName} by ${version}`);
  },
});

// The server name that a client sends chooses; a client that sends another one, or none, is refused.
const settings = new TlsSettings({ hosts: certificates().files });
const https = httpProxyService(server.configuration, proxy, { name: 'HTTPS' });
https.addTlsWithSettings(args.values.listen, settings);

// With port 0 the system chooses; the redirects may run in another thread than the one that knows.
const httpsPort = new Uint16Array(server.sharedMemory('HTTPS port', Uint16Array.BYTES_PER_ELEMENT));
const http = httpService('redirects', {
  response({ target, headers }) {
    const { hostname } = new URL(`http://${headers.get('Host')}`);
    return { status: 301, headers: { Location: `https://${hostname}:${httpsPort[0]}${target}` } };
  },
});
http.addTcp(args.values.http);

server.addService(https);
server.addService(http);
server.onPhase((phase) => {
  if (phase === 'Running') {
    httpsPort[0] = Number(new URL(`http://${https.endpoints[0]?.text}`).port);
    console.log(`listening on ${https.endpoints[0]?.text}, process ${process.pid}`);
    console.log(`redirecting from ${http.endpoints[0]?.text}`);
  }
});
await server.runForever();
