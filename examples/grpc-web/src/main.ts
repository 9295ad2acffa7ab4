// A gRPC server for web pages: browsers speak gRPC-Web, the module translates, the server notices nothing.
import { parseArgs, Server } from '@cirque/core';
import { grpcWeb } from '@cirque/grpc-web';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { startOrigin } from './origin.ts';

const args = parseArgs({
  name: 'grpc-web',
  description: 'gRPC-Web in front of a gRPC server.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6206', valueName: 'ADDRESS', help: 'where the proxy listens' },
    page: {
      type: 'string',
      default: 'https://app.example',
      valueName: 'ORIGIN',
      help: 'whose pages may call: scheme and host, as browsers send it',
    },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = await bundled(server, startOrigin);
const peer = new HttpPeer(origin.address, { alpn: 'h2' });
const { page } = args.values;

const proxy = defineProxy({
  initDownstreamModules: (modules) => modules.add(grpcWeb()),
  // Browsers ask first whether a page from elsewhere may call.
  requestFilter(session) {
    if (session.requestHeader.method !== 'OPTIONS') return false;
    session.respond(204, '', {
      'Access-Control-Allow-Origin': page,
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': 'content-type, x-grpc-web, x-user-agent, grpc-timeout',
      'Access-Control-Max-Age': '86400',
    });
    return true;
  },
  upstreamPeer: () => peer,
  responseFilter(_session, response) {
    response.insertHeader('Access-Control-Allow-Origin', page);
    response.insertHeader('Access-Control-Expose-Headers', 'grpc-status, grpc-message');
  },
});

const service = httpProxyService(server.configuration, proxy);
service.addTcp(args.values.listen);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
