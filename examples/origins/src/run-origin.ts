// Makes a server of node:http, node:https or node:http2 an origin: at a port that is free, and stopped with all of its
// connections.
import type { AddressInfo, Server, Socket } from 'node:net';

/** Address of a running origin, and how to stop it. */
export interface Origin {
  readonly address: string;
  close(): void;
}

/** Listens on this machine only. Rejects when that fails. */
export async function runOrigin(server: Server): Promise<Origin> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What stops all of them. */
export function closeAll(origins: readonly Origin[]): () => void {
  return () => {
    for (const origin of origins) origin.close();
  };
}
