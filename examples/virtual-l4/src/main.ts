// An upstream without a socket: the proxy makes its connections itself, here in memory. The same way leads through
// anything that can be a stream: a serial line, an SSH channel, a message bus, a test.
import { parseArgs, Server } from '@cirque/core';
import { type CustomConnect, HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';
import { makeOrigin } from './origin.ts';

const args = parseArgs({
  name: 'virtual-l4',
  description: 'Talks HTTP to an origin in the same process, through memory.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6212', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = makeOrigin(); // with threads, each has one of its own
const connect: CustomConnect = async () => origin.connect();
// The address is only a name then: it identifies the upstream in logs and in the connection pool.
const peer = new HttpPeer('origin.virtual:80', { customConnect: connect });

const service = httpProxyService(server.configuration, defineProxy({ upstreamPeer: () => peer }));
service.addTcp(args.values.listen);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
origin.close();
