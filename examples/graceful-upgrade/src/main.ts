// A proxy that is replaced by a new process while it serves: HTTP, TLS with HTTP/2, WebSockets, a unix socket and UDP.
import { parseArgs, Server, TlsSettings } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';
import { certificates } from './certificates.ts';
import { DatagramEcho } from './datagram-echo.ts';
import { WarmUp } from './warm-up.ts';

const args = parseArgs({
  name: 'graceful-upgrade',
  description: 'A proxy that is replaced by a new process while it serves.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6220', valueName: 'ADDRESS', help: 'where HTTP is spoken' },
    'listen-tls': { type: 'string', default: '127.0.0.1:6221', valueName: 'ADDRESS', help: 'where HTTPS is spoken' },
    'listen-udp': { type: 'string', default: '127.0.0.1:6222', valueName: 'ADDRESS', help: 'where datagrams return' },
    'listen-unix': { type: 'string', valueName: 'PATH', help: 'unix socket where HTTP is spoken' },
    origin: { type: 'string', default: '127.0.0.1:6223', valueName: 'ADDRESS', help: 'where requests go' },
  },
});
const server = new Server(args);
server.bootstrap();

const peer = new HttpPeer(args.values.origin);
const proxy = defineProxy({
  upstreamPeer: () => peer,
  // Clients see who has served them.
  responseFilter: (_session, response) => response.insertHeader('X-Process', `${process.pid}`),
});

const { localhost } = certificates().files;
const service = httpProxyService(server.configuration, proxy);
service.addTcp(args.values.listen);
service.addTlsWithSettings(
  args.values['listen-tls'],
  TlsSettings.intermediate(localhost.certFile, localhost.keyFile).enableH2(),
);
if (args.values['listen-unix'] !== undefined) service.addUds(args.values['listen-unix']);

const warmUp = server.addService(new WarmUp());
server.addService(service).addDependency(warmUp);
server.addService(new DatagramEcho(args.values['listen-udp'])).addDependency(warmUp);

server.onPhase((phase) => {
  if (phase !== 'Running' || !server.isMain) return;
  const [http, https] = service.endpoints.map(({ text }) => text);
  console.log(`listening on ${http}, on ${https} with TLS, on ${args.values['listen-udp']} for datagrams`);
  console.log(`this is process ${process.pid}`);
});
await server.runForever();
