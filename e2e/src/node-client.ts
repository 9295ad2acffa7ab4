/**
 * One interface over the clients of node:http, node:https and node:http2, for tests that run with each of them.
 */
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable, Writable } from 'node:stream';
import type { OriginKind } from './four-origins.ts';
import { GATEWAY_NAME, type PeersRig } from './peers-rig.ts';

export interface NodeRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written in pieces of 64 KiB, so that most of it waits for the other side. */
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface NodeAnswer {
  /** 0: there was none. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
  /** Status codes of informational responses. */
  readonly interim: readonly number[];
  /** `end`, or why the response is not whole: a code of HTTP/2 (`INTERNAL_ERROR`) or of the system. */
  readonly end: string;
}

/** An exchange under way. */
export interface NodeExchange {
  /** Never rejects. */
  readonly answer: Promise<NodeAnswer>;
  /** Resolves when the first bytes of the response body have come. */
  readonly begun: Promise<void>;
  /** Leaves: resets the stream, or the connection of HTTP/1. */
  cancel(): void;
}

const PIECE = 65_536;

export class NodeClient {
  readonly #kind: OriginKind;
  readonly #rig: PeersRig;
  readonly #agent: Agent;
  #session: ClientHttp2Session | undefined;

  /** @param kind the version, and whether with TLS. */
  constructor(kind: OriginKind, rig: PeersRig) {
    this.#kind = kind;
    this.#rig = rig;
    this.#agent = kind === 'h1-tls' ? new HttpsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  }

  get isHttp2(): boolean {
    return this.#kind.startsWith('h2');
  }

  /** The connection of HTTP/2; a new one when the last has closed. */
  get session(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      const { gateway, ca } = this.#rig;
      this.#session =
        this.#kind === 'h2'
          ? connect(`http://127.0.0.1:${gateway.port}`)
          : connect(`https://127.0.0.1:${gateway.tlsPort}`, { ca: ca.cert, servername: GATEWAY_NAME });
      this.#session.on('error', () => undefined); // its streams tell
    }
    return this.#session;
  }

  ask(request: NodeRequest): Promise<NodeAnswer> {
    return this.begin(request).answer;
  }

  begin(request: NodeRequest): NodeExchange {
    return this.isHttp2 ? this.#beginHttp2(request) : this.#beginHttp1(request);
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    const session = this.#session;
    if (session === undefined || session.destroyed) return;
    await new Promise<void>((resolve) => {
      session.once('close', resolve);
      session.close();
    });
  }

  #beginHttp1({ path, method = 'GET', headers = {}, body, trailers }: NodeRequest): NodeExchange {
    const { gateway, ca } = this.#rig;
    const common = { host: '127.0.0.1', path, method, headers, agent: this.#agent };
    const sent =
      this.#kind === 'h1'
        ? httpRequest({ ...common, port: gateway.port })
        : httpsRequest({ ...common, port: gateway.tlsPort, ca: ca.cert, servername: GATEWAY_NAME });
    const record = new Recorder();
    sent.on('information', ({ statusCode }) => record.interim.push(statusCode));
    sent.on('error', (error: NodeJS.ErrnoException) => record.fail(error.code ?? error.message));
    sent.on('response', (response: IncomingMessage) => {
      record.head(response.statusCode ?? 0, response.headers);
      record.read(response, () => response.trailers);
    });
    if (trailers !== undefined) sent.addTrailers(trailers);
    sendBody(sent, body);
    return { answer: record.answer, begun: record.begun, cancel: () => sent.destroy() };
  }

  #beginHttp2({ path, method = 'GET', headers = {}, body, trailers }: NodeRequest): NodeExchange {
    const fields = { ':path': path, ':method': method, ...headers };
    const options = { endStream: body === undefined, waitForTrailers: trailers !== undefined };
    const stream = this.session.request(fields, options);
    const record = new Recorder();
    let received: Readonly<Record<string, unknown>> = {};
    stream.on('headers', (interim) => record.interim.push(Number(interim[':status'])));
    stream.on('response', (head) => record.head(Number(head[':status']), head));
    stream.on('trailers', (fields) => {
      received = fields;
    });
    stream.on('wantTrailers', () => stream.sendTrailers({ ...trailers }));
    stream.on('error', () => record.fail(codeName(stream.rstCode)));
    stream.on('close', () => record.fail(codeName(stream.rstCode)));
    // Node ends a stream that was reset by this side, too.
    stream.prependListener('end', () => stream.rstCode !== 0 && record.fail(codeName(stream.rstCode)));
    record.read(stream, () => received);
    if (body !== undefined) sendBody(stream, body);
    return { answer: record.answer, begun: record.begun, cancel: () => stream.close(constants.NGHTTP2_CANCEL) };
  }
}

/** Puts an answer together from events. */
class Recorder {
  readonly interim: number[] = [];
  readonly answer: Promise<NodeAnswer>;
  readonly begun: Promise<void>;
  readonly #settle: (answer: NodeAnswer) => void;
  readonly #begin: () => void;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #chunks: Buffer[] = [];

  constructor() {
    const { promise, resolve } = Promise.withResolvers<NodeAnswer>();
    const first = Promise.withResolvers<void>();
    this.answer = promise;
    this.#settle = resolve;
    this.begun = first.promise;
    this.#begin = first.resolve;
  }

  head(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  read(body: Readable, trailers: () => Readonly<Record<string, unknown>>): void {
    body.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#begin();
    });
    body.on('error', (error: NodeJS.ErrnoException) => this.fail(error.code ?? error.message));
    body.on('end', () => this.#finish('end', trailers()));
  }

  /** Counts only when the end has not come before. */
  fail(reason: string): void {
    this.#finish(reason, {});
  }

  #finish(end: string, trailers: Readonly<Record<string, unknown>>): void {
    const body = Buffer.concat(this.#chunks).toString('latin1');
    this.#settle({ status: this.#status, headers: this.#headers, body, trailers, interim: this.interim, end });
  }
}

function sendBody(target: Writable, body: string | undefined): void {
  for (let at = 0; at < (body?.length ?? 0); at += PIECE) target.write(body?.slice(at, at + PIECE));
  target.end();
}

/** `INTERNAL_ERROR` for 2. */
function codeName(code: number | undefined): string {
  const names = Object.entries(constants).filter(([name, value]) => name.startsWith('NGHTTP2_') && value === code);
  const known = names.map(([name]) => name.slice('NGHTTP2_'.length));
  return known.find((name) => CODES.has(name)) ?? `code ${code}`;
}

const CODES: ReadonlySet<string> = new Set([
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]);
