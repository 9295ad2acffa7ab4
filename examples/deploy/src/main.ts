// A proxy as it is deployed: one port for traffic, another one for whoever wants to know how it is doing. Everything else
// is said by the configuration, and by the files beside: systemd/, container/, kubernetes/, logrotate/.
import { parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { addXForwarded, defineProxy, httpProxyService } from '@cirque/proxy';
import { healthService } from './health.ts';

const args = parseArgs({
  name: 'deploy',
  description: 'A proxy with a port for health checks.',
  options: {
    listen: { type: 'string', default: '0.0.0.0:8080', valueName: 'ADDRESS', help: 'where the proxy listens' },
    health: { type: 'string', default: '0.0.0.0:9090', valueName: 'ADDRESS', help: 'where health checks are answered' },
    upstream: { type: 'string', default: '127.0.0.1:9000', valueName: 'ADDRESS', help: 'where requests go' },
  },
});
const server = new Server(args);
server.bootstrap();

const peer = new HttpPeer(args.values.upstream);
const proxy = defineProxy({
  upstreamPeer: () => peer,
  upstreamRequestFilter: (session, request) => addXForwarded(session, request),
});
const traffic = httpProxyService(server.configuration, proxy);
traffic.addTcp(args.values.listen);
const health = healthService(server);
health.addTcp(args.values.health);

server.addService(health);
server.addService(traffic);
server.onPhase((phase) => {
  if (phase !== 'Running') return;
  console.log(`listening on ${traffic.endpoints[0]?.text}, health on ${health.endpoints[0]?.text}`);
});
await server.runForever();
