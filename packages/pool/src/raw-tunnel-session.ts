/**
 * A tunnel to a peer as a session: no HTTP is spoken upstream, every byte passes as it is (CONNECT, RFC 9110 9.3.6).
 *
 * The request head is not sent; it is answered at once with a 200 of our own, and what follows is the tunnel.
 */
import { CirqueError } from '@cirque/error';
import { type HeaderMap, parseConnectionOptions, type RequestHeader, ResponseHeader } from '@cirque/http';
import { Timer, type TimerWheel } from '@cirque/timeout';
import { type Digest, type Lease, type Stream, type StreamHandler, WriteProgress } from '@cirque/transport';
import type { ClientSession, ClientSessionHandler } from './client-session.ts';
import { NOBODY } from './no-handler.ts';
import type { ResolvedPeerOptions } from './peer-options.ts';

const NO_OPTIONS = parseConnectionOptions(undefined);

/** See the file's head. Serves one tunnel; the connection ends with it. */
export class RawTunnelSession implements ClientSession, StreamHandler {
  readonly httpVersion = '1.1';
  readonly reused = false;
  handler: ClientSessionHandler = NOBODY;
  responseStarted = false;
  bodyBytesSent = 0;
  bodyBytesReceived = 0;
  readonly #stream: Stream;
  readonly #options: ResolvedPeerOptions;
  readonly #closed: () => void;
  readonly #writes = new WriteProgress();
  readonly #timer: Timer;
  /** Arrived while the owner was paused. */
  #held: Buffer[] = [];
  #paused = true;
  #peerEnded = false;
  #endTold = false;
  #over = false;

  /** @param onClosed called once, when the connection is no longer in use. */
  constructor(stream: Stream, options: ResolvedPeerOptions, onClosed: () => void, wheel?: TimerWheel) {
    this.#stream = stream;
    this.#options = options;
    this.#closed = onClosed;
    this.#timer = new Timer(() => this.#judgeWrites(), wheel);
    stream.start(this);
    stream.pause();
  }

  get digest(): Digest {
    return this.#stream.digest;
  }

  writeHead(_header: RequestHeader, _bodyLength: number | undefined): void {
    if (this.#over) return;
    this.responseStarted = true;
    // Whoever gets the head may pause: a server that speaks first is not heard before the client has the head.
    this.#paused = false;
    this.handler.onResponseHead(new ResponseHeader(200), undefined, NO_OPTIONS);
    this.#readOn();
  }

  writeBody(buffer: Buffer, start: number, end: number): boolean {
    if (this.#over || end === start) return true;
    this.bodyBytesSent += end - start;
    const more = this.#stream.writeSlice(buffer, start, end, undefined);
    if (!more && !this.#timer.armed) this.#watch();
    return more;
  }

  end(_trailers?: HeaderMap): void {
    if (!this.#over) this.#stream.end();
  }

  flush(): void {}

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#readOn();
  }

  /** What was written last may still be on its way: the connection closes behind it. */
  release(): void {
    this.handler = NOBODY;
    if (this.#over || !this.#stream.writePending) {
      this.#close();
      return;
    }
    if (!this.#timer.armed) this.#watch();
    this.#stream.duplex.end(() => this.#close());
  }

  /** By a reset: an orderly end would look complete. */
  abort(): void {
    this.handler = NOBODY;
    this.#end();
    this.#stream.reset();
  }

  onRead(buffer: Buffer, length: number, lease: Lease | undefined): void {
    if (this.#paused) this.#held.push(Buffer.from(buffer.subarray(0, length)));
    else this.#deliver(buffer, length, lease);
  }

  onReadEnd(): void {
    this.#peerEnded = true;
    if (!this.#paused) this.#tellEnd();
  }

  onDrain(): void {
    this.#timer.clear();
    this.handler.onUpstreamDrain();
  }

  onClose(error: CirqueError | undefined): void {
    const { handler } = this;
    this.handler = NOBODY;
    if (this.#over) return;
    this.#end();
    handler.onUpstreamError(error ?? CirqueError.upstream('ConnectionClosed', 'the tunnel was closed'));
  }

  /** Delivers what is held, then reads. */
  #readOn(): void {
    while (this.#held.length > 0 && !this.#paused) {
      const piece = this.#held.shift() as Buffer;
      this.#deliver(piece, piece.length, undefined);
    }
    if (this.#paused || this.#over) return;
    if (this.#peerEnded) this.#tellEnd();
    else this.#stream.resume();
  }

  #tellEnd(): void {
    if (this.#endTold) return;
    this.#endTold = true;
    this.handler.onResponseEnd(undefined);
  }

  #deliver(buffer: Buffer, length: number, lease: Lease | undefined): void {
    this.bodyBytesReceived += length;
    this.handler.onResponseBody(buffer, 0, length, lease);
    this.handler.onUpstreamFlush();
  }

  #watch(): void {
    const ms = this.#writes.begin(this.#stream, this.#options.writeTimeoutMs, this.#options.minSendRate);
    if (ms > 0) this.#timer.set(ms);
  }

  #judgeWrites(): void {
    const verdict = this.#writes.judge(this.#stream);
    if (verdict === 'progress') this.#watch();
    else if (verdict === 'stalled')
      this.#stream.destroy(CirqueError.upstream('WriteTimedout', 'the upstream did not take what was sent in time'));
  }

  #close(): void {
    this.#end();
    this.#stream.destroy();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = [];
    this.#timer.close();
    this.#closed();
  }
}
