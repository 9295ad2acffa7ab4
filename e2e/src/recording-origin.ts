/**
 * An origin server that records, connection by connection, exactly what the proxy sent, and answers as it is told.
 *
 * It reads with the strict reader: if the proxy ever forwards something ambiguous, the record has an anomaly and the
 * test fails, whatever it was about.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SignalBoard } from './signal-board.ts';
import { RequestReader, type WireRequest } from './wire-reader.ts';
import { WireSocket } from './wire-socket.ts';

export class OriginConnection {
  readonly id: number;
  readonly wire: WireSocket;
  readonly reader: RequestReader = new RequestReader();

  constructor(id: number, wire: WireSocket) {
    this.id = id;
    this.wire = wire;
  }

  /** The proxy ended the connection, or it broke. */
  get isClosed(): boolean {
    return this.wire.ending !== undefined;
  }

  send(bytes: string | Buffer): boolean {
    return this.wire.send(bytes);
  }
}

/** One request and the connection on which it came. */
export interface Arrival {
  readonly request: WireRequest;
  readonly connection: OriginConnection;
}

export type Answer = (arrival: Arrival) => void;

/** An answer with a length and a body, for every method. */
export function plainAnswer(body: string = 'ok', ...fields: string[]): Answer {
  return ({ request, connection }) => {
    const head = ['HTTP/1.1 200 OK', `Content-Length: ${Buffer.byteLength(body)}`, ...fields, '', ''].join('\r\n');
    connection.send(head + (request.method === 'HEAD' ? '' : body));
  };
}

export class RecordingOrigin {
  readonly board: SignalBoard = new SignalBoard();
  connections: OriginConnection[] = [];
  /** Complete requests since the last `forget()`. */
  arrivals: Arrival[] = [];
  /** Called for each complete request. */
  answer: Answer = plainAnswer();
  /** Called for each head, before the body is complete. */
  onHead: Answer | undefined;
  #server: Server;
  #accepted = 0;
  #port = 0;

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  static async listen(): Promise<RecordingOrigin> {
    const origin = new RecordingOrigin();
    await origin.reopen();
    return origin;
  }

  get port(): number {
    return this.#port;
  }

  get requests(): readonly WireRequest[] {
    return this.arrivals.map((arrival) => arrival.request);
  }

  /** Connections on which a request began and is not complete. */
  get unfinished(): readonly OriginConnection[] {
    return this.connections.filter((connection) => connection.reader.inside);
  }

  get openConnections(): readonly OriginConnection[] {
    return this.connections.filter((connection) => !connection.isClosed);
  }

  /** Everything the proxy sent that is not strictly well-formed. */
  get anomalies(): readonly string[] {
    return this.connections.flatMap((connection) => connection.reader.anomalies);
  }

  /** Starts a new record and goes back to the plain answer; open connections stay. */
  forget(): void {
    this.arrivals = [];
    this.connections = this.connections.filter((connection) => !connection.isClosed);
    this.answer = plainAnswer();
    this.onHead = undefined;
  }

  until(condition: () => boolean, what: string, timeoutMs: number = 3_000): Promise<void> {
    return this.board.until(condition, what, timeoutMs, () => `the origin saw ${this.describe()}`);
  }

  /** The nth request of this record (0 is the first). */
  async arrival(index: number = 0): Promise<Arrival> {
    await this.until(() => this.arrivals.length > index, `request ${index + 1} at the origin`);
    return this.arrivals[index] as Arrival;
  }

  describe(): string {
    const seen = this.requests.map((request) => request.startLine);
    return `${JSON.stringify(seen)}, ${this.unfinished.length} unfinished, anomalies ${JSON.stringify(this.anomalies)}`;
  }

  /** Ends every idle connection in order and waits until the proxy has let go of them: the next request needs a new one. */
  async hangUp(): Promise<void> {
    const open = this.openConnections;
    for (const { wire } of open) wire.finish();
    await this.until(() => open.every((connection) => connection.isClosed), 'the end of idle upstream connections');
  }

  /** Breaks every connection and forgets it. */
  async breakAll(): Promise<void> {
    for (const { wire } of this.connections) wire.reset();
    await nextTurn();
    this.forget();
  }

  /** Stops listening and breaks every connection: from here on the origin is down. */
  async shut(how: 'fin' | 'reset' = 'reset'): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { wire } of this.connections) {
      if (how === 'reset') wire.reset();
      else wire.finish();
    }
    await closed;
  }

  /** Listens, on the same port as before when there was one. */
  async reopen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.shut();
  }

  #accept(socket: Socket): void {
    const connection = new OriginConnection(this.#accepted++, new WireSocket(socket));
    const { reader, wire } = connection;
    this.connections.push(connection);
    reader.onHead = (request) => this.onHead?.({ request, connection });
    reader.onMessage = (request) => {
      this.arrivals.push({ request, connection });
      this.answer({ request, connection });
    };
    wire.onBytes = (bytes) => {
      reader.push(bytes);
      this.board.changed();
    };
    wire.onEnding = () => {
      wire.finish();
      this.board.changed();
    };
    this.board.changed();
  }
}
