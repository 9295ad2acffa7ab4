// The way out through undici: its dispatchers, with their interceptors, stand in for an upstream. Here they cache and
// follow redirects, which a proxy by itself does not.
import { DispatcherPeer } from '@cirque/adapters/undici';
import { parseArgs, Server } from '@cirque/core';
import { defineProxy, httpProxyService } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { Agent, interceptors } from 'undici';
import { startOrigin } from './origin.ts';

const args = parseArgs({
  name: 'dispatcher',
  description: 'Upstreams through an undici dispatcher with interceptors.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6217', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = await bundled(server, startOrigin);
const agent = new Agent({ connections: 10 });
const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 3 }), interceptors.cache());
const peer = new DispatcherPeer(`http://${origin.address}`, dispatcher);

const service = httpProxyService(server.configuration, defineProxy({ upstreamPeer: () => peer }));
service.addTcp(args.values.listen);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
await agent.close();
