/**
 * An origin that dies or stops wherever a fault wants it to, in either version of HTTP.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Version } from './fault.ts';
import { H1OriginRequest, H2OriginRequest, type OriginRequest } from './fault-origin-request.ts';
import { FaultSocket } from './fault-socket.ts';
import { goaway, ping, settings } from './h2-frames.ts';
import { H2OriginConnection } from './h2-origin.ts';
import { RequestReader } from './wire-reader.ts';

/** Requests for it are answered at once, whatever is played, and not counted. */
export const PLAIN_PATH = '/plain';

export class FaultOrigin {
  /** In the order in which their heads came; those for {@link PLAIN_PATH} are not among them. */
  readonly requests: OriginRequest[] = [];
  readonly wires: FaultSocket[] = [];
  /** Without it HTTP/2 connections begin in silence. */
  greets = true;
  /** Without it nothing is said at all, not even in a handshake. */
  speaks = true;
  readonly #version: Version;
  readonly #tls: boolean;
  readonly #server: Server;
  #port = 0;
  readonly #readers: { readonly anomalies: readonly string[] }[] = [];
  readonly #connections: H2OriginConnection[] = [];
  readonly #silent: Socket[] = [];

  private constructor(version: Version, tls: boolean) {
    this.#version = version;
    this.#tls = tls;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  static async listen(version: Version, tls: boolean): Promise<FaultOrigin> {
    const origin = new FaultOrigin(version, tls);
    origin.#server.listen(0, '127.0.0.1');
    await once(origin.#server, 'listening');
    origin.#port = (origin.#server.address() as AddressInfo).port;
    return origin;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that neither side has ended. */
  get open(): readonly FaultSocket[] {
    return this.wires.filter(({ isOver }) => !isOver);
  }

  /** Connections on which nothing is said. */
  get silent(): readonly Socket[] {
    return this.#silent;
  }

  /** What the proxy sent and must not have. */
  get anomalies(): readonly string[] {
    return this.#readers.flatMap(({ anomalies }) => anomalies);
  }

  /** Refuses connections from now on. */
  stopListening(): void {
    this.#server.close();
  }

  /** HTTP/2: announces the end of all connections, none of whose requests is affected. */
  sayGoaway(): void {
    for (const connection of this.#connections) connection.send(goaway(Math.max(0, ...connection.streams.keys())));
  }

  /** HTTP/2: a sign of life on all connections. */
  sayPing(): void {
    for (const connection of this.#connections) connection.send(ping('alive...'));
  }

  /** Whatever was switched off: new connections are served. */
  async recover(): Promise<void> {
    this.greets = true;
    this.speaks = true;
    if (this.#server.listening) return;
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    for (const wire of this.wires) wire.destroy();
    for (const socket of this.#silent) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    if (!this.speaks) {
      socket.on('error', () => undefined);
      socket.on('data', () => undefined);
      this.#silent.push(socket);
      return;
    }
    const wire = FaultSocket.accepted(socket, this.#version, this.#tls);
    this.wires.push(wire);
    if (this.#version === 'h1') this.#serveH1(wire);
    else this.#serveH2(wire);
    wire.onEnding = () => wire.finish();
  }

  #serveH1(wire: FaultSocket): void {
    const reader = new RequestReader();
    this.#readers.push(reader);
    let current: H1OriginRequest | undefined;
    reader.onHead = (message) => {
      current = new H1OriginRequest(wire, message);
      this.#came(current);
    };
    reader.onMessage = () => {
      if (current !== undefined) this.#ended(current);
    };
    wire.onBytes = (bytes) => reader.push(bytes);
  }

  #serveH2(wire: FaultSocket): void {
    const connection = new H2OriginConnection(wire, 'client', { ackSettings: this.greets });
    this.#readers.push(connection);
    this.#connections.push(connection);
    const requests = new Map<number, H2OriginRequest>();
    connection.onStream = (stream) => {
      const request = new H2OriginRequest(connection, stream);
      requests.set(stream.id, request);
      this.#came(request);
    };
    connection.onStreamEnd = ({ id }) => {
      const request = requests.get(id);
      if (request !== undefined) this.#ended(request);
    };
    wire.onBytes = (bytes) => connection.receive(bytes);
    if (this.greets) connection.send(settings());
  }

  #came(request: OriginRequest): void {
    if (request.path !== PLAIN_PATH) this.requests.push(request);
  }

  /** Whatever is played concerns the first attempt; those after it are answered. */
  #ended(request: OriginRequest): void {
    request.isWhole = true;
    if (request !== this.requests[0]) request.answer();
  }
}
