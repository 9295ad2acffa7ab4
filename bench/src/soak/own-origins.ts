/**
 * Origins that nginx does not play: one that takes large requests, one that never answers, one that
 * comes and goes. They live in the process of the soak.
 */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface OwnOrigin {
  readonly port: number;
  close(): Promise<void>;
}

function listen(server: Server | HttpServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', backlog: 1_024 }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: Server | HttpServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function closable(server: HttpServer): Promise<OwnOrigin> {
  const port = await listen(server, 0);
  return {
    port,
    close() {
      const closed = closeServer(server);
      server.closeAllConnections();
      return closed;
    },
  };
}

/** Takes heads of up to a megabyte, reads the whole body, and answers then. */
export async function patientOrigin(): Promise<OwnOrigin> {
  const server = createHttpServer({ maxHeaderSize: 2 ** 20 }, (request, response) => {
    request.resume().once('end', () => response.end('read'));
  });
  server.maxHeadersCount = 0;
  return closable(server);
}

/** Accepts, reads and never answers. */
export class MuteOrigin implements OwnOrigin {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = port;
  }

  static async listen(): Promise<MuteOrigin> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
      socket.resume();
    });
    return new MuteOrigin(server, sockets, await listen(server, 0));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  close(): Promise<void> {
    const closed = closeServer(this.#server);
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }
}

/** Is there for a while, then gone with all its connections, then there again on the same port. */
export class FlappingOrigin implements OwnOrigin {
  readonly port: number;
  /** How often it has gone. */
  falls = 0;
  readonly #body = Buffer.alloc(1_024, 'f');
  #server: HttpServer | undefined;
  #turn: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  private constructor(server: HttpServer, port: number, everyMs: number) {
    this.#server = server;
    this.port = port;
    this.#timer = setInterval(() => {
      this.#turn = this.#turn.then(() => this.#flap());
    }, everyMs);
  }

  static async listen(everyMs: number): Promise<FlappingOrigin> {
    const server = createHttpServer();
    const origin = new FlappingOrigin(server, await listen(server, 0), everyMs);
    server.on('request', (_request, response) => response.end(origin.#body));
    return origin;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
    if (this.#server !== undefined) await this.#flap();
  }

  async #flap(): Promise<void> {
    const server = this.#server;
    if (server === undefined) {
      const next = createHttpServer((_request, response) => response.end(this.#body));
      await listen(next, this.port);
      this.#server = next;
      return;
    }
    this.falls++;
    this.#server = undefined;
    const closed = closeServer(server);
    server.closeAllConnections();
    await closed;
  }
}
