/**
 * Carries the request body from the client to the upstream: replay for retries, filters, back-pressure, Expect. In a
 * tunnel it carries what the client sends.
 *
 * Made only for requests that have a body or a body filter, or ask for a tunnel.
 */
import type { ServerSession } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { forwardableTrailers, type HeaderMap, type RequestHeader, ResponseHeader } from '@cirque/http';
import type { ClientSession } from '@cirque/pool';
import { Timer, type TimerWheel } from '@cirque/timeout';
import { type BodyFilter, BodyFilters } from './body-filters.ts';
import { ReplayBuffer } from './replay-buffer.ts';

/** A client that waits for `100 Continue` is told to go on after this time, whatever the upstream does. */
const EXPECT_TIMEOUT_MS = 1_000;

/** What the relay needs of its exchange. */
export interface RelayOwner {
  readonly downstream: ServerSession;
  readonly hookTimeoutMs: number;
  readonly wheel: TimerWheel | undefined;
  /** A longer body is refused, 0: none is. */
  readonly maxRequestBodyBytes: number;
  /** The filters of the modules, bound; undefined when there are none. They see the body once, whatever is retried. */
  moduleBodyFilters(): readonly BodyFilter[] | undefined;
  /** The user's filter, bound; undefined when there is none. It belongs to an attempt. */
  requestBodyFilter(): BodyFilter | undefined;
  /** Everything of the client was given to the upstream. */
  requestSent(): void;
  /** The attempt failed by what happened here. */
  attemptFailed(error: unknown): void;
  /** The body cannot be had: a module has failed. */
  bodyFailed(error: unknown): void;
}

interface Collector {
  readonly maxBytes: number;
  readonly pieces: Buffer[];
  bytes: number;
  resolve(body: Buffer): void;
  reject(error: CirqueError): void;
}

/** See the file's head. */
export class RequestRelay {
  readonly #owner: RelayOwner;
  readonly #downstream: ServerSession;
  #replay = new ReplayBuffer();
  /** The modules, before anything is remembered or sent. */
  readonly #intake: BodyFilters | undefined;
  #upstream: ClientSession | undefined;
  #filters: BodyFilters | undefined;
  #collector: Collector | undefined;
  #expectTimer: Timer | undefined;
  /** The client has sent everything. */
  #received: boolean;
  #trailers: HeaderMap | undefined;
  /** Bytes of the body so far. */
  #bytes = 0;
  /** The connection is a tunnel. */
  #tunnel = false;
  /** Set for a request without a body whose filter may still make one: the head waits for it. */
  #waitingHead: RequestHeader | undefined;
  #made: Buffer[] = [];
  /** The upstream has enough until it says so. */
  #stalled = false;
  /** An attempt was begun. */
  #begun = false;
  /** The body outgrew what a phase wanted of it: its beginning is gone. */
  #outgrown: CirqueError | undefined;

  constructor(owner: RelayOwner) {
    this.#owner = owner;
    this.#downstream = owner.downstream;
    const modules = owner.moduleBodyFilters();
    this.#intake = modules === undefined ? undefined : this.#takeThrough(modules);
    this.#received = owner.downstream.bodyLength === 0 && modules === undefined;
  }

  /** The body so far can be sent again. */
  get replayable(): boolean {
    return !this.#replay.overflowed;
  }

  /** A phase reads the body before any attempt. */
  get collecting(): boolean {
    return this.#collector !== undefined;
  }

