/**
 * Servers that can be killed and revived at their port: connections are reset, and nobody listens meanwhile.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.ts';
import type { Site } from './site.ts';

export class MortalServer {
  readonly name: string;
  readonly port: number;
  /** Connections accepted since the start. */
  accepted = 0;
  /** The most connections that were open at a time. */
  most = 0;
  readonly #make: () => Server;
  readonly #sockets: Set<Socket> = new Set();
  #server: Server | undefined;

  private constructor(name: string, port: number, make: () => Server) {
    this.name = name;
    this.port = port;
    this.#make = make;
  }

  /** Starts one that `make` makes anew for each of its lives. */
  static async start(site: Site, name: string, make: () => Server): Promise<MortalServer> {
    const server = new MortalServer(name, await freePort(), make);
    await server.revive();
    site.atEnd(() => server.kill());
    return server;
  }

  /** Says `NAME\n` to each connection, then all that it hears. */
  static echo(site: Site, name: string): Promise<MortalServer> {
    return MortalServer.start(site, name, () =>
      createServer((socket) => {
        socket.write(`${name}\n`);
        socket.pipe(socket);
      }),
    );
  }

  /** Answers every request with its name. */
  static http(site: Site, name: string): Promise<MortalServer> {
    return MortalServer.start(site, name, () =>
      createHttpServer((request, response) => {
        request.resume().on('end', () => response.end(name));
      }),
    );
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#sockets.size;
  }

  async revive(): Promise<void> {
    const server = this.#make();
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.accepted += 1;
      this.#sockets.add(socket);
      this.most = Math.max(this.most, this.#sockets.size);
      socket.on('error', () => {}); // clients may leave as they like
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await once(server.listen({ port: this.port, host: '127.0.0.1', backlog: 1_024 }), 'listening');
  }

  /** Ends as a killed process does. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }
}
