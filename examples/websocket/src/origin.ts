// The origin of the example: a WebSocket server of the package ws that sends back what it gets.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** Address of the running origin, and how to stop it. */
export interface Origin {
  readonly address: string;
  close(): void;
}

export async function startOrigin(): Promise<Origin> {
  const origin = createServer((_request, response) => response.end('open a WebSocket here\n'));
  const sockets = new WebSocketServer({ server: origin });
  sockets.on('connection', (socket) => {
    socket.on('message', (message) => socket.send(`you said ${message}`));
  });
  await new Promise<void>((resolve, reject) => {
    origin.once('error', reject);
    origin.listen(0, '127.0.0.1', resolve);
  });
  const { port } = origin.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      origin.close();
      origin.closeAllConnections();
    },
  };
}
