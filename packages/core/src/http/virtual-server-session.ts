/**
 * A request that came from no connection of ours: its maker feeds it and takes the response.
 *
 * What subrequests and adapters stand on. The rules of {@link ServerSession} hold as on a connection; those of the
 * response are in virtual-response.ts. There are no deadlines here: they are the maker's business.
 */
import { CirqueError } from '@cirque/error';
import {
  type ConnectionOptions,
  type HeaderMap,
  parseConnectionOptions,
  parseTarget,
  type RequestHeader,
  type ResponseHeader,
  type Target,
} from '@cirque/http';
import { type Digest, type Lease, socketDigest } from '@cirque/transport';
import { NOBODY } from './no-handler.ts';
import type { ServerSession, ServerSessionHandler } from './server-session.ts';
import { VirtualResponse } from './virtual-response.ts';

/** Takes the response of a virtual request, and what it says about the request body. */
export interface VirtualSink {
  /** A head: informational ones, then the final one. `end`: no body follows; onEnd comes all the same. */
  onHead(header: ResponseHeader, end: boolean): void;
  /**
   * A piece of the body: `buffer[start, end)`, valid during the call only, unless `lease` is given and retained.
   * False: full, no more is wanted until {@link VirtualServerSession.drained}.
   */
  onBody(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean;
  /** The response is complete. */
  onEnd(trailers: HeaderMap | undefined): void;
  /** The response will not be completed; whoever gets it must be able to tell. */
  onAbort(error: CirqueError): void;
  /** The request body is not wanted for now: what is fed nevertheless is held. */
  onPause?(): void;
  onResume?(): void;
  /** The request is over, however it ended: nothing that is fed is looked at any more. Last call, exactly once. */
  onFinish?(): void;
}

/** What a virtual request is made of. */
export interface VirtualRequest {
  /** Fields that concern a connection may be left in it. */
  readonly header: RequestHeader;
  /** Bytes of the body: 0 for none, undefined when not known beforehand. It must agree with Content-Length. */
  readonly bodyLength: number | undefined;
  readonly sink: VirtualSink;
  /** Default: that of a connection without addresses. */
  readonly digest?: Digest;
  /** The client waits for `100 Continue`, and would be told. Default false. */
  readonly expectContinue?: boolean;
  /** Trailers would reach whoever asked. Default true. */
  readonly acceptsTrailers?: boolean;
}

/** See the file's head. Give it to `processNewHttp` of an application, then feed it. */
export class VirtualServerSession implements ServerSession {
  readonly requestHeader: RequestHeader;
  readonly bodyLength: number | undefined;
  readonly connectionOptions: ConnectionOptions;
  readonly target: Target | undefined;
  readonly tunnel: undefined = undefined;
  readonly acceptsTrailers: boolean;
  readonly expectContinue: boolean;
  readonly digest: Digest;
  readonly requestNumber: number = 1;
  readonly shuttingDown: boolean = false;
  /** Ignored: no other request follows. */
  connectionContext: unknown = undefined;
  handler: ServerSessionHandler = NOBODY;
  bodyBytesReceived = 0;
  readonly #sink: VirtualSink;
  readonly #response: VirtualResponse = new VirtualResponse();
  /** Fed, but not wanted yet. */
  #held: Buffer[] = [];
  #fedBytes = 0;
  /** All of the body was fed, with these trailers. */
  #fed = false;
  #trailers: HeaderMap | undefined = undefined;
  #requestComplete: boolean;
  #paused = false;
  #delivering = false;
  #clientGone = false;
  /** An error was told: nothing of the request follows. */
  #broken = false;
  #over = false;

  /** @throws CirqueError InvalidHTTPHeader, source Downstream, when target, Connection or length are not valid. */
  constructor(request: VirtualRequest) {
    const { header, sink, expectContinue = false, acceptsTrailers = true } = request;
    this.requestHeader = header;
    this.bodyLength = checkLength(header, request.bodyLength);
    this.connectionOptions = checkConnection(header);
    this.target = checkTarget(header);
    this.digest = request.digest ?? virtualDigest();
    this.expectContinue = expectContinue;
    this.acceptsTrailers = acceptsTrailers;
    this.#sink = sink;
    this.#requestComplete = this.bodyLength === 0;
  }

  // ---- the maker's side

