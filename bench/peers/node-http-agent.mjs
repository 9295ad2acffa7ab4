/**
 * What a careful developer writes by hand: node:http on both sides with a keep-alive agent.
 */
import http from 'node:http';
import https from 'node:https';
import { addresses, BACKLOG, KEEP_ALIVE_MS, MAX_IDLE_UPSTREAM } from './addresses.mjs';
import { endToEnd, hasBody } from './hop-by-hop.mjs';

const { listen, upstream, tls } = addresses();
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_UPSTREAM, scheduling: 'lifo' });

function forward(request, response) {
  const outgoing = http.request({
    ...upstream,
    agent,
    method: request.method,
    path: request.url,
    headers: endToEnd(request.rawHeaders),
    setHost: false,
  });
  outgoing.on('response', (answer) => {
    response.writeHead(answer.statusCode, answer.statusMessage, endToEnd(answer.rawHeaders));
    answer.pipe(response);
  });
  outgoing.on('error', () => {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  });
  response.on('close', () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  if (hasBody(request)) request.pipe(outgoing);
  else outgoing.end();
}

const options = { keepAliveTimeout: KEEP_ALIVE_MS, ...tls };
const server = tls === undefined ? http.createServer(options, forward) : https.createServer(options, forward);
server.listen({ ...listen, backlog: BACKLOG });
