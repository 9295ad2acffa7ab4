/**
 * A server that speaks HTTP/2 on plaintext, its application in the test, time driven by hand where that is asked for.
 */
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import type { CirqueError } from '@cirque/error';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { FakeClock, RawClient } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { acceptStreams, type Stream } from '@cirque/transport';
import { HttpConnectionApp, type HttpServerApp, type HttpServerOptions, type ServerSession } from '../src/index.ts';
import { RawHttp2 } from './raw-http2.ts';

/** See the file's head. */
export class Http2Site implements HttpServerApp {
  readonly serverOptions: HttpServerOptions;
  readonly clock = new FakeClock();
  readonly app: HttpConnectionApp;
  readonly streams: Stream[] = [];
  /** What the handlers of all sessions were told, in order. */
  readonly events: string[] = [];
  readonly sessions: ServerSession[] = [];
  readonly refused: string[] = [];
  readonly #server = createServer();
  readonly #process: (session: ServerSession) => void;
  readonly #closers: (() => void)[] = [];

  private constructor(process: (session: ServerSession) => void, options: HttpServerOptions) {
    this.#process = process;
    this.serverOptions = { h2c: true, ...options };
    const wheel = new TimerWheel({ clock: this.clock });
    this.clock.onAdvance(() => wheel.advance());
    this.app = new HttpConnectionApp(this, wheel);
  }

  static async start(process: (session: ServerSession) => void, options: HttpServerOptions = {}): Promise<Http2Site> {
    const site = new Http2Site(process, options);
    const accept = (stream: Stream): void => {
      site.streams.push(stream);
      site.app.processNew(stream);
    };
    acceptStreams(site.#server, {}, accept, (error) => {
      throw error;
    });
    await new Promise<void>((resolve) => site.#server.listen(0, '127.0.0.1', resolve));
    return site;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Installs a handler that notes what it is told, then asks the test. */
  processNewHttp(session: ServerSession): void {
    this.sessions.push(session);
    session.handler = {
      onRequestBody: (buffer, start, end) =>
        this.events.push(`body ${end - start <= 16 ? buffer.toString('latin1', start, end) : end - start}`),
      onRequestEnd: (trailers) =>
        this.events.push(trailers === undefined ? 'end' : `end ${JSON.stringify(trailers.toJSON())}`),
      onDownstreamDrain: () => this.events.push('drain'),
      onDownstreamError: (error) => this.events.push(`error ${error.type}`),
    };
    this.#process(session);
  }

  refusedRequest(error: CirqueError, status: number): void {
    this.refused.push(`${error.type} ${status}`);
  }

  /** Only what went wrong: Node's client may end its side before it resets. */
  get errors(): string[] {
    return this.events.filter((event) => event.startsWith('error '));
  }

  /** A client of Node's, connected. */
  async client(): Promise<ClientHttp2Session> {
    const client = connect(`http://127.0.0.1:${this.port}`);
    client.on('error', () => {});
    this.#closers.push(() => client.destroy());
    await new Promise((resolve) => client.once('connect', resolve));
    return client;
  }

  /** A client that sends frames as they are given to it. */
  async raw(): Promise<RawHttp2> {
    const client = await this.connect();
    return new RawHttp2(client);
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect({ port: this.port });
    this.#closers.push(() => client.reset());
    return client;
  }

  /** Waits until the condition holds; time as sockets know it, not that of the wheel. */
  async until(condition: () => boolean, what = condition.toString()): Promise<void> {
    const end = performance.now() + 5_000;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`not within 5 s: ${what}; events: ${this.events.join(', ')}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Moves the wheel on, and lets what that set off happen. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms, 100);
    for (let round = 0; round < 10; round += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) close();
    for (const stream of this.streams) stream.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers with a body, whole. */
export function answer(session: ServerSession, status = 200, body = '', fields: Record<string, string> = {}): void {
  const bytes = Buffer.from(body, 'latin1');
  session.writeHead(new ResponseHeader(status, HeaderMap.from(fields)), bytes.length === 0);
  if (bytes.length > 0) session.writeBody(bytes, 0, bytes.length, undefined);
  session.end();
}

/** What a client has got. */
export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | undefined;
  /** Statuses of the informational heads before. */
  readonly informed: readonly number[];
  /** The code that the stream was closed with. */
  readonly code: number;
}

/** Sends a request with Node's client, and waits until its stream is closed. */
export function fetchH2(
  client: ClientHttp2Session,
  headers: Record<string, string>,
  body?: string | Buffer,
): Promise<Got> {
  return new Promise((resolve) => {
    const stream = client.request({ ':path': '/', ...headers }, { endStream: body === undefined });
    let received: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    const informed: number[] = [];
    const chunks: Buffer[] = [];
    stream.on('headers', (head) => informed.push(Number(head[':status'])));
    stream.on('response', (head) => {
      received = head;
    });
    stream.on('trailers', (fields) => {
      trailers = fields;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('close', () => {
      const text = Buffer.concat(chunks).toString('latin1');
      const status = Number(received[':status'] ?? 0);
      resolve({ status, headers: received, body: text, trailers, informed, code: stream.rstCode ?? 0 });
    });
    if (body !== undefined) stream.end(body);
  });
}
