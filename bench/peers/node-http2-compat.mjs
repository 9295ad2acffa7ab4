/**
 * HTTP/2 clients with the API of node:http, an http.Agent behind it: how an existing program gets HTTP/2.
 */
import http from 'node:http';
import http2 from 'node:http2';
import { addresses, BACKLOG, MAX_IDLE_UPSTREAM } from './addresses.mjs';
import { toHttp1, toHttp2 } from './http2-fields.mjs';

const { listen, upstream, tls } = addresses();
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_UPSTREAM, scheduling: 'lifo' });

function forward(request, response) {
  const { method, url: path, headers } = request;
  const outgoing = http.request({ ...upstream, agent, method, path, headers: toHttp1(headers) });
  outgoing.on('response', (answer) => {
    response.writeHead(answer.statusCode, toHttp2(answer.headers));
    answer.pipe(response);
  });
  outgoing.on('error', () => response.stream?.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
  response.on('close', () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  if (method === 'GET') outgoing.end();
  else request.pipe(outgoing);
}

const server = tls === undefined ? http2.createServer(forward) : http2.createSecureServer(tls, forward);
server.listen({ ...listen, backlog: BACKLOG });
