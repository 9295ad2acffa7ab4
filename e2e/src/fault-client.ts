/**
 * A client that stops wherever a fault wants it to, in either version of HTTP.
 */
import type { Version } from './fault.ts';
import { chunk, half, POURED } from './fault-pieces.ts';
import { FaultSocket, SITE_NAME } from './fault-socket.ts';
import { H2Client, type H2ClientOptions } from './h2-client.ts';
import {
  Code,
  DEFAULT_WINDOW,
  data,
  Flag,
  goaway,
  headers,
  PREFACE,
  rstStream,
  settings,
  windowUpdate,
} from './h2-frames.ts';
import { block, type H2Field } from './h2-hpack.ts';
import { ResponseReader } from './wire-reader.ts';

/** Octets of the bodies that are announced and not sent to their end. */
export const ANNOUNCED = 10;
/** The bodies of whole requests. */
export const BODY = 'hello';

/** One request and what has come for it. */
export interface Asked {
  /** `waiting`, `open 200 hel`, `answer 200 hello`, `cut 200 hel`, `nothing`. */
  readonly view: string;
  /** Octets of the final response: -1 before its head. */
  readonly size: number;
}

export interface FaultClientOptions extends H2ClientOptions {
  /** HTTP/2: octets of all responses that may be under way. Default: as the RFC says. */
  readonly connectionWindow?: number;
}

export interface FaultClient {
  readonly wire: FaultSocket;
  /** A frame or a part of a message has begun whose end was not sent: nothing else can be. */
  partial: boolean;
  /** What came and must not have. */
  readonly anomalies: readonly string[];
  /** Sends a whole request; a POST has a body. */
  ask(method?: 'GET' | 'POST', path?: string): Asked;
  /** Sends the head of a POST, with or without a length. */
  begin(framing: 'length' | 'pieces'): Asked;
  piece(text: string): void;
  /** Sends as much of an upload as the proxy takes now, and says how much that was. */
  pour(): number;
  /** Sends half of a chunk, or of a DATA frame. */
  partOfPiece(): void;
  /** Sends half of a head. Of HTTP/2 nothing can come for it. */
  partOfHead(): Asked | undefined;
  /** Ends the body and sends half of the trailers. */
  partOfTrailers(): void;
  /** HTTP/2: RST_STREAM with CANCEL for the last request. */
  cancel(): void;
  /** HTTP/2: GOAWAY, which concerns streams that the proxy would open. */
  sayGoaway(): void;
}

export async function faultClient(
  port: number,
  version: Version,
  tls: boolean,
  options: FaultClientOptions = {},
): Promise<FaultClient> {
  const wire = await FaultSocket.connect(port, version, tls);
  if (version === 'h1') return new H1FaultClient(wire);
  const client = new H2FaultClient(wire, tls, options);
  client.greet();
  return client;
}

/** One that has sent nothing at all. */
export async function silentClient(port: number, version: Version, tls: boolean): Promise<FaultClient> {
  const wire = await FaultSocket.connect(port, version, tls);
  return version === 'h1' ? new H1FaultClient(wire) : new H2FaultClient(wire, tls, { ackSettings: false });
}

function shown(status: number, body: Buffer): string {
  if (body.length === 0) return String(status);
  return `${status} ${body.length > 100 ? 'much' : body.toString('latin1')}`;
}

class H1FaultClient implements FaultClient {
  readonly wire: FaultSocket;
  partial = false;
  readonly #reader = new ResponseReader();
  #asked = 0;
  #chunked = false;

  constructor(wire: FaultSocket) {
    this.wire = wire;
    wire.onBytes = (bytes) => this.#reader.push(bytes);
    wire.onEnding = (ending) => {
      if (ending === 'fin') this.#reader.end();
      wire.finish();
    };
  }

  get anomalies(): readonly string[] {
    return this.#reader.anomalies;
  }

  ask(method: 'GET' | 'POST' = 'GET', path = '/'): Asked {
    const body = method === 'POST' ? `Content-Length: ${BODY.length}\r\n\r\n${BODY}` : '\r\n';
    this.wire.send(`${method} ${path} HTTP/1.1\r\nHost: ${SITE_NAME}\r\nTE: trailers\r\nConnection: TE\r\n${body}`);
    return this.#track();
  }

  begin(framing: 'length' | 'pieces'): Asked {
    const field = framing === 'length' ? `Content-Length: ${ANNOUNCED}` : 'Transfer-Encoding: chunked';
    this.wire.send(`POST / HTTP/1.1\r\nHost: ${SITE_NAME}\r\n${field}\r\n\r\n`);
    this.#chunked = framing === 'pieces';
    return this.#track();
  }

