/**
 * A client that sends exact bytes and reads the answers with the strict reader.
 */
import { connect } from 'node:net';
import type { Delivery } from './delivery.ts';
import { whole } from './delivery.ts';
import { ResponseReader, type WireResponse } from './wire-reader.ts';
import { type Ending, WireSocket } from './wire-socket.ts';

export interface WireClientOptions {
  /** Methods of the requests that will be sent, in order: HEAD changes how an answer is read. Default: all GET. */
  readonly methods?: readonly string[];
  /** Start without reading from the socket. */
  readonly paused?: boolean;
}

export class WireClient {
  readonly wire: WireSocket;
  readonly reader: ResponseReader;

  private constructor(wire: WireSocket, methods: readonly string[]) {
    this.wire = wire;
    this.reader = new ResponseReader(methods);
    wire.onBytes = (bytes) => this.reader.push(bytes);
    wire.onEnding = (ending) => this.#ended(ending);
  }

  static connect(port: number, options: WireClientOptions = {}): Promise<WireClient> {
    const { promise, resolve, reject } = Promise.withResolvers<WireClient>();
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      const client = new WireClient(new WireSocket(socket), options.methods ?? []);
      if (options.paused) client.wire.pause();
      resolve(client);
    });
    return promise;
  }

  /** Final answers, in order. */
  get answers(): readonly WireResponse[] {
    return this.reader.messages.filter((response) => response.status >= 200);
  }

  /** Interim answers (1xx), in order. */
  get interim(): readonly WireResponse[] {
    return this.reader.messages.filter((response) => response.status < 200);
  }

  get ending(): Ending | undefined {
    return this.wire.ending;
  }

  send(bytes: string | Buffer): boolean {
    return this.wire.send(bytes);
  }

  deliver(bytes: string | Buffer, delivery: Delivery = whole): Promise<void> {
    return this.wire.deliver(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, delivery);
  }

  /** Waits for the answer with this index (0 is the first) and returns it. */
  async answer(index: number = 0, timeoutMs?: number): Promise<WireResponse> {
    await this.wire.until(() => this.answers.length > index || this.#stuck, `answer ${index + 1}`, timeoutMs);
    const answer = this.answers[index];
    if (answer) return answer;
    throw new Error(`no answer ${index + 1}: ${this.describe()}`);
  }

  /** Waits until the proxy has ended the connection, and says how. */
  async closed(timeoutMs?: number): Promise<Ending | undefined> {
    await this.wire.until(() => this.ending !== undefined, 'the end of the client connection', timeoutMs);
    return this.ending;
  }

  describe(): string {
    const { anomalies } = this.reader;
    const odd = anomalies.length > 0 ? `, not well-formed: ${anomalies.join('; ')}` : '';
    return `connection ${this.ending ?? 'open'}${odd}, received ${this.wire.transcript()}`;
  }

  destroy(): void {
    this.wire.destroy();
  }

  get #stuck(): boolean {
    return this.ending !== undefined || this.reader.anomalies.length > 0;
  }

  #ended(ending: Ending): void {
    if (ending === 'fin') this.reader.end();
    this.wire.finish();
  }
}

/** The plainest request there is. */
export function get(target: string, ...fields: string[]): string {
  return [`GET ${target} HTTP/1.1`, 'Host: probe.example', ...fields, '', ''].join('\r\n');
}
