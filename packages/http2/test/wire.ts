/**
 * A peer made of frames, in memory: says what a test wants, rules or not, and shows what the engine wrote. For tests.
 */
import type { CirqueError } from '@cirque/error';
import { type HeaderMap, RequestHeader, type ResponseHeader } from '@cirque/http';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { Http2Connection, type Http2Handler, type Http2Options, type Http2Stream, PREFACE } from '../src/index.ts';

export type Fields = readonly (readonly [string, string])[];

const TYPES = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST',
  'SETTINGS',
  'PUSH',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
];

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY = 0x20;

/** Any frame, right or wrong. */
export function frame(type: number, flags: number, streamId: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  const header = Buffer.alloc(9);
  header.writeUIntBE(bytes.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, bytes]);
}

export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, i * 4);
  return bytes;
}

export const data = (id: number, text: Buffer | string, flags = 0): Buffer => frame(0, flags, id, text);
export const reset = (id: number, code: number): Buffer => frame(3, 0, id, uint32(code));
export const windowUpdate = (id: number, bytes: number): Buffer => frame(8, 0, id, uint32(bytes));
export const ping = (text = '12345678', flags = 0): Buffer => frame(6, flags, 0, text);
export const goaway = (last: number, code: number): Buffer => frame(7, 0, 0, uint32(last, code));

export function settings(...pairs: [id: number, value: number][]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [i, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  }
  return frame(4, 0, 0, payload);
}

export const SETTINGS_ACK: Buffer = frame(4, ACK, 0);

/** Fields of a GET. */
export function getFields(...more: [string, string][]): Fields {
  return [[':method', 'GET'], [':scheme', 'http'], [':path', '/'], [':authority', 'a'], ...more];
}

/** Fields of a POST. */
export function postFields(...more: [string, string][]): Fields {
  return [[':method', 'POST'], [':scheme', 'http'], [':path', '/'], [':authority', 'a'], ...more];
}

/** One engine under test, the frames it wrote as text, and what it reported, as text. */
export class Wire {
  readonly connection: Http2Connection;
  /** What was reported: `request 1 GET / end`, `data 1 abc`, `reset 1 8`. */
  readonly events: string[] = [];
  readonly streams = new Map<number, Http2Stream>();
  readonly requests: RequestHeader[] = [];
  readonly responses: ResponseHeader[] = [];
  readonly refused: CirqueError[] = [];
  error: CirqueError | undefined;
  /** Called with the same text that goes to `events`. */
  react: (event: string, stream: Http2Stream | undefined) => void = () => {};
  /** The sink answers false. */
  full = false;
  time = 0;
  writes = 0;
  #out: Buffer = Buffer.alloc(0);
  readonly #encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder();
  #block: Buffer = Buffer.alloc(0);

