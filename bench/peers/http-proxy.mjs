/**
 * http-proxy as its documentation recommends it, with a keep-alive agent.
 */
import http from 'node:http';
import https from 'node:https';
import httpProxy from 'http-proxy';
import { addresses, BACKLOG, KEEP_ALIVE_MS, MAX_IDLE_UPSTREAM } from './addresses.mjs';

const { listen, upstream, tls } = addresses();
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_UPSTREAM, scheduling: 'lifo' });
const proxy = httpProxy.createProxyServer({ target: upstream, agent });

proxy.on('error', (_error, _request, response) => {
  if (response.headersSent) response.destroy();
  else response.writeHead(502).end();
});

const forward = (request, response) => proxy.web(request, response);
const options = { keepAliveTimeout: KEEP_ALIVE_MS, ...tls };
const server = tls === undefined ? http.createServer(options, forward) : https.createServer(options, forward);
server.listen({ ...listen, backlog: BACKLOG });