  /**
   * Begins an attempt: the head, what is known of the body, and from then on what comes.
   *
   * @throws CirqueError HTTPStatus 413 when the beginning of the body was given up.
   */
  send(upstream: ClientSession, head: RequestHeader): void {
    // Whatever a phase makes of the error, the rest alone would pass for the whole.
    if (this.#outgrown !== undefined) throw this.#outgrown;
    this.#upstream = upstream;
    this.#begun = true;
    this.#made = [];
    this.#stalled = false;
    this.#checkLength(this.#downstream.bodyLength ?? 0);
    const filter = this.#owner.requestBodyFilter();
    this.#filters = filter === undefined ? undefined : this.#filterWith(filter);
    if (this.#downstream.bodyLength === 0 && this.#downstream.tunnel !== undefined) {
      // Filters wait for what comes through the tunnel.
      upstream.writeHead(head, 0);
      return;
    }
    if (this.#downstream.bodyLength === 0) {
      this.#waitingHead = head;
      if (this.#received) this.#replayAll();
      else this.#intake?.finish();
      return;
    }
    if (this.#received) head.headers.delete('Expect');
    upstream.writeHead(head, this.#bodyLength(head));
    this.#replayAll();
    if (this.#received || this.#upstream !== upstream) return;
    this.#expectContinue();
    // The body was kept back while the phases ran.
    this.#readOn();
  }

  /** Sends what is there of the body already. */
  #replayAll(): void {
    const upstream = this.#upstream;
    const sent = this.#replay.bytes;
    if (sent.length > 0) this.#forward(sent, 0, sent.length);
    // Else the attempt has broken meanwhile, and what follows is the business of the next one, if not done already.
    if (this.#received && this.#upstream === upstream) this.#finish();
  }

  /** The attempt is over; what the client sends meanwhile stays with it. */
  detach(): void {
    this.#upstream = undefined;
    this.#filters?.stop();
    this.#filters = undefined;
    this.#expectTimer?.close();
  }

  /** The tunnel that the request has asked for is open: what the client sends from now on goes upstream as it is. */
  openTunnel(): void {
    this.#tunnel = true;
    this.#received = false;
    this.#replay = new ReplayBuffer();
    this.#trailers = undefined;
  }

  /** The request has asked for a tunnel and was answered otherwise. */
  noTunnel(): void {
    if (this.#downstream.bodyLength !== 0) return;
    // The filters are owed an end, and nothing that they make of it can be sent.
    this.#upstream = undefined;
    this.#filters?.finish();
  }

  /** The upstream said `100 Continue`, or something final. */
  answered(): void {
    this.#expectTimer?.close();
  }

  onBody(buffer: Buffer, start: number, end: number): void {
    if (this.#intake !== undefined && !this.#tunnel) this.#intake.push(buffer, start, end);
    else this.#accept(buffer, start, end);
  }

  onEnd(trailers: HeaderMap | undefined): void {
    this.#trailers = forwardableTrailers(trailers);
    if (this.#intake !== undefined && !this.#tunnel) this.#intake.finish();
    else this.#acceptEnd();
  }

  /** A piece of the body, as it is remembered and sent. */
  #accept(buffer: Buffer, start: number, end: number): void {
    if (this.#collector !== undefined) {
      this.#collect(this.#collector, buffer, start, end);
      return;
    }
    this.#expectTimer?.close();
    if (!this.#tunnel && !this.#admit(end - start)) return;
    if (!this.#tunnel) this.#replay.record(buffer, start, end);
    this.#forward(buffer, start, end);
  }

  #acceptEnd(): void {
    this.#received = true;
    const collector = this.#collector;
    if (collector !== undefined) {
      this.#collector = undefined;
      const body = Buffer.concat(collector.pieces, collector.bytes);
      this.#replay = ReplayBuffer.holding(body);
      collector.resolve(body);
      // Nobody has waited for it, so the attempt is under way.
      if (this.#upstream !== undefined) this.#replayAll();
    } else {
      this.#finish();
    }
  }

  onFlush(): void {
    this.#upstream?.flush();
  }

  onUpstreamDrain(): void {
    this.#stalled = false;
    this.#readOn();
  }

  /** Reads the whole body before any attempt. */
  collect(maxBytes: number): Promise<Buffer> {
    if (this.#begun) return Promise.reject(tooLate());
    if (this.#received) return Promise.resolve(this.#replay.bytes);
    if ((this.#downstream.bodyLength ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    this.#collector = { maxBytes, pieces: [], bytes: 0, resolve, reject };
    if (this.#downstream.expectContinue) this.#downstream.writeHead(new ResponseHeader(100), false);
    this.#downstream.resume();
    return promise;
  }

  /** The request failed while the body was being collected. */
  failed(error: CirqueError): void {
    this.detach();
    this.#intake?.stop();
    this.#collector?.reject(error);
    this.#collector = undefined;
  }

  /** The request was answered; who still waits for its body waits in vain. */
  over(): void {
    this.detach();
    this.#collector?.reject(
      CirqueError.internal('InternalError', 'the request is over: its body is not read any more'),
    );
    this.#collector = undefined;
  }

  /** Counts bytes of the body; false when that are too many. */
  #admit(bytes: number): boolean {
    this.#bytes += bytes;
    try {
      this.#checkLength(this.#bytes);
      return true;
    } catch (error) {
      this.#downstream.pause();
      this.#outgrown = error as CirqueError;
      if (this.#upstream !== undefined) this.#owner.attemptFailed(error);
      return false;
    }
  }

  /** @throws CirqueError HTTPStatus 413 */
  #checkLength(bytes: number): void {
    const max = this.#owner.maxRequestBodyBytes;
    if (max > 0 && bytes > max) throw tooLarge(max);
  }

  #collect(collector: Collector, buffer: Buffer, start: number, end: number): void {
    collector.bytes += end - start;
    if (collector.bytes <= collector.maxBytes) {
      collector.pieces.push(Buffer.from(buffer.subarray(start, end)));
      return;
    }
    this.#downstream.pause();
    this.#collector = undefined;
    const error = tooLarge(collector.maxBytes);
    this.#outgrown = error;
    collector.reject(error);
    if (this.#upstream !== undefined) this.#owner.attemptFailed(error);
  }

  /** Asks the client for more, unless a filter or the upstream has enough for now. */
  #readOn(): void {
    if (this.#filters?.pending !== true && this.#intake?.pending !== true && !this.#stalled) this.#downstream.resume();
  }

  #forward(buffer: Buffer, start: number, end: number): void {
    if (this.#filters !== undefined) this.#filters.push(buffer, start, end);
    else this.#write(buffer, start, end);
  }

  #write(buffer: Buffer, start: number, end: number): boolean {
    const upstream = this.#upstream;
    if (upstream === undefined) return true;
    if (this.#waitingHead !== undefined) {
      this.#made.push(buffer.subarray(start, end));
      return true;
    }
    try {
      if (upstream.writeBody(buffer, start, end)) return true;
      this.#stalled = true;
      this.#downstream.pause();
    } catch (error) {
      this.#owner.attemptFailed(error);
    }
    return false;
  }

  #finish(): void {
    if (this.#filters !== undefined) this.#filters.finish();
    else this.#end();
  }

  #end(): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    try {
      if (this.#waitingHead !== undefined) this.#sendWaiting(upstream, this.#waitingHead);
      else upstream.end(this.#trailers);
    } catch (error) {
      this.#owner.attemptFailed(error);
      return;
    }
    this.#owner.requestSent();
  }

  /** A request that came without a body, with what its filter made. */
  #sendWaiting(upstream: ClientSession, head: RequestHeader): void {
    this.#waitingHead = undefined;
    const body = Buffer.concat(this.#made);
    upstream.writeHead(head, body.length);
    if (body.length === 0) return;
    upstream.writeBody(body, 0, body.length);
    upstream.end();
  }

  /** A removed Content-Length means that a filter changes the length: chunked then. */
  #bodyLength(head: RequestHeader): number | undefined {
    return head.headers.contentLength >= 0 ? this.#downstream.bodyLength : undefined;
  }

  #expectContinue(): void {
    if (!this.#downstream.expectContinue) return;
    this.#expectTimer ??= new Timer(() => {
      if (!this.#downstream.responseStarted) this.#downstream.writeHead(new ResponseHeader(100), false);
    }, this.#owner.wheel);
    this.#upstream?.flush();
    this.#expectTimer.set(EXPECT_TIMEOUT_MS);
  }

  #takeThrough(modules: readonly BodyFilter[]): BodyFilters {
    const ends = {
      pauseSource: () => this.#downstream.pause(),
      resumeSource: () => {
        if (this.#upstream !== undefined || this.#collector !== undefined) this.#readOn();
      },
      write: (body: Buffer) => {
        this.#accept(body, 0, body.length);
        return !this.#stalled && this.#filters?.pending !== true;
      },
      end: () => this.#acceptEnd(),
      fail: (error: unknown) => this.#owner.bodyFailed(error),
    };
    return new BodyFilters(modules, ends, this.#owner.hookTimeoutMs, this.#owner.wheel);
  }

  #filterWith(filter: BodyFilter): BodyFilters {
    const ends = {
      pauseSource: () => this.#downstream.pause(),
      resumeSource: () => this.#readOn(),
      write: (body: Buffer) => this.#write(body, 0, body.length),
      end: () => this.#end(),
      fail: (error: unknown) => this.#owner.attemptFailed(error),
    };
    return new BodyFilters([filter], ends, this.#owner.hookTimeoutMs, this.#owner.wheel);
  }
}

function tooLate(): CirqueError {
  return CirqueError.internal('InternalError', 'readBody must be called before the request is sent upstream');
}

function tooLarge(maxBytes: number): CirqueError {
  return CirqueError.http(413, `the request body is larger than ${maxBytes} bytes`, { source: 'Downstream' });
}
