// Refuses connections by the address of the client, before a byte of them is read: no TLS handshake, no request, no log
// line of a request. The cheapest place to turn somebody away.
import { parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { networkList } from './networks.ts';
import { startOrigin } from './origin.ts';

const args = parseArgs({
  name: 'connection-filter',
  description: 'Refuses connections from some networks.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6211', valueName: 'ADDRESS', help: 'where the proxy listens' },
    deny: {
      type: 'string',
      multiple: true,
      default: [],
      valueName: 'NETWORK',
      help: 'refuse clients from there, say 192.0.2.0/24; repeat it for several',
    },
  },
});
const server = new Server(args);
server.bootstrap();

const isDenied = networkList(args.values.deny);
const origin = await bundled(server, startOrigin);
const peer = new HttpPeer(origin.address);
const service = httpProxyService(server.configuration, defineProxy({ upstreamPeer: () => peer }));
service.addTcp(args.values.listen);

// May answer with a promise as well, say after a look into a database; ten seconds are the limit.
service.setConnectionFilter((client) => {
  if (client === undefined) return true; // a unix socket has no address
  const accepted = !isDenied(client.host);
  console.log(`${client.host} is ${accepted ? 'welcome' : 'turned away'}`);
  return accepted;
});

server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
