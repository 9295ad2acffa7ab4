// Compression at the edge: responses in the coding that the client likes best, requests decoded for an origin that
// understands none.
import { compression, requestDecompression } from '@cirque/compression';
import { parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, httpProxyService } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { startOrigin } from './origin.ts';

const args = parseArgs({
  name: 'compression',
  description: 'Compresses responses, decodes requests.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6207', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = await bundled(server, startOrigin);
const peer = new HttpPeer(origin.address);
const proxy = defineProxy({
  initDownstreamModules: (modules) =>
    modules.add(compression({ gzip: 6, brotli: 5, zstd: 3 })).add(requestDecompression({ maxOutputBytes: 1_048_576 })),
  upstreamPeer: () => peer,
});

const service = httpProxyService(server.configuration, proxy);
service.addTcp(args.values.listen);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
