/**
 * HTTP/2 clients with the stream API of node:http2, an http.Agent behind it: what a careful developer writes by hand.
 */
import http from 'node:http';
import http2 from 'node:http2';
import { addresses, BACKLOG, MAX_IDLE_UPSTREAM } from './addresses.mjs';
import { toHttp1, toHttp2 } from './http2-fields.mjs';

const { listen, upstream, tls } = addresses();
const agent = new http.Agent({ keepAlive: true, maxFreeSockets: MAX_IDLE_UPSTREAM, scheduling: 'lifo' });

function forward(stream, headers) {
  const method = headers[':method'];
  const outgoing = http.request({ ...upstream, agent, method, path: headers[':path'], headers: toHttp1(headers) });
  outgoing.on('response', (answer) => {
    if (stream.destroyed) return;
    stream.respond({ ':status': answer.statusCode, ...toHttp2(answer.headers) });
    answer.pipe(stream);
  });
  outgoing.on('error', () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
  stream.on('error', () => outgoing.destroy());
  stream.on('close', () => {
    if (!stream.writableFinished) outgoing.destroy();
  });
  if (method === 'GET') outgoing.end();
  else stream.pipe(outgoing);
}

const server = tls === undefined ? http2.createServer() : http2.createSecureServer(tls);
server.on('stream', forward);
server.listen({ ...listen, backlog: BACKLOG });
