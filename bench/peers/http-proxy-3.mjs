/**
 * http-proxy-3, the maintained rewrite of http-proxy, with a keep-alive agent.
 */
import http from 'node:http';
import httpProxy from 'http-proxy-3';
import { addresses, BACKLOG, KEEP_ALIVE_MS, MAX_IDLE_UPSTREAM } from './addresses.mjs';

const { listen, upstream } = addresses();
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_UPSTREAM, scheduling: 'lifo' });
const proxy = httpProxy.createProxyServer({ target: upstream, agent });

proxy.on('error', (_error, _request, response) => {
  if (response.headersSent) response.destroy();
  else response.writeHead(502).end();
});

http
  .createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => proxy.web(request, response))
  .listen({ ...listen, backlog: BACKLOG });
