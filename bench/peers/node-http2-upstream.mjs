/**
 * Clients of either version, and one connection of the node:http2 client to an HTTP/2 origin, trailers included.
 */
import http from 'node:http';
import http2 from 'node:http2';
import { addresses, BACKLOG, KEEP_ALIVE_MS } from './addresses.mjs';
import { toHttp2 } from './http2-fields.mjs';

const { listen, upstream, client } = addresses();
let session;

function connection() {
  if (session === undefined || session.closed || session.destroyed)
    session = http2.connect(`http://${upstream.host}:${upstream.port}`).on('error', () => undefined);
  return session;
}

function forward(request, response) {
  const { method, url: path, headers } = request;
  const authority = headers[':authority'] ?? headers.host;
  const fields = toHttp2(headers);
  if (headers.te === 'trailers') fields.te = 'trailers';
  const outgoing = connection().request({ ...fields, ':method': method, ':path': path, ':authority': authority });
  outgoing.on('response', (answer) => response.writeHead(answer[':status'], toHttp2(answer)));
  outgoing.on('trailers', (trailers) => response.addTrailers(toHttp2(trailers)));
  outgoing.on('error', () => response.destroy());
  outgoing.pipe(response);
  if (method === 'GET') outgoing.end();
  else request.pipe(outgoing);
}

const server =
  client === 'h2c' ? http2.createServer(forward) : http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, forward);
server.listen({ ...listen, backlog: BACKLOG });
