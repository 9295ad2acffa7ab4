/**
 * One Http1ClientSession over a connection in memory, with hand-driven time, and a record of all it says.
 */
import type { Duplex } from 'node:stream';
import type { CirqueError } from '@cirque/error';
import { HeaderMap, RequestHeader, type ResponseHeader } from '@cirque/http';
import { ResponseRules, resolveHttp1Limits } from '@cirque/http1';
import { duplexPair, FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { Stream } from '@cirque/transport';
import type { ClientSessionHandler } from '../src/client-session.ts';
import { Http1ClientSession } from '../src/http1-client-session.ts';
import { type PeerOptions, resolvePeerOptions } from '../src/peer-options.ts';

/** Writes down what it is told: one line each, body pieces as they come. Flushes are left out unless asked for. */
export class Recorder implements ClientSessionHandler {
  readonly lines: string[] = [];
  readonly heads: ResponseHeader[] = [];
  error: CirqueError | undefined;
  body = '';
  withFlush = false;
  /** Called after each line; may pause, release and so on. */
  onLine: (line: string) => void = () => undefined;

  onResponseHead(header: ResponseHeader, bodyLength: number | undefined): void {
    this.heads.push(header);
    this.#add(`head ${header.status} ${bodyLength ?? 'unknown'}`);
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    const text = buffer.toString('latin1', start, end);
    this.body += text;
    this.#add(`body ${text.length > 20 ? `${text.length} bytes` : text}`);
  }

  onResponseEnd(trailers: HeaderMap | undefined): void {
    this.#add(trailers === undefined ? 'end' : `end ${JSON.stringify(trailers)}`);
  }

  onUpstreamFlush(): void {
    if (this.withFlush) this.#add('flush');
  }

  onUpstreamDrain(): void {
    this.#add('drain');
  }

  onUpstreamError(error: CirqueError): void {
    this.error = error;
    this.#add(`error ${error.type}`);
  }

  #add(line: string): void {
    this.lines.push(line);
    this.onLine(line);
  }
}

/** A session, the other end of its connection, and everything around it. */
export interface OpenSession {
  readonly session: Http1ClientSession;
  readonly recorder: Recorder;
  /** The stream under the session. */
  readonly near: Duplex;
  /** The upstream's end. */
  readonly far: Duplex;
  /** The pieces that arrived at the upstream, as they were written. */
  readonly arrived: string[];
  /** What became of the connection: `reusable`, `closed`. */
  readonly fate: string[];
  readonly clock: FakeClock;
  readonly wheel: TimerWheel;
  /** Sends from the upstream and waits until it has arrived. */
  send(text: string): Promise<void>;
  /** FIN from the upstream, likewise. */
  sendEnd(): Promise<void>;
  /** All pieces that arrived at the upstream as one text. */
  received(): string;
  /** Installs a new recorder and begins the next exchange. */
  next(options?: PeerOptions): Recorder;
}

/** Lets everything that is under way in memory arrive. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 6; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Opens one in its first exchange. `highWaterMark`: bytes each end buffers before writing has to wait. */
export function openSession(options: PeerOptions = {}, highWaterMark = 65_536): OpenSession {
  const [near, far] = duplexPair({ highWaterMark });
  const clock = new FakeClock();
  const wheel = new TimerWheel({ clock });
  clock.onAdvance(() => wheel.advance());
  const fate: string[] = [];
  const owner = { reusable: () => fate.push('reusable'), closed: () => fate.push('closed') };
  const rules = new ResponseRules(resolveHttp1Limits(options.limits));
  const session = new Http1ClientSession(
    new Stream(near, 'Upstream'),
    resolvePeerOptions(options),
    rules,
    owner,
    wheel,
  );
  const arrived: string[] = [];
  far.on('data', (chunk: Buffer) => arrived.push(chunk.toString('latin1')));
  far.on('error', () => undefined);
  const next = (nextOptions: PeerOptions = options): Recorder => {
    const recorder = new Recorder();
    session.begin(resolvePeerOptions(nextOptions));
    session.handler = recorder;
    return recorder;
  };
  return {
    session,
    recorder: next(),
    near,
    far,
    arrived,
    fate,
    clock,
    wheel,
    send: (text) => {
      far.write(text, 'latin1');
      return settle();
    },
    sendEnd: () => {
      far.end();
      return settle();
    },
    received: () => arrived.join(''),
    next,
  };
}

/** A request head with the given fields. */
export function request(method = 'GET', fields: Record<string, string> = {}): RequestHeader {
  return new RequestHeader(method, '/path?query', HeaderMap.from({ Host: 'origin', ...fields }));
}

/** A whole response with a Content-Length. */
export function response(body = '', fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}
