/**
 * The deadlines of one HTTP/2 stream: a request body that does not come, a response that its client does not take.
 *
 * At most one runs at a time; while the client makes no room for the response, nobody can blame it for its body. A timer is
 * made only for streams that need one.
 */
import type { Http2Stream } from '@cirque/http2';
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { ResolvedHttpServerOptions } from './http-server-options.ts';
import { SendProgress } from './send-progress.ts';

/** What is known of the connection. */
export interface DeadlineFacts {
  readonly options: ResolvedHttpServerOptions;
  readonly wheel: TimerWheel | undefined;
  /** The client takes nothing from the socket at the moment, whatever the windows of its streams say. */
  readonly blocked: boolean;
}

/** The request that is watched. */
export interface WatchedRequest {
  /** Some of the request body is still to come, and wanted. */
  readonly bodyDue: boolean;
  /** Its owner has told the client to wait. */
  readonly paused: boolean;
  readonly bodyBytesSent: number;
  bodyTimedOut(): void;
  writeTimedOut(): void;
}

/** One per request. */
export class StreamDeadlines {
  readonly #connection: DeadlineFacts;
  readonly #stream: Http2Stream;
  readonly #request: WatchedRequest;
  #timer: Timer | undefined = undefined;
  #runs: 'nothing' | 'body' | 'write' = 'nothing';
  #progress: SendProgress | undefined = undefined;

  constructor(connection: DeadlineFacts, stream: Http2Stream, request: WatchedRequest) {
    this.#connection = connection;
    this.#stream = stream;
    this.#request = request;
  }

  /** Some of the body came, or will. */
  watchBody(): void {
    if (this.#runs === 'write') return;
    if (this.#request.bodyDue) this.#arm('body', this.#connection.options.readTimeoutMs);
    else this.stop();
  }

  /** Until the client has taken what is queued. */
  watchWrites(): void {
    const { bytesQueued } = this.#stream;
    if (bytesQueued === 0 || this.#runs === 'write') return;
    const { writeTimeoutMs, minSendRate } = this.#connection.options;
    this.#progress ??= new SendProgress();
    const taken = this.#request.bodyBytesSent - bytesQueued;
    this.#arm('write', this.#progress.begin(taken, bytesQueued, writeTimeoutMs, minSendRate));
  }

  /** The client has made room: a body that is still due is watched again. */
  drained(): void {
    if (this.#runs === 'write') this.#written();
  }

  stop(): void {
    this.#runs = 'nothing';
    this.#timer?.clear();
  }

  /** As stop, for good. */
  close(): void {
    this.#runs = 'nothing';
    this.#timer?.close();
  }

  #written(): void {
    this.stop();
    this.watchBody();
  }

  #arm(what: 'body' | 'write', ms: number): void {
    this.#runs = what;
    if (ms === 0) {
      this.#timer?.clear();
      return;
    }
    this.#timer ??= new Timer(() => this.#expired(), this.#connection.wheel);
    this.#timer.set(ms);
  }

  #expired(): void {
    const what = this.#runs;
    this.#runs = 'nothing';
    if (what === 'body') this.#bodyExpired();
    else if (what === 'write') this.#writeExpired();
  }

  #bodyExpired(): void {
    // Somebody told the client to wait: it is not the client that is slow.
    if (this.#request.paused) this.watchBody();
    else this.#request.bodyTimedOut();
  }

  #writeExpired(): void {
    const { bytesQueued } = this.#stream;
    const verdict = this.#progress?.judge(this.#request.bodyBytesSent - bytesQueued, bytesQueued);
    if (verdict === 'done') this.#written();
    // While the socket takes nothing no stream can: the connection watches that.
    else if (verdict === 'progress' || this.#connection.blocked) this.watchWrites();
    else this.#request.writeTimedOut();
  }
}
