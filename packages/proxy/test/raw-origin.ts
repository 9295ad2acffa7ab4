/**
 * An upstream of raw bytes, for tests of tunnels.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect, vi } from 'vitest';

/** An origin that gives each connection to the test, with what has arrived so far as text. */
export class RawOrigin {
  readonly sockets: Socket[] = [];
  readonly texts: string[] = [];
  port = 0;
  #server: Server | undefined;

  static async listen(): Promise<RawOrigin> {
    const origin = new RawOrigin();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const at = origin.sockets.push(socket) - 1;
      origin.texts.push('');
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        origin.texts[at] += data.toString('latin1');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin.port = (server.address() as { port: number }).port;
    origin.#server = server;
    return origin;
  }

  async received(text: string, connection = 0): Promise<Socket> {
    await vi.waitFor(() => expect(this.texts[connection]).toContain(text));
    return this.sockets[connection] as Socket;
  }

  close(): Promise<unknown> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.#server?.close(resolve));
  }
}