  constructor(options: Http2Options) {
    const sink = {
      write: (bytes: Buffer, done: (() => void) | undefined): boolean => {
        this.writes += 1;
        this.#out = Buffer.concat([this.#out, bytes]);
        // Whoever keeps bytes after this is found out.
        if (done !== undefined) {
          bytes.fill(0xdb);
          done();
        }
        return !this.full;
      },
    };
    this.connection = new Http2Connection(sink, this.#handler(), { now: () => this.time, ...options });
    this.connection.start();
    if (options.role === 'client') this.#out = this.#out.subarray(PREFACE.length);
  }

  /** A server that has seen the preface and empty settings, and whose own were acknowledged. */
  static server(options: Partial<Http2Options> = {}): Wire {
    const wire = new Wire({ role: 'server', ...options });
    wire.say(PREFACE, settings(), SETTINGS_ACK);
    wire.heard();
    wire.events.length = 0;
    return wire;
  }

  /** A client whose server is ready. */
  static client(options: Partial<Http2Options> = {}): Wire {
    const wire = new Wire({ role: 'client', ...options });
    wire.say(settings(), SETTINGS_ACK);
    wire.heard();
    wire.events.length = 0;
    return wire;
  }

  /** Feeds each as a chunk of its own, and flushes once. */
  say(...chunks: Buffer[]): void {
    for (const chunk of chunks) {
      const copy = Buffer.from(chunk);
      this.connection.feed(copy, 0, copy.length);
      copy.fill(0xdb);
    }
    this.connection.flush();
  }

  /** A header block. */
  block(fields: Fields): Buffer {
    const out = { buffer: Buffer.alloc(1 << 20), length: 0, reserve(): void {} };
    this.#encoder.begin(out);
    for (const [name, value] of fields) this.#encoder.field(name, value);
    return Buffer.from(out.buffer.subarray(0, out.length));
  }

  /** A HEADERS frame. */
  headers(id: number, fields: Fields, flags: number = END_STREAM): Buffer {
    return frame(1, flags | END_HEADERS, id, this.block(fields));
  }

  /** Flushes; what was written since the last call: `HEADERS 1 end :status=200`, `DATA 1 abc`, `RST 1 8`. */
  heard(): string[] {
    this.connection.flush();
    const frames: string[] = [];
    let at = 0;
    while (at + 9 <= this.#out.length) {
      const end = at + 9 + this.#out.readUIntBE(at, 3);
      const [type = 0, flags = 0] = this.#out.subarray(at + 3, at + 5);
      frames.push(this.#show(type, flags, this.#out.readUInt32BE(at + 5), this.#out.subarray(at + 9, end)));
      at = end;
    }
    this.#out = this.#out.subarray(at);
    return frames;
  }

  /** What was reported since the last call. */
  told(): string[] {
    return this.events.splice(0);
  }

  /** Client: sends a request; a body follows unless `end`. */
  open(end = true, method = 'GET', path = '/'): Http2Stream {
    const stream = this.connection.openStream(new RequestHeader(method, path), { scheme: 'http', authority: 'a' }, end);
    this.streams.set(stream.id, stream);
    return stream;
  }

  stream(id: number): Http2Stream {
    const stream = this.streams.get(id);
    if (stream === undefined) throw new Error(`no stream ${id}`);
    return stream;
  }

  #show(type: number, flags: number, id: number, payload: Buffer): string {
    const name = TYPES[type] ?? `TYPE${type}`;
    const end = type < 2 && (flags & END_STREAM) !== 0 ? ' end' : '';
    switch (name) {
      case 'DATA':
        return `DATA ${id}${end} ${payload.length > 64 ? payload.length : payload.toString('latin1')}`.trimEnd();
      case 'HEADERS':
      case 'CONTINUATION':
        this.#block = Buffer.concat([this.#block, payload]);
        if ((flags & END_HEADERS) === 0) return `${name} ${id}${end} ${payload.length} bytes`;
        return `${name} ${id}${end} ${this.#fields()}`;
      case 'RST':
        return `RST ${id} ${payload.readUInt32BE(0)}`;
      case 'WINDOW_UPDATE':
        return `WINDOW_UPDATE ${id} ${payload.readUInt32BE(0)}`;
      case 'GOAWAY':
        return `GOAWAY ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)} ${payload.toString('latin1', 8)}`.trimEnd();
      case 'SETTINGS':
        return (flags & ACK) !== 0 ? 'SETTINGS ack' : `SETTINGS ${pairs(payload)}`.trimEnd();
      case 'PING':
        return `PING${(flags & ACK) !== 0 ? ' ack' : ''} ${payload.toString('latin1')}`;
      default:
        return `${name} ${id}`;
    }
  }

  #fields(): string {
    const fields: string[] = [];
    const block = this.#block;
    this.#block = Buffer.alloc(0);
    this.#decoder.decode(block, 0, block.length, { field: (name, value) => void fields.push(`${name}=${value}`) });
    return fields.join(' ');
  }

  #handler(): Http2Handler {
    const note = (event: string, stream?: Http2Stream): void => {
      this.events.push(event);
      this.react(event, stream);
    };
    return {
      onRequest: (stream, header, end) => {
        this.streams.set(stream.id, stream);
        this.requests.push(header);
        note(`request ${stream.id} ${header.method} ${header.target}${end ? ' end' : ''}`, stream);
      },
      onRequestRefused: (error) => {
        this.refused.push(error);
        note(`refused ${error.status}`);
      },
      onResponse: (stream, header, end) => {
        this.responses.push(header);
        note(`response ${stream.id} ${header.status}${end ? ' end' : ''}`, stream);
      },
      onData: (stream, buffer, start, end) => {
        const text = end - start > 64 ? end - start : buffer.toString('latin1', start, end);
        note(`data ${stream.id} ${text}`, stream);
      },
      onEnd: (stream, trailers) => note(`end ${stream.id}${shown(trailers)}`, stream),
      onWritable: (stream) => note(`writable ${stream.id}`, stream),
      onReset: (stream, code, byUs) => note(`reset ${stream.id} ${code}${byUs ? ' by us' : ''}`, stream),
      onStreamClosed: (stream) => note(`closed ${stream.id}`, stream),
      onRemoteSettings: () => note('settings'),
      onGoaway: (last, code, debug) => note(`goaway ${last} ${code} ${debug}`.trimEnd()),
      onPingAck: (payload) => note(`pong ${payload}`),
      onConnectionError: (error) => {
        this.error = error;
        note('failed');
      },
    };
  }
}

function pairs(payload: Buffer): string {
  const texts: string[] = [];
  for (let at = 0; at < payload.length; at += 6)
    texts.push(`${payload.readUInt16BE(at)}=${payload.readUInt32BE(at + 2)}`);
  return texts.join(' ');
}

function shown(trailers: HeaderMap | undefined): string {
  if (trailers === undefined) return '';
  let text = '';
  for (const [name, value] of trailers) text += ` ${name}=${value}`;
  return text;
}