  /** A piece of the request body; it is copied if it has to wait. False: wait for {@link VirtualSink.onResume}. */
  feedBody(buffer: Buffer, start: number, end: number): boolean {
    if (this.#over || this.#broken || this.#fed) return true;
    this.#fedBytes += end - start;
    if (this.bodyLength !== undefined && this.#fedBytes > this.bodyLength) {
      this.#break(broken('InvalidHTTPHeader', 'the request body is longer than its Content-Length'));
      return true;
    }
    if (start === end) return !this.#paused;
    if (this.#paused || this.#delivering || this.#held.length > 0)
      this.#held.push(Buffer.from(buffer.subarray(start, end)));
    else this.#report(buffer, start, end);
    this.#deliver();
    return !this.#paused;
  }

  /** The request body is complete. Needed only for a request that has one. */
  feedEnd(trailers?: HeaderMap): void {
    if (this.#over || this.#broken || this.#fed) return;
    if (this.bodyLength !== undefined && this.#fedBytes < this.bodyLength) {
      this.#break(broken('PrematureBodyEnd', 'the request body is shorter than its Content-Length'));
      return;
    }
    this.#fed = true;
    this.#trailers = trailers;
    this.#deliver();
  }

  /** Whoever asked has gone, or cannot go on; nothing more is written to the sink. */
  clientGone(error: CirqueError = broken('ConnectionClosed', 'the client has gone')): void {
    if (this.#over || this.#clientGone) return;
    this.#clientGone = true;
    this.#break(error);
  }

  /** The sink has room again, after it had answered false. */
  drained(): void {
    if (!this.#over && !this.#clientGone) this.handler.onDownstreamDrain();
  }

  /** The application has nothing against another request of the same client. */
  get keepAlive(): boolean {
    return this.#response.keepAlive;
  }

  // ---- the application's side

  get writable(): boolean {
    return !this.#clientGone && !this.#response.ended;
  }
  get responseStarted(): boolean {
    return this.#response.started;
  }
  get responseEnded(): boolean {
    return this.#response.ended;
  }
  get bodyBytesSent(): number {
    return this.#response.bodyBytes;
  }
  get requestComplete(): boolean {
    return this.#requestComplete;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#sink.onPause?.();
  }

  resume(): void {
    const wasPaused = this.#paused;
    this.#paused = false;
    this.#deliver();
    if (!this.#requestComplete) this.handler.onDownstreamFlush?.();
    if (wasPaused && !this.#paused) this.#sink.onResume?.();
  }

  disableKeepAlive(): void {
    this.#response.keepAlive = false;
  }

  writeHead(header: ResponseHeader, end: boolean): void {
    if (this.#clientGone) return;
    const response = this.#response;
    // What is left of the request would be in the way of the next one.
    if (!header.informational && !this.#requestComplete) response.keepAlive = false;
    response.head(header, end, this.requestHeader.method);
    this.#sink.onHead(header, end || response.noBody);
  }

  writeBody(buffer: Buffer, start: number, end: number, lease: Lease | undefined): boolean {
    if (this.#clientGone) return true;
    return !this.#response.piece(end - start) || this.#sink.onBody(buffer, start, end, lease);
  }

  flush(): void {}

  writeEnd(trailers?: HeaderMap): void {
    const response = this.#response;
    if (this.#clientGone || !response.started || response.ended) return;
    response.end();
    this.#sink.onEnd(this.acceptsTrailers && !response.noBody ? trailers : undefined);
  }

  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.handler = NOBODY;
    this.#held = [];
    this.#sink.onFinish?.();
  }

  end(trailers?: HeaderMap): void {
    this.writeEnd(trailers);
    this.finish();
  }

  abort(error: CirqueError): void {
    if (this.#over) return;
    if (!this.#clientGone && !this.#response.ended) this.#sink.onAbort(error);
    this.finish();
  }

  // ---- the request body

  /** Reports what is held, as long as somebody wants it, then the end. A loop: reporting may bring more. */
  #deliver(): void {
    if (this.#delivering) return;
    while (!this.#paused && this.#held.length > 0) {
      const piece = this.#held.shift() as Buffer;
      this.#report(piece, 0, piece.length);
    }
    if (this.#paused || !this.#fed || this.#broken || this.#requestComplete) return;
    this.#requestComplete = true;
    this.handler.onRequestEnd(this.#trailers);
  }

  #report(buffer: Buffer, start: number, end: number): void {
    this.bodyBytesReceived += end - start;
    this.#delivering = true;
    try {
      this.handler.onRequestBody(buffer, start, end);
      this.handler.onDownstreamFlush?.();
    } finally {
      this.#delivering = false;
    }
  }

  #break(error: CirqueError): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#held = [];
    const { handler } = this;
    // An answer may still be written, so a drain may still come.
    if (this.#clientGone) this.handler = NOBODY;
    handler.onDownstreamError(error);
  }
}

/** What is known of a request that came over no connection. */
export function virtualDigest(): Digest {
  const socket = socketDigest({});
  const tcpInfo = (): undefined => undefined;
  return { establishedAt: Date.now(), socket, transport: socket, ssl: undefined, proxyHeader: undefined, tcpInfo };
}

function broken(type: 'ConnectionClosed' | 'InvalidHTTPHeader' | 'PrematureBodyEnd', what: string): CirqueError {
  return CirqueError.downstream(type, what);
}

/** One body has one length: what the maker says and what Content-Length says become the same. */
function checkLength({ headers }: RequestHeader, bodyLength: number | undefined): number | undefined {
  const announced = headers.contentLength;
  if (Number.isNaN(announced)) throw broken('InvalidHTTPHeader', 'Content-Length is not one number of bytes');
  if (announced < 0) {
    if (bodyLength !== undefined && bodyLength > 0) headers.set('Content-Length', String(bodyLength));
    return bodyLength;
  }
  if (bodyLength !== undefined && bodyLength !== announced) {
    throw broken('InvalidHTTPHeader', `Content-Length says ${announced} bytes, the body has ${bodyLength}`);
  }
  return announced;
}

function checkConnection({ headers }: RequestHeader): ConnectionOptions {
  const options = parseConnectionOptions(headers.getAll('connection').join(',') || undefined);
  if (options.problem !== undefined) throw broken('InvalidHTTPHeader', options.problem);
  return options;
}

function checkTarget({ method, target }: RequestHeader): Target | undefined {
  if (method === 'CONNECT') throw broken('InvalidHTTPHeader', 'CONNECT asks for a tunnel, which needs a connection');
  const parsed = parseTarget(method, target);
  if (parsed !== undefined) return parsed.form === 'origin' ? undefined : parsed;
  throw broken(
    'InvalidHTTPHeader',
    `request target ${JSON.stringify(target.slice(0, 256))} is not valid for ${method}`,
  );
}
