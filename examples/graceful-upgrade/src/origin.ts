// The origin, a program of its own, since it is the proxy that is replaced: npm run example -- graceful-upgrade/origin
// Says what it was asked for, for /slow after two seconds; what comes through a WebSocket it sends back.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';

const SLOW_MS = 2_000;

const { values } = parseArgs({ options: { listen: { type: 'string', default: '127.0.0.1:6223' } } });
const { hostname, port } = new URL(`http://${values.listen}`);

const origin = createServer((request, response) => {
  const answer = (): void => void response.end(`${request.url}\n`);
  if (request.url?.startsWith('/slow')) setTimeout(answer, SLOW_MS);
  else answer();
});
origin.keepAliveTimeout = 0; // the proxy closes what it does not need any more
new WebSocketServer({ server: origin }).on('connection', (socket) => {
  socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
});
origin.listen(Number(port), hostname, () => {
  console.log(`origin on ${hostname}:${(origin.address() as AddressInfo).port}`);
});
