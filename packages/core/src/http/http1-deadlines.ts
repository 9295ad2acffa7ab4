/**
 * The deadlines of an HTTP/1 connection: at most one runs at a time. What follows from one is its owner's business.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';
import { type Stream, WriteProgress } from '@cirque/transport';
import { drainLingerMs } from './drain-linger.ts';
import type { ResolvedHttpServerOptions } from './http-server-options.ts';

/** What the timer is armed for. `first-byte`: a new connection says nothing. `closed`: for nothing any more. */
export type Http1Deadline = 'none' | 'first-byte' | 'head' | 'idle' | 'body' | 'write' | 'closed';

/** Who is told that the time is up. */
export interface Http1DeadlineOwner {
  /** Some of the request body is still to come. */
  readonly bodyDue: boolean;
  headTimedOut(): void;
  bodyTimedOut(): void;
  /** The client takes nothing, or too little, of what is written. */
  writeTimedOut(): void;
  /** No request came, and nothing is on its way to the client. */
  idleTimedOut(): void;
}

/** One per connection. */
export class Http1Deadlines {
  /** What runs. */
  current: Http1Deadline = 'none';
  readonly #stream: Stream;
  readonly #options: ResolvedHttpServerOptions;
  readonly #owner: Http1DeadlineOwner;
  readonly #timer: Timer;
  readonly #writes: WriteProgress = new WriteProgress();

  constructor(
    stream: Stream,
    options: ResolvedHttpServerOptions,
    owner: Http1DeadlineOwner,
    wheel: TimerWheel | undefined,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#owner = owner;
    this.#timer = new Timer(() => this.#expired(), wheel);
  }

  /** `first-byte` of a new connection, or all of a `head` that has begun. */
  armHead(what: 'first-byte' | 'head'): void {
    this.#arm(what, this.#options.headTimeoutMs);
  }

  armBody(): void {
    this.#arm('body', this.#options.readTimeoutMs);
  }

  /** Until the next request. @param draining the server stops. */
  armIdle(draining: boolean): void {
    const { idleTimeoutMs } = this.#options;
    this.#arm('idle', draining ? drainLingerMs(idleTimeoutMs) : idleTimeoutMs);
  }

  /** After a write: until the client has taken what the socket has too much of. */
  watchWrites(): void {
    if (this.current !== 'write' && this.#stream.duplex.writableNeedDrain) this.#armWrite();
  }

  /** The client has taken what was written: a body that is still due is watched again. */
  drained(): void {
    if (this.current === 'write') this.#written();
  }

  /** A request begins: how its response is taken has nothing to do with the last one. */
  forgetWrites(): void {
    this.#writes.forget();
  }

  stop(): void {
    if (this.current === 'closed') return;
    this.current = 'none';
    this.#timer.clear();
  }

  /** As stop, for good. */
  close(): void {
    this.current = 'closed';
    this.#timer.close();
  }

  #armWrite(): void {
    const { writeTimeoutMs, minSendRate } = this.#options;
    this.#arm('write', this.#writes.begin(this.#stream, writeTimeoutMs, minSendRate));
  }

  #arm(what: Http1Deadline, ms: number): void {
    if (this.current === 'closed') return;
    this.current = what;
    if (ms > 0) this.#timer.set(ms);
    else this.#timer.clear();
  }

  #expired(): void {
    const what = this.current;
    this.current = 'none';
    if (what === 'head') this.#owner.headTimedOut();
    else if (what === 'body') this.#owner.bodyTimedOut();
    else if (what === 'write') this.#writeExpired();
    // The last response may still be on its way to a slow client.
    else if (what === 'idle' && this.#writes.judge(this.#stream) === 'progress') this.#armWriteOfLast();
    else this.#owner.idleTimedOut();
  }

  #writeExpired(): void {
    const verdict = this.#writes.judge(this.#stream);
    if (verdict === 'done') this.#written();
    else if (verdict === 'progress') this.#armWrite();
    else this.#owner.writeTimedOut();
  }

  #written(): void {
    this.stop();
    if (this.#owner.bodyDue) this.armBody();
  }

  /** Nobody waits for more than the last response to be taken; without progress no longer. */
  #armWriteOfLast(): void {
    const { writeTimeoutMs, idleTimeoutMs } = this.#options;
    this.#arm('idle', writeTimeoutMs > 0 ? writeTimeoutMs : drainLingerMs(idleTimeoutMs));
  }
}
