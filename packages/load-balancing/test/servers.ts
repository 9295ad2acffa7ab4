/**
 * Small real servers for the tests of health checks, on ports of the system's choice.
 */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { closeLater } from './cleanup.ts';

/** A server that a test can stop and start again on the same endpoint. `closeAll` stops it. */
export class Endpoint {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  readonly #path: string | undefined;
  /** Connections accepted so far. */
  connections = 0;

  constructor(server: Server, path?: string) {
    this.#server = server;
    this.#path = path;
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  /** Accepts connections and never says anything. */
  static tcp(path?: string): Endpoint {
    // Reading on, else it would not notice the end of a connection behind bytes that nobody took.
    return new Endpoint(
      createServer((socket) => socket.resume()),
      path,
    );
  }

  /** Answers HTTP requests. */
  static http(listener: RequestListener, path?: string): Endpoint {
    return new Endpoint(createHttpServer(listener), path);
  }

  /** As an address text. */
  get address(): string {
    return this.#path === undefined ? `127.0.0.1:${this.#port}` : `unix:${this.#path}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections open at this moment. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Listens, the second time where it did the first time. */
  async start(): Promise<this> {
    // Somebody's client may have been given the port in between; it will not have it for long.
    for (let tries = 1; !(await this.#listen(tries === 100)); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    closeLater(() => this.stop());
    const address = this.#server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
    return this;
  }

  #listen(isLastTry: boolean): Promise<boolean> {
    const target = this.#path === undefined ? { host: '127.0.0.1', port: this.#port } : { path: this.#path };
    return new Promise<boolean>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        if (error.code === 'EADDRINUSE' && !isLastTry) resolve(false);
        else reject(error);
      };
      this.#server.once('error', onError);
      this.#server.listen(target, () => {
        this.#server.off('error', onError);
        resolve(true);
      });
    });
  }

  /** Closes the listener and all connections. Harmless when it is closed already. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Resolves when the condition holds; rejects after `timeoutMs`. For events of other parties only. */
export async function until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
