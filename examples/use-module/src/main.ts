// A module of one's own at work: who may pass is decided before any phase of the proxy runs.
import { parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { Acl, acl } from './acl.ts';
import { startOrigin } from './origin.ts';

const args = parseArgs({
  name: 'use-module',
  description: 'An access control list as a module.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6210', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = await bundled(server, startOrigin);
const peer = new HttpPeer(origin.address);
const access = acl({
  rules: [
    { path: '/public/', users: 'everybody' },
    { path: '/reports/', users: ['alice', 'bob'] },
    { path: '/', users: ['alice'] },
  ],
  tokens: { alice: 'in-wonderland', bob: 'the-builder' },
});

const proxy = defineProxy({
  initDownstreamModules: (modules) => modules.add(access),
  upstreamPeer: () => peer,
  // Phases find the module of their request by its class.
  upstreamRequestFilter(session, request) {
    request.removeHeader('Authorization');
    request.insertHeader('X-User', session.downstreamModules?.get(Acl)?.user ?? 'nobody');
  },
});

const service = httpProxyService(server.configuration, proxy);
service.addTcp(args.values.listen);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
