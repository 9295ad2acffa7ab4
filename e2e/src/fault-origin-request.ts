/**
 * One request at the origin of a fault, and the ways to answer it in part.
 */
import { ANNOUNCED } from './fault-client.ts';
import { chunk, half, POURED } from './fault-pieces.ts';
import type { FaultSocket } from './fault-socket.ts';
import { Code, data, Flag, goaway, headers, rstStream } from './h2-frames.ts';
import { block, type H2Field } from './h2-hpack.ts';
import type { H2OriginConnection } from './h2-origin.ts';
import { fieldOf, type H2StreamRecord } from './h2-stream-record.ts';
import type { WireRequest } from './wire-reader.ts';

/** How the end of a body is announced: by a length, by itself (chunked, END_STREAM), or not but by the connection's. */
export type BodyFraming = 'length' | 'pieces' | 'close';

export interface OriginRequest {
  readonly wire: FaultSocket;
  readonly path: string;
  /** It has come to its end. */
  isWhole: boolean;
  /** What the proxy has done with it: `kept`, `closed`, `cancelled`, or what else it said. */
  readonly fate: string;
  /** A whole answer: `ok`, or the body of the request. */
  answer(): void;
  partOfHead(): void;
  head(framing: BodyFraming): void;
  piece(text: string): void;
  /** Sends as much of a body as the proxy takes now, and says how much that was. */
  pour(): number;
  /** Ends a body with a length, all of which was sent. */
  end(): void;
  /** Sends half of a chunk, or of a DATA frame. */
  partOfPiece(): void;
  /** Ends the body and sends half of the trailers. */
  partOfTrailers(): void;
  /** HTTP/2: ends the stream alone. */
  resetStream(code: keyof typeof Code): void;
  /** HTTP/2: announces the end of the connection, with this request as the last one, or with none. */
  goaway(last: 'this' | 'none', code?: keyof typeof Code): void;
}

export class H1OriginRequest implements OriginRequest {
  readonly wire: FaultSocket;
  readonly path: string;
  isWhole = false;
  readonly #message: WireRequest;
  #framing: BodyFraming = 'length';

  constructor(wire: FaultSocket, message: WireRequest) {
    this.wire = wire;
    this.path = message.target;
    this.#message = message;
  }

  get fate(): string {
    return this.wire.ending === undefined ? 'kept' : 'closed';
  }

  answer(): void {
    const body = this.#message.body.size > 0 ? this.#message.body.bytes().toString('latin1') : 'ok';
    this.wire.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }

  partOfHead(): void {
    this.wire.send('HTTP/1.1 200 OK\r\nX-Half: o');
  }

  head(framing: BodyFraming): void {
    this.#framing = framing;
    const field = { length: `Content-Length: ${ANNOUNCED}\r\n`, pieces: 'Transfer-Encoding: chunked\r\n', close: '' };
    this.wire.send(`HTTP/1.1 200 OK\r\n${field[framing]}\r\n`);
  }

  piece(text: string): void {
    this.wire.send(this.#framing === 'pieces' ? chunk(text) : text);
  }

  pour(): number {
    if (this.wire.unsentSize > POURED) return 0;
    this.piece('x'.repeat(POURED));
    return POURED;
  }

  end(): void {}

  partOfPiece(): void {
    this.wire.send(half(chunk('hello')));
  }

  partOfTrailers(): void {
    this.wire.send('0\r\nX-Half: o');
  }

  resetStream(): void {
    throw new Error('HTTP/1 has no RST_STREAM');
  }

  goaway(): void {
    throw new Error('HTTP/1 has no GOAWAY');
  }
}

export class H2OriginRequest implements OriginRequest {
  readonly wire: FaultSocket;
  readonly path: string;
  isWhole = false;
  readonly #connection: H2OriginConnection;
  readonly #stream: H2StreamRecord;

  constructor(connection: H2OriginConnection, stream: H2StreamRecord) {
    this.wire = connection.wire as FaultSocket;
    this.path = fieldOf(stream.head ?? [], ':path') ?? '';
    this.#connection = connection;
    this.#stream = stream;
  }

  get fate(): string {
    const { failure } = this.#connection;
    if (failure !== undefined) return `closed with ${codeName(failure.code)}`;
    if (this.wire.ending !== undefined) return 'closed';
    const { reset } = this.#stream;
    if (reset === undefined) return 'kept';
    return reset === Code.CANCEL ? 'cancelled' : `reset with ${codeName(reset)}`;
  }

  answer(): void {
    const { body } = this.#stream;
    this.#connection.answer(this.#stream.id, STATUS, body.length > 0 ? body : 'ok');
  }

  partOfHead(): void {
    this.#connection.send(headers(this.#stream.id, block(STATUS), 0));
  }

  head(framing: BodyFraming): void {
    const length: H2Field[] = framing === 'length' ? [['content-length', String(ANNOUNCED)]] : [];
    this.#connection.send(headers(this.#stream.id, block([...STATUS, ...length])));
  }

  piece(text: string): void {
    this.#connection.send(data(this.#stream.id, text));
  }

  pour(): number {
    return this.#connection.pour(this.#stream.id);
  }

  end(): void {
    this.#connection.send(data(this.#stream.id, '', Flag.END_STREAM));
  }

  partOfPiece(): void {
    this.#connection.raw(half(data(this.#stream.id, 'hello')));
  }

  partOfTrailers(): void {
    this.#connection.send(headers(this.#stream.id, block([['x-half', 'o']]), Flag.END_STREAM));
  }

  resetStream(code: keyof typeof Code): void {
    this.#connection.send(rstStream(this.#stream.id, Code[code]));
  }

  goaway(last: 'this' | 'none', code: keyof typeof Code = 'NO_ERROR'): void {
    this.#connection.send(goaway(last === 'this' ? this.#stream.id : 0, Code[code]));
  }
}

const STATUS: H2Field[] = [[':status', '200']];

function codeName(code: number): string {
  return Object.entries(Code).find(([, value]) => value === code)?.[0] ?? String(code);
}
