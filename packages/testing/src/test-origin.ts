/**
 * An origin server that follows a script, byte for byte, and keeps what it received.
 *
 * It speaks no protocol: tests write the bytes, so it can misbehave in every way a real origin can.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { OriginConnection, type OriginStep } from './origin-connection.ts';

/** Does what a script cannot say. */
export type OriginHandler = (connection: OriginConnection) => unknown;

/** What one connection does. */
export type OriginScript = readonly OriginStep[] | OriginHandler;

export interface TestOriginOptions {
  /** Listen on this unix socket instead of TCP. */
  path?: string;
  /** Default 127.0.0.1. */
  host?: string;
}

const WAIT_MS = 5_000;

export class TestOrigin {
  /** All connections so far, in the order of acceptance. */
  readonly connections: OriginConnection[] = [];
  /** What went wrong in scripts: unmet expectations, exceptions in handlers. `close` throws them. */
  readonly failures: Error[] = [];
  readonly #server: Server;
  readonly #scripts: readonly OriginScript[];
  #address: { host: string; port: number } | { path: string } | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();
  #waiting: (() => void)[] = [];
  #closing = false;

  private constructor(scripts: readonly OriginScript[]) {
    this.#scripts = scripts;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /**
   * Starts to listen, on a free port. The first connection follows the first script, and so on; those that come
   * after the last script follow the last one. At the end of its script a connection stays open and records.
   */
  static async listen(
    scripts: OriginScript | readonly OriginScript[],
    options: TestOriginOptions = {},
  ): Promise<TestOrigin> {
    const origin = new TestOrigin(isList(scripts) ? scripts : [scripts]);
    const { path, host = '127.0.0.1' } = options;
    await new Promise<void>((resolve, reject) => {
      origin.#server.once('error', reject);
      origin.#server.listen(path === undefined ? { host, port: 0 } : { path }, resolve);
    });
    const bound = origin.#server.address() as AddressInfo | string;
    origin.#address = typeof bound === 'string' ? { path: bound } : { host: bound.address, port: bound.port };
    return origin;
  }

  /** Where it listens, in the form that clients and peers take. */
  get address(): { host: string; port: number } | { path: string } {
    if (this.#address === undefined) throw new Error('this origin does not listen yet');
    return this.#address;
  }

  /** The TCP port. Throws when it listens on a unix socket. */
  get port(): number {
    const { address } = this;
    if ('path' in address) throw new Error(`this origin listens on ${address.path}, it has no port`);
    return address.port;
  }

  /** Waits until `count` connections have been accepted, and returns the last of them. Default 5 s. */
  async connection(count = 1, timeoutMs: number = WAIT_MS): Promise<OriginConnection> {
    const end = performance.now() + timeoutMs;
    while (this.connections.length < count) await this.#nextConnection(count, end - performance.now());
    return this.connections[count - 1] as OriginConnection;
  }

  /** Stops to accept, so that connecting is refused, and leaves open connections alone. */
  stopListening(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close();
      // The callback of close waits for all connections; the socket itself is closed at once.
      setImmediate(resolve);
    });
  }

  /** Closes everything, waits for the scripts to finish, then throws what went wrong in them, if anything did. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await Promise.all([...closed, ...this.#running]);
    if (this.failures.length === 1) throw this.failures[0];
    if (this.failures.length > 1) throw new AggregateError(this.failures, 'several scripts of the origin failed');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(socket: Socket): void {
    const connection = new OriginConnection(socket, this.connections.length);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.connections.push(connection);
    const run = this.#follow(connection).finally(() => this.#running.delete(run));
    this.#running.add(run);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #follow(connection: OriginConnection): Promise<void> {
    const script = this.#scripts[Math.min(connection.index, this.#scripts.length - 1)];
    try {
      if (typeof script === 'function') await script(connection);
      else if (script !== undefined) await connection.run(script);
    } catch (error) {
      // Closing the origin cuts scripts short: that is no failure of theirs.
      if (!this.#closing) this.failures.push(scriptFailure(connection.index, error));
    }
  }

  #nextConnection(count: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        clearTimeout(timeout);
        resolve();
      };
      const timeout = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== wake);
        reject(new Error(`expected ${count} connections, got ${this.connections.length}, none more came in time`));
      }, timeoutMs);
      this.#waiting.push(wake);
    });
  }
}

function scriptFailure(index: number, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`script of connection ${index} of the origin: ${reason}`, { cause });
}

/** A list of scripts, not a script: its first item is itself a list or a handler. */
function isList(scripts: OriginScript | readonly OriginScript[]): scripts is readonly OriginScript[] {
  if (typeof scripts === 'function') return false;
  const first = scripts[0];
  return typeof first === 'function' || Array.isArray(first);
}
