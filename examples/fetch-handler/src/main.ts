// Web-standard code in both places: a function from Request to Response is the service, and the proxy is such a function
// too, so that one can call the other. Frameworks that speak Request and Response (hono, h3, itty) fit as they are.
import { fromFetch, toFetchHandler } from '@cirque/adapters/fetch';
import { HttpConnectionApp, ListeningService, parseArgs, Server } from '@cirque/core';
import { HttpPeer } from '@cirque/pool';
import { defineProxy } from '@cirque/proxy';
import { bundled } from '@cirque-example/origins';
import { startOrigin } from './origin.ts';

const args = parseArgs({
  name: 'fetch-handler',
  description: 'A fetch handler that answers by itself, or asks a proxy.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6216', valueName: 'ADDRESS', help: 'where the service listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = await bundled(server, startOrigin);
const peer = new HttpPeer(origin.address);
const proxy = toFetchHandler(defineProxy({ upstreamPeer: () => peer }));

async function handle(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === '/hello') return new Response('hello\n');
  if (pathname === '/both') {
    // Two requests upstream for one of the client; giving up the client's cancels both.
    const { signal } = request;
    const parts = ['one', 'two'].map((path) => proxy(new Request(new URL(path, request.url), { signal })));
    const [one, two] = await Promise.all(parts.map(async (part) => (await part).text()));
    return Response.json({ one, two });
  }
  return proxy(request);
}

const service = new ListeningService('fetch handler', new HttpConnectionApp(fromFetch(handle)));
service.addTcp(args.values.listen);
server.addService(service);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${service.endpoints[0]?.text}`);
});
await server.runForever();
proxy.close();
