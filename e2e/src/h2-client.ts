/**
 * An HTTP/2 client on a raw socket: exact frames out, all frames judged.
 */
import { connect } from 'node:net';
import type { Delivery } from './delivery.ts';
import { data, Flag, headers, PREFACE, settings } from './h2-frames.ts';
import { block, type H2Field } from './h2-hpack.ts';
import { H2Peer, type H2PeerOptions } from './h2-peer.ts';
import { H2StreamRecord } from './h2-stream-record.ts';
import { WireSocket } from './wire-socket.ts';

export interface H2ClientOptions extends H2PeerOptions {
  /** Settings of the first frame. `undefined`: nothing is sent at all, not even the preface. Default: none in it. */
  readonly settings?: readonly (readonly [id: number, value: number])[] | undefined;
  /** How octets are cut up on their way. Default: not at all. */
  readonly delivery?: Delivery | undefined;
  /** Start without reading from the socket. */
  readonly paused?: boolean;
}

export const AUTHORITY = 'probe.example';

/** The fields of the plainest request. */
export function request(path: string = '/', method: string = 'GET', ...more: H2Field[]): H2Field[] {
  return [[':method', method], [':scheme', 'http'], [':path', path], [':authority', AUTHORITY], ...more];
}

export class H2Client extends H2Peer {
  #nextStream = 1;
  #delivery: Delivery | undefined;
  #queue: Promise<void> | undefined;

  static async connect(port: number, options: H2ClientOptions = {}): Promise<H2Client> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', resolve);
    await promise;
    socket.off('error', reject);
    const client = new H2Client(new WireSocket(socket), 'server', options);
    client.wire.onBytes = (bytes) => client.push(bytes);
    client.wire.onEnding = () => client.wire.finish();
    if (options.paused) client.wire.pause();
    client.#delivery = options.delivery;
    if (!('settings' in options) || options.settings !== undefined) {
      client.raw(PREFACE);
      client.send(settings(...(options.settings ?? [])));
    }
    return client;
  }

  override raw(bytes: Buffer | string): void {
    const delivery = this.#delivery;
    if (delivery === undefined) {
      super.raw(bytes);
      return;
    }
    const octets = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    this.#queue = (this.#queue ?? Promise.resolve()).then(() => this.wire.deliver(octets, delivery));
  }

  override finish(): void {
    if (this.#queue === undefined) super.finish();
    else void this.#queue.then(() => super.finish());
  }

  /** Takes the next identifier, and expects what comes on it. */
  take(method: string = 'GET'): number {
    const id = this.#nextStream;
    this.#nextStream += 2;
    if (method === 'HEAD') this.#expectHead(id);
    return id;
  }

  /** Sends a request, with its body if there is one, and answers its stream. */
  ask(fields: readonly H2Field[] = request(), body?: Buffer | string): number {
    const id = this.take(fields.find(([name]) => name === ':method')?.[1]);
    const end = body === undefined ? Flag.END_STREAM : 0;
    this.send(headers(id, block(fields), Flag.END_HEADERS | end));
    if (body !== undefined) this.send(data(id, body, Flag.END_STREAM));
    return id;
  }

  /** Waits until a stream has its answer, whole or reset, or the connection has ended. */
  async finished(id: number, timeoutMs?: number): Promise<H2StreamRecord> {
    const over = (): boolean => this.stream(id)?.isOver === true || this.isClosed;
    await this.until(over, `the end of stream ${id}`, timeoutMs);
    const record = this.stream(id);
    if (record === undefined) throw new Error(`nothing came on stream ${id}: ${this.describe()}`);
    return record;
  }

  /** Waits until the proxy has ended the connection. */
  closed(timeoutMs?: number): Promise<void> {
    return this.until(() => this.isClosed, 'the end of the connection', timeoutMs);
  }

  #expectHead(id: number): void {
    const record = new H2StreamRecord(id, 'server', (what) => this.anomalies.push(what));
    record.isHead = true;
    this.streams.set(id, record);
  }
}
