// A proxy as a handler in a server of node:http that exists already: one path after another can move behind it. Express,
// Connect and Fastify take the same handler.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { toNodeHandler, toUpgradeHandler } from '@cirque/adapters/node';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, HttpProxy } from '@cirque/proxy';
import { startOrigin } from './origin.ts';

const { values } = parseArgs({ options: { listen: { type: 'string', default: '127.0.0.1:6215' } } });

const origin = await startOrigin();
const peer = new HttpPeer(origin.address);
const proxy = new HttpProxy(
  defineProxy({
    upstreamPeer: () => peer,
    upstreamRequestFilter(_session, request) {
      request.target = request.target.slice('/api'.length);
    },
    responseFilter: (_session, response) => response.insertHeader('Via', '1.1 front'),
  }),
);
const toApi = toNodeHandler(proxy);

const server = createServer((request, response) => {
  if (request.url?.startsWith('/api/')) toApi(request, response);
  else response.end('from the old server\n');
});
server.on('upgrade', toUpgradeHandler(proxy)); // WebSockets

const [host = '', port] = values.listen.split(':');
server.listen(Number(port), host, () => {
  const { port } = server.address() as { port: number };
  console.log(`listening on ${host}:${port}`);
});
process.once('SIGTERM', () => {
  server.close();
  toApi.close();
  origin.close();
});
