// The origin of the example: a WebSocket server of the package ws that sends back what it gets.
import { createServer } from 'node:http';
import { type Origin, runOrigin } from '@cirque-example/origins';
import { WebSocketServer } from 'ws';

export function startOrigin(): Promise<Origin> {
  const origin = createServer((_request, response) => response.end('open a WebSocket here\n'));
  const sockets = new WebSocketServer({ server: origin });
  sockets.on('connection', (socket) => {
    socket.on('message', (message) => socket.send(`you said ${message}`));
  });
  return runOrigin(origin);
}