  piece(text: string): void {
    this.wire.send(this.#chunked ? chunk(text) : text);
  }

  pour(): number {
    if (this.wire.unsentSize > POURED) return 0;
    this.piece('x'.repeat(POURED));
    return POURED;
  }

  partOfPiece(): void {
    this.partial = true;
    this.wire.send(half(chunk(BODY)));
  }

  partOfHead(): Asked {
    this.partial = true;
    this.wire.send(`GET / HTTP/1.1\r\nHost: ${SITE_NAME}\r\nX-Half: o`);
    return this.#track();
  }

  partOfTrailers(): void {
    this.partial = true;
    this.wire.send('0\r\nX-Half: o');
  }

  cancel(): void {
    throw new Error('HTTP/1 cannot cancel a request but by the end of its connection');
  }

  sayGoaway(): void {
    throw new Error('HTTP/1 has no GOAWAY');
  }

  #track(): Asked {
    const index = this.#asked++;
    const reader = this.#reader;
    const { wire } = this;
    return {
      get view() {
        const answer = reader.messages[index];
        if (answer !== undefined) return `answer ${shown(answer.status, answer.body.bytes())}`;
        const { current } = reader;
        const over = wire.ending !== undefined;
        if (current === undefined) return over ? 'nothing' : 'waiting';
        return `${over ? 'cut' : 'open'} ${shown(current.status, current.body.bytes())}`;
      },
      get size() {
        const message = reader.messages[index] ?? reader.current;
        return message === undefined ? -1 : message.body.size;
      },
    };
  }
}

class H2FaultClient implements FaultClient {
  readonly wire: FaultSocket;
  partial = false;
  readonly #peer: H2Client;
  readonly #scheme: string;
  readonly #options: FaultClientOptions;
  #last = 0;

  constructor(wire: FaultSocket, tls: boolean, options: FaultClientOptions) {
    this.wire = wire;
    this.#scheme = tls ? 'https' : 'http';
    const peer = new H2Client(wire, 'server', options);
    this.#peer = peer;
    wire.onBytes = (bytes) => peer.push(bytes);
    wire.onEnding = () => wire.finish();
    this.#options = options;
  }

  /** The preface. */
  greet(): void {
    this.#peer.raw(PREFACE);
    const { settings: pairs = [], connectionWindow = DEFAULT_WINDOW } = this.#options;
    this.#peer.send(settings(...pairs));
    if (connectionWindow > DEFAULT_WINDOW) this.#peer.send(windowUpdate(0, connectionWindow - DEFAULT_WINDOW));
  }

  get anomalies(): readonly string[] {
    return this.#peer.anomalies;
  }

  ask(method: 'GET' | 'POST' = 'GET', path = '/'): Asked {
    this.#last = this.#peer.ask(this.#fields(method, path), method === 'POST' ? BODY : undefined);
    return this.#track(this.#last);
  }

  begin(framing: 'length' | 'pieces'): Asked {
    this.#last = this.#peer.take();
    const length: H2Field[] = framing === 'length' ? [['content-length', String(ANNOUNCED)]] : [];
    this.#peer.send(headers(this.#last, block([...this.#fields('POST', '/'), ...length])));
    return this.#track(this.#last);
  }

  piece(text: string): void {
    this.#peer.send(data(this.#last, text));
  }

  pour(): number {
    return this.#peer.pour(this.#last);
  }

  partOfPiece(): void {
    this.partial = true;
    this.#peer.raw(half(data(this.#last, BODY)));
  }

  partOfHead(): undefined {
    this.partial = true;
    this.#peer.send(headers(this.#peer.take(), block(this.#fields('GET', '/')), Flag.END_STREAM));
  }

  partOfTrailers(): void {
    this.partial = true;
    this.#peer.send(headers(this.#last, block([['x-half', 'o']]), Flag.END_STREAM));
  }

  cancel(): void {
    this.#peer.send(rstStream(this.#last, Code.CANCEL));
  }

  sayGoaway(): void {
    this.#peer.send(goaway(0));
  }

  #fields(method: string, path: string): H2Field[] {
    return [
      [':method', method],
      [':scheme', this.#scheme],
      [':path', path],
      [':authority', SITE_NAME],
    ];
  }

  #track(id: number): Asked {
    const peer = this.#peer;
    return {
      get view() {
        const record = peer.stream(id);
        const { status, body } = { status: record?.status, body: record?.body ?? Buffer.alloc(0) };
        if (status !== undefined && record?.ended) return `answer ${shown(status, body)}`;
        const code = Object.entries(Code).find(([, value]) => value === record?.reset)?.[0];
        const over = code !== undefined || peer.isClosed;
        if (status === undefined) return code !== undefined ? `refused ${code}` : over ? 'nothing' : 'waiting';
        // INTERNAL_ERROR is how a response is cut that the proxy cannot complete.
        const how = code === undefined || code === 'INTERNAL_ERROR' ? '' : ` by ${code}`;
        return `${over ? 'cut' : 'open'}${how} ${shown(status, body)}`;
      },
      get size() {
        const record = peer.stream(id);
        return record?.head === undefined ? -1 : record.bodySize;
      },
    };
  }
}
