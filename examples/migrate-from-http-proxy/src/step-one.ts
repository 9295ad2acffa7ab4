// A program written for http-proxy. What has changed is this import, which was: import httpProxy from 'http-proxy'
import { createServer, type Server, ServerResponse } from 'node:http';
import httpProxy from '@cirque/adapters/http-proxy';

export function makeServer(origin: string): Server {
  const proxy = httpProxy.createProxyServer({ target: `http://${origin}`, xfwd: true, proxyTimeout: 60_000 });

  proxy.on('proxyReq', (proxied) => {
    proxied.setHeader('X-Special', 'yes');
  });
  proxy.on('proxyRes', (proxied) => {
    delete proxied.headers['x-powered-by'];
  });
  proxy.on('error', (error, _request, answer) => {
    console.log(`error ${error.code}`);
    if (answer instanceof ServerResponse) answer.writeHead(502).end('the other side is not well\n');
  });

  const server = createServer((request, response) => proxy.web(request, response));
  server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
  server.on('close', () => proxy.close());
  return server;
}
