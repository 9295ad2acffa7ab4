/**
 * One request of an HTTP/2 connection: the ServerSession over one stream of the engine.
 *
 * Bytes, flow control and order are the engine's affair, the connection's times http2-server-connection.ts'. Here are
 * the two lives that have to end: the stream's, and that of the application's work for it.
 */
import { CirqueError } from '@cirque/error';
import type { ConnectionOptions, HeaderMap, RequestHeader, ResponseHeader, Target } from '@cirque/http';
import { ErrorCode, errorCodeName, type Http2Stream } from '@cirque/http2';
import type { Digest, Lease } from '@cirque/transport';
import type { Http2Request } from './http2-request.ts';
import { ignoresUpgrade, tunnelHead, upgradeRefused, withDate } from './http2-response.ts';
import { NOBODY } from './no-handler.ts';
import type { ServerSession, ServerSessionHandler, TunnelRequest } from './server-session.ts';
import { type DeadlineFacts, StreamDeadlines, type WatchedRequest } from './stream-deadlines.ts';
import { TunnelEnd } from './tunnel-end.ts';
import { opensTunnel, tunnelTimeOver } from './tunnel-request.ts';
import { VirtualResponse } from './virtual-response.ts';

/** What a session needs of its connection. */
export interface Http2SessionOwner extends DeadlineFacts {
  readonly digest: Digest;
  readonly shuttingDown: boolean;
  /** Something was queued: flush when what runs now is over. */
  flushSoon(): void;
  /** The session wants to be told when all that came together was reported, and that there is nothing more for now. */
  delivered(session: Http2ServerSession): void;
}

/** See the file's head. */
export class Http2ServerSession implements ServerSession, WatchedRequest {
  readonly requestHeader: RequestHeader;
  readonly bodyLength: number | undefined;
  readonly connectionOptions: ConnectionOptions;
  readonly target: Target | undefined;
  readonly tunnel: TunnelRequest | undefined;
  readonly acceptsTrailers: boolean = true;
  readonly expectContinue: boolean;
  readonly requestNumber: number;
  handler: ServerSessionHandler = NOBODY;
  bodyBytesReceived = 0;
  requestComplete: boolean;
  paused = false;

  readonly #owner: Http2SessionOwner;
  readonly #stream: Http2Stream;
  readonly #response: VirtualResponse = new VirtualResponse();
  readonly #deadlines: StreamDeadlines;
  /** The application has not finished yet. */
  #active = true;
  /** Nothing can be sent to the client any more. */
  #gone = false;
  /** The application was told of an error: nothing of the request follows. */
  #broken = false;
  #tunnelled = false;
  /** The client ended its side with the very head that asks for the tunnel: reported once the tunnel is read. */
  #endOwed = false;
  #tunnelEnd: TunnelEnd | undefined = undefined;
  /** The owner of the tunnel knows that the client has ended. */
  #endTold = false;

  /** @param ended the head was all of the request. */
  constructor(owner: Http2SessionOwner, stream: Http2Stream, request: Http2Request, ended: boolean, number: number) {
    this.#owner = owner;
    this.#stream = stream;
    this.requestHeader = request.header;
    this.bodyLength = request.bodyLength;
    this.connectionOptions = request.connectionOptions;
    this.target = request.target;
    this.tunnel = request.tunnel;
    this.requestNumber = number;
    this.requestComplete = ended || request.tunnel !== undefined;
    this.expectContinue = !this.requestComplete && waitsForContinue(request.header);
    this.#deadlines = new StreamDeadlines(owner, stream, this);
    stream.retain();
    if (this.tunnel !== undefined) {
      this.#endOwed = ended;
      stream.pause();
    }
    this.#deadlines.watchBody();
  }

