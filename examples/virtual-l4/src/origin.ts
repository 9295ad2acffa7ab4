// The origin of the example: a server of node:http that listens nowhere and is given its connections.
import { createServer } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';

/** An origin that is reached through memory. */
export interface VirtualOrigin {
  /** One end of a new connection; the origin has the other one. */
  connect(): Duplex;
  close(): void;
}

export function makeOrigin(): VirtualOrigin {
  const connections = new Set<Duplex>();
  const origin = createServer((request, response) => {
    response.end(`${request.method} ${request.url}, asked from ${request.socket.remoteAddress ?? 'no address'}\n`);
  });
  return {
    connect() {
      const [ours, theirs] = duplexPair();
      connections.add(theirs);
      theirs.once('close', () => connections.delete(theirs));
      origin.emit('connection', theirs);
      return ours;
    },
    close() {
      for (const connection of connections) connection.destroy();
    },
  };
}
