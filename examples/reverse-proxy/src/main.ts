// The smallest real proxy: forwards every request to the upstreams in turn, and nothing else.
import { parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';

const args = parseArgs({
  name: 'reverse-proxy',
  description: 'Forwards every request to the upstreams, in turn.',
  options: {
    listen: {
      type: 'string',
      multiple: true,
      default: ['127.0.0.1:8080'],
      valueName: 'ADDRESS',
      help: 'host:port or unix:/path to listen on',
    },
    upstream: {
      type: 'string',
      multiple: true,
      default: ['127.0.0.1:9000'],
      valueName: 'ADDRESS',
      help: 'where to forward to; repeat it for several',
    },
    'host-header': { type: 'string', valueName: 'HOST', help: "send this Host upstream instead of the client's" },
  },
});
const peers = args.values.upstream.map((address) => new HttpPeer(address));
const host = args.values['host-header'];
let turn = 0;

const proxy = defineProxy({
  upstreamPeer: () => peers[turn++ % peers.length] as HttpPeer,
  ...(host === undefined ? {} : { upstreamRequestFilter: (_session, request) => request.insertHeader('Host', host) }),
});

const server = new Server(args);
server.bootstrap();
const service = httpProxyService(server.configuration, proxy);
for (const address of args.values.listen) {
  if (address.startsWith('unix:')) service.addUds(address.slice('unix:'.length));
  else service.addTcp(address);
}
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') for (const { text } of service.endpoints) process.stdout.write(`listening on ${text}\n`);
});
await server.runForever();