  /** The time of tunnels is over: for the owner the client ends now, then the tunnel does; see tunnel-end.ts. */
  shutdownTunnel(): void {
    if (!this.#tunnelled || !this.#active || this.#tunnelEnd !== undefined) return;
    this.#tunnelEnd = new TunnelEnd(() => this.#cutTunnel(), this.#owner.wheel);
    if (this.paused) this.#endOwed = true;
    else this.receiveEnd(undefined);
  }

  /** What has been written goes out, then the end, of this stream only. */
  #cutTunnel(): void {
    if (!this.#active || this.#gone) return;
    this.writeEnd();
    // The owner gives the request up, which tells a client that has not ended its side.
    this.#break(tunnelTimeOver());
  }

  get digest(): Digest {
    return this.#owner.digest;
  }
  get shuttingDown(): boolean {
    return this.#owner.shuttingDown;
  }
  get writable(): boolean {
    return !this.#gone && !this.#response.ended;
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
  /** Nothing is carried from stream to stream: they run at the same time. */
  get connectionContext(): undefined {
    return undefined;
  }
  set connectionContext(_ignored: unknown) {}

  // ---- the application's side

  pause(): void {
    this.paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.paused = false;
    if (this.tunnel !== undefined && !this.#tunnelled) return;
    this.#stream.resume();
    if (this.#endOwed && !this.paused) {
      this.#endOwed = false;
      this.receiveEnd(undefined);
    }
    // Sends the windows that were opened by it, too.
    this.#owner.delivered(this);
  }

  /** Other requests share the connection: they are not this one's to end. */
  disableKeepAlive(): void {}

  writeHead(header: ResponseHeader, end: boolean): void {
    if (this.#gone) return;
    const response = this.#response;
    if (opensTunnel(this.tunnel, header.status)) {
      this.#openTunnel(header);
    } else if (ignoresUpgrade(this.tunnel, header.status)) {
      const refusal = upgradeRefused();
      // HEAD: whatever body comes is not sent.
      response.head(refusal, true, 'HEAD');
      this.#stream.writeHead(refusal, true);
    } else {
      // The end of a stream needs no Content-Length: 0 to be seen.
      response.head(header, false, this.requestHeader.method);
      const last = response.noBody || (end && header.headers.contentLength <= 0);
      this.#stream.writeHead(withDate(header), last && !header.informational);
      if (!header.informational) this.#deadlines.watchBody();
    }
    this.#owner.flushSoon();
  }

  writeBody(buffer: Buffer, start: number, end: number, _lease: Lease | undefined): boolean {
    if (this.#gone || !this.#response.piece(end - start)) return true;
    const room = this.#stream.writeData(buffer, start, end);
    this.#owner.flushSoon();
    if (!room) this.#deadlines.watchWrites();
    return room;
  }

  flush(): void {
    this.#owner.flushSoon();
  }

  writeEnd(trailers?: HeaderMap): void {
    const response = this.#response;
    if (this.#gone || !response.started || response.ended) return;
    response.end();
    if (!this.#stream.localClosed) this.#stream.end(trailers);
    this.#owner.flushSoon();
  }

  finish(): void {
    if (this.#active) this.#release();
  }

  end(trailers?: HeaderMap): void {
    this.writeEnd(trailers);
    this.finish();
  }

  abort(_error: CirqueError): void {
    if (this.#active) this.#release();
  }

  /** From now on both directions are bytes; the owner resumes when it is ready for them. */
  #openTunnel(header: ResponseHeader): void {
    if (this.#response.started)
      throw CirqueError.internal('InternalError', 'a final response head was written already');
    this.#stream.writeHead(tunnelHead(header), false);
    this.#response.started = true;
    this.#tunnelled = true;
    this.pause();
  }

  /** The application is done with the request; so is the client, or it is told that we are. */
  #release(): void {
    const stream = this.#stream;
    this.#active = false;
    this.handler = NOBODY;
    if (!this.#gone) {
      if (!this.#response.ended) stream.reset(this.#cutCode);
      else {
        // A body that nobody wants must not hold the window of the connection.
        stream.resume();
        // Goes behind what is queued of the response (RFC 9113 section 8.1).
        if (!stream.remoteClosed) stream.reset(ErrorCode.NO_ERROR);
        this.#deadlines.watchWrites();
      }
      this.#owner.flushSoon();
    }
    stream.release();
  }

  /** How the client is shown that there is no more (RFC 8441 section 5, RFC 9113 section 8.5). */
  get #cutCode(): number {
    if (!this.#tunnelled) return ErrorCode.INTERNAL_ERROR;
    return this.tunnel?.kind === 'connect' ? ErrorCode.CONNECT_ERROR : ErrorCode.CANCEL;
  }

  // ---- the engine's side, through the connection

  /** @internal A piece of the request body, or of what comes through the tunnel. */
  receive(buffer: Buffer, start: number, end: number): void {
    if (!this.#active || this.#broken || this.#endTold) return;
    this.bodyBytesReceived += end - start;
    this.#deadlines.watchBody();
    this.#owner.delivered(this);
    this.handler.onRequestBody(buffer, start, end);
  }

  /** @internal */
  receiveEnd(trailers: HeaderMap | undefined): void {
    this.requestComplete = true;
    this.#deadlines.watchBody();
    if (!this.#active || this.#broken) return;
    if (this.#tunnelled) this.#endTunnel();
    else if (this.bodyLength !== 0) this.handler.onRequestEnd(trailers);
  }

  #endTunnel(): void {
    if (this.#endTold) return;
    this.#endTold = true;
    this.handler.onRequestEnd(undefined);
  }

  /** @internal All that arrived together was reported. */
  receivedAll(): void {
    if (this.#active && !this.#broken) this.handler.onDownstreamFlush?.();
  }

  /** @internal There is room for more of the response. */
  drained(): void {
    this.#deadlines.drained();
    if (this.#active && !this.#gone) this.handler.onDownstreamDrain();
  }

  /** @internal The client, or the engine because of the client, has reset the stream. */
  wasReset(code: number, byUs: boolean): void {
    const name = errorCodeName(code);
    this.lost(
      byUs
        ? CirqueError.downstream('H2Error', `the client broke the rules of its stream: ${name}`)
        : CirqueError.downstream('ConnectionClosed', `the client cancelled the request: ${name}`),
    );
  }

  /** @internal The client can no longer be reached. The engine counts the stream until the application is done too. */
  lost(error: CirqueError): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#deadlines.close();
    this.#break(error);
  }

  /** @internal The stream is over. */
  closed(): void {
    this.#deadlines.close();
    this.#tunnelEnd?.close();
  }

  #break(error: CirqueError): void {
    if (!this.#active || this.#broken) return;
    this.#broken = true;
    this.handler.onDownstreamError(error);
  }

  // ---- what the deadlines ask, and tell

  get bodyDue(): boolean {
    // In a conversation (gRPC) the client says something when it has something to say: it is the upstream that is timed.
    if (this.#response.started) return false;
    return this.#active && !this.#broken && !this.requestComplete && this.bodyLength !== 0;
  }

  bodyTimedOut(): void {
    this.#break(CirqueError.downstream('ReadTimedout', 'the request body did not arrive in time'));
  }

  writeTimedOut(): void {
    this.#stream.reset(ErrorCode.CANCEL);
    this.#owner.flushSoon();
    this.lost(CirqueError.downstream('WriteTimedout', 'the client did not read the response in time'));
  }
}

function waitsForContinue({ headers }: RequestHeader): boolean {
  return headers.get('expect')?.toLowerCase() === '100-continue';
}
