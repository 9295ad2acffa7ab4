/**
 * Watches that a client takes what is written to its socket; made when one first does not.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';
import { type Stream, WriteProgress } from '@cirque/transport';

/** What the watch is told. */
export interface WriteWatchOptions {
  readonly writeTimeoutMs: number;
  readonly minSendRate: number;
}

/** One per connection. */
export class WriteWatch {
  readonly #stream: Stream;
  readonly #options: WriteWatchOptions;
  readonly #stalled: () => void;
  readonly #wheel: TimerWheel | undefined;
  readonly #progress = new WriteProgress();
  #timer: Timer | undefined;

  /** `stalled` is called when the client has taken too little for too long. */
  constructor(stream: Stream, options: WriteWatchOptions, stalled: () => void, wheel: TimerWheel | undefined) {
    this.#stream = stream;
    this.#options = options;
    this.#stalled = stalled;
    this.#wheel = wheel;
  }

  /** Call after writing: begins to watch when the socket has enough. */
  wrote(): void {
    if (!this.#stream.duplex.writableNeedDrain || this.#timer?.armed === true) return;
    this.#timer ??= new Timer(() => this.#expired(), this.#wheel);
    this.#arm(this.#timer);
  }

  /** The client took everything. */
  drained(): void {
    this.#timer?.clear();
  }

  close(): void {
    this.#timer?.close();
  }

  #arm(timer: Timer): void {
    const { writeTimeoutMs, minSendRate } = this.#options;
    const ms = this.#progress.begin(this.#stream, writeTimeoutMs, minSendRate);
    if (ms > 0) timer.set(ms);
  }

  #expired(): void {
    const verdict = this.#progress.judge(this.#stream);
    if (verdict === 'stalled') this.#stalled();
    else if (verdict === 'progress') this.wrote();
  }
}
