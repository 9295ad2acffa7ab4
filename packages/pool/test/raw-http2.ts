/**
 * The upstream's end of HTTP/2 connections in memory, frame by frame: it does what a test says, right or wrong.
 *
 * Knows nothing of the engine under test. Heads are written with the static table and literals only.
 */
import type { Duplex } from 'node:stream';
import { duplexPair, FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { HttpConnector, type HttpConnectorOptions } from '../src/index.ts';
import { settle } from './memory-network.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Frame types of RFC 9113 section 6. */
export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;

const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;

/** One frame that arrived. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** The upstream's end of one connection. */
export class RawHttp2 {
  readonly stream: Duplex;
  readonly frames: Frame[] = [];
  /** Chunks that arrived: writes of the other side. */
  chunks = 0;
  closed = false;
  /** SETTINGS are acknowledged, once ours have been sent. */
  acknowledges = true;
  /** Requests that were answered by {@link answer}. */
  answered = 0;
  #toAcknowledge = 0;
  #settingsSent = false;
  #received = Buffer.alloc(0);
  #prefaced = false;

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('error', () => undefined);
    stream.on('end', () => {
      this.closed = true;
    });
    stream.on('close', () => {
      this.closed = true;
    });
  }

  /** Frames of a type, of a stream if given. */
  of(type: number, id?: number): Frame[] {
    return this.frames.filter((frame) => frame.type === type && (id === undefined || frame.id === id));
  }

  /** Streams whose heads arrived, in order. */
  get requests(): number[] {
    return this.of(HEADERS).map(({ id }) => id);
  }

  /** Error codes of the resets of a stream that arrived. */
  resets(id: number): number[] {
    return this.of(RST_STREAM, id).map(({ payload }) => payload.readUInt32BE(0));
  }

  /** The body that arrived on a stream. */
  body(id: number): string {
    return Buffer.concat(this.of(DATA, id).map(({ payload }) => payload)).toString('latin1');
  }

  send(type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): this {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(id, 5);
    this.stream.write(Buffer.concat([head, payload]));
    return this;
  }

  /** Pairs of identifier and value: 3 is MAX_CONCURRENT_STREAMS, 4 INITIAL_WINDOW_SIZE. */
  settings(...pairs: [identifier: number, value: number][]): this {
    const payload = Buffer.alloc(pairs.length * 6);
    pairs.forEach(([identifier, value], at) => {
      payload.writeUInt16BE(identifier, at * 6);
      payload.writeUInt32BE(value, at * 6 + 2);
    });
    this.send(SETTINGS, 0, 0, payload);
    this.#settingsSent = true;
    this.#acknowledge();
    return this;
  }

  head(id: number, status: number, fields: Record<string, string> = {}, end = false): this {
    const block = [literal(':status', String(status))];
    for (const [name, value] of Object.entries(fields)) block.push(literal(name, value));
    return this.send(HEADERS, END_HEADERS | (end ? END_STREAM : 0), id, Buffer.concat(block));
  }

  trailers(id: number, fields: Record<string, string>): this {
    const block = Object.entries(fields).map(([name, value]) => literal(name, value));
    return this.send(HEADERS, END_HEADERS | END_STREAM, id, Buffer.concat(block));
  }

  data(id: number, text: string, end = false): this {
    return this.send(DATA, end ? END_STREAM : 0, id, Buffer.from(text, 'latin1'));
  }

  /** A whole response. */
  answer(id: number, body = 'ok'): this {
    this.answered += 1;
    return this.head(id, 200).data(id, body, true);
  }

  reset(id: number, code: number): this {
    return this.send(RST_STREAM, 0, id, uint32(code));
  }

  goaway(lastId: number, code = 0): this {
    return this.send(GOAWAY, 0, 0, Buffer.concat([uint32(lastId), uint32(code)]));
  }

  windowUpdate(id: number, bytes: number): this {
    return this.send(WINDOW_UPDATE, 0, id, uint32(bytes));
  }

  /** Answers the last PING that arrived. */
  pong(): this {
    return this.send(PING, ACK, 0, this.of(PING).at(-1)?.payload);
  }

  #onData(chunk: Buffer): void {
    this.chunks += 1;
    this.#received = Buffer.concat([this.#received, chunk]);
    if (!this.#prefaced) {
      if (this.#received.length < PREFACE.length) return;
      if (this.#received.toString('latin1', 0, PREFACE.length) !== PREFACE) throw new Error('no preface');
      this.#prefaced = true;
      this.#received = this.#received.subarray(PREFACE.length);
    }
    while (this.#received.length >= 9) {
      const length = this.#received.readUIntBE(0, 3);
      if (this.#received.length < 9 + length) return;
      const [type, flags] = [this.#received[3] as number, this.#received[4] as number];
      const id = this.#received.readUInt32BE(5);
      const payload = Buffer.from(this.#received.subarray(9, 9 + length));
      this.#received = this.#received.subarray(9 + length);
      this.frames.push({ type, flags, id, payload });
      if (type === SETTINGS && (flags & ACK) === 0) this.#toAcknowledge += 1;
      this.#acknowledge();
    }
  }

  #acknowledge(): void {
    if (!this.acknowledges || !this.#settingsSent) return;
    for (; this.#toAcknowledge > 0; this.#toAcknowledge -= 1) this.send(SETTINGS, ACK, 0);
  }
}

/** True when the frame ends its stream. */
export function endsStream(frame: Frame | undefined): boolean {
  return frame !== undefined && (frame.type === DATA || frame.type === HEADERS) && (frame.flags & END_STREAM) !== 0;
}

function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x10]), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length >= 127) throw new Error('too long for this encoder');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A connector whose HTTP/2 connections end here, and hand-driven time. */
export interface RawNetwork {
  readonly connector: HttpConnector;
  readonly origins: RawHttp2[];
  readonly clock: FakeClock;
  readonly wheel: TimerWheel;
  /** Runs on each new connection, before anything has arrived on it. By default it sends SETTINGS. */
  onConnection: (origin: RawHttp2) => void;
  /** Runs before a connection is made; may reject, or keep it waiting. */
  beforeConnect: () => Promise<void>;
  /** Lets so much time pass, and what follows from it happen. */
  pass(ms: number): Promise<void>;
}

/** Makes one; the connector's own options come on top. */
export function rawNetwork(options: HttpConnectorOptions = {}): RawNetwork {
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const origins: RawHttp2[] = [];
  const connect = async (): Promise<Duplex> => {
    await network.beforeConnect();
    const [near, far] = duplexPair({ highWaterMark: 1_048_576 });
    const origin = new RawHttp2(far);
    origins.push(origin);
    network.onConnection(origin);
    return near;
  };
  const network: RawNetwork = {
    connector: new HttpConnector({ wheel, connect, ...options }),
    origins,
    clock,
    wheel,
    onConnection: (origin) => void origin.settings(),
    beforeConnect: () => Promise.resolve(),
    pass: async (ms) => {
      clock.advance(ms);
      await settle();
    },
  };
  return network;
}
