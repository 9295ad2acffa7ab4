/**
 * An HTTP/2 origin without TLS, on raw sockets: records and judges what the proxy sends, and answers frame by frame.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { data, Flag, headers, PREFACE, settings } from './h2-frames.ts';
import { block, type H2Field } from './h2-hpack.ts';
import { H2Peer, type H2PeerOptions } from './h2-peer.ts';
import { fieldOf, type H2StreamRecord } from './h2-stream-record.ts';
import { SignalBoard } from './signal-board.ts';
import { WireSocket } from './wire-socket.ts';

/** One request and the connection on which it came. */
export interface H2Arrival {
  readonly stream: H2StreamRecord;
  readonly connection: H2OriginConnection;
  /** Its number on the origin, from 0 on, the requests of probes not counted. */
  readonly index: number;
}

export interface H2Script extends H2PeerOptions {
  /** Sent as the first thing. Default: an empty SETTINGS frame. */
  readonly greeting?: readonly Buffer[];
  /** When a request has ended. Default: 200 with the body `ok`. */
  readonly onRequest?: (arrival: H2Arrival) => void | Promise<void>;
  /** When a head has come, before the body. */
  readonly onHead?: (arrival: H2Arrival) => void | Promise<void>;
}

/** The target whose requests are always answered in the plainest way. */
export const PROBE_PATH = '/probe';

export function answerFields(status: number = 200, ...more: H2Field[]): H2Field[] {
  return [[':status', String(status)], ...more];
}

export class H2OriginConnection extends H2Peer {
  #preface = '';

  receive(bytes: Buffer): void {
    const missing = PREFACE.length - this.#preface.length;
    this.#preface += bytes.toString('latin1', 0, missing);
    if (!PREFACE.startsWith(this.#preface)) this.anomalies.push(`preface ${JSON.stringify(this.#preface)}`);
    if (bytes.length > missing) this.push(bytes.subarray(missing));
  }

  /** A whole answer. */
  answer(id: number, fields: readonly H2Field[] = answerFields(), body?: Buffer | string): void {
    const end = body === undefined ? Flag.END_STREAM : 0;
    this.send(headers(id, block(fields), Flag.END_HEADERS | end));
    if (body !== undefined) this.send(data(id, body, Flag.END_STREAM));
  }
}

export class H2Origin {
  readonly board: SignalBoard = new SignalBoard();
  connections: H2OriginConnection[] = [];
  arrivals: H2Arrival[] = [];
  /** How connections behave that begin from now on. Requests are answered as the script of the time says. */
  script: H2Script = {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  static async listen(): Promise<H2Origin> {
    const origin = new H2Origin();
    origin.#server.listen(0, '127.0.0.1');
    await once(origin.#server, 'listening');
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get anomalies(): readonly string[] {
    return this.connections.flatMap((connection) => connection.anomalies);
  }

  get openConnections(): readonly H2OriginConnection[] {
    return this.connections.filter((connection) => !connection.isClosed);
  }

  until(condition: () => boolean, what: string, timeoutMs: number = 3_000): Promise<void> {
    return this.board.until(condition, what, timeoutMs, () => this.describe());
  }

  /** Breaks every connection and starts a new record. */
  reset(): void {
    for (const { wire } of this.connections) wire.reset();
    this.connections = [];
    this.arrivals = [];
    this.script = {};
  }

  describe(): string {
    return `origin: ${this.connections.map((connection) => connection.describe()).join(' | ') || 'no connection'}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.reset();
    await closed;
  }

  #accept(socket: Socket): void {
    const { script } = this;
    const connection = new H2OriginConnection(new WireSocket(socket), 'client', script);
    this.connections.push(connection);
    connection.wire.onBytes = (bytes) => {
      connection.receive(bytes);
      this.board.changed();
    };
    connection.wire.onEnding = () => {
      connection.wire.finish();
      this.board.changed();
    };
    connection.onStream = (stream) => this.#onHead(connection, stream);
    connection.onStreamEnd = (stream) => this.#onEnd(connection, stream);
    connection.send(...(script.greeting ?? [settings()]));
    this.board.changed();
  }

  #onHead(connection: H2OriginConnection, stream: H2StreamRecord): void {
    if (isProbe(stream)) return;
    const arrival = { stream, connection, index: this.arrivals.length };
    this.arrivals.push(arrival);
    void run(this.script.onHead, arrival);
  }

  #onEnd(connection: H2OriginConnection, stream: H2StreamRecord): void {
    const arrival = this.arrivals.find((one) => one.stream === stream);
    if (arrival !== undefined && this.script.onRequest !== undefined) void run(this.script.onRequest, arrival);
    else if (arrival === undefined || this.script.onHead === undefined)
      connection.answer(stream.id, answerFields(), 'ok');
  }
}

function isProbe(stream: H2StreamRecord): boolean {
  return fieldOf(stream.head ?? [], ':path') === PROBE_PATH;
}

/** What goes wrong in a script is part of the record. */
async function run(act: ((arrival: H2Arrival) => void | Promise<void>) | undefined, arrival: H2Arrival): Promise<void> {
  try {
    await act?.(arrival);
  } catch (error) {
    arrival.connection.anomalies.push(String(error));
  }
}
