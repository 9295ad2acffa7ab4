/**
 * A TCP relay that turns one bit of what the client sends, for transports that must notice.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class DamagingRelay {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(server: Server, target: number, at: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client: Socket) => this.#relay(client, target, at));
  }

  /** Passes connections on to a port of this machine, and damages the octet at `at` of each. */
  static async listen(target: number, at: number): Promise<DamagingRelay> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new DamagingRelay(server, target, at);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #relay(client: Socket, target: number, at: number): void {
    const server = connect(target, '127.0.0.1');
    let seen = 0;
    for (const [socket, other] of [[client, server] as const, [server, client] as const]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('end', () => other.end());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroySoon();
      });
    }
    server.on('data', (data) => client.write(data));
    client.on('data', (data: Buffer) => {
      const bad = at - seen;
      if (bad >= 0 && bad < data.length) data[bad] = (data[bad] as number) ^ 1;
      seen += data.length;
      server.write(data);
    });
  }
}
