/**
 * Asks a silent client whether it is still there (RFC 9113 section 6.7). Made only when `pingIntervalMs` is set.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';

/** What the watch is told. */
export interface PingWatchOptions {
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
}

/** What it does. */
export interface PingWatchOwner {
  sendPing(): void;
  /** Nothing came within `pingTimeoutMs` after a ping. */
  pingTimedOut(): void;
}

/** One per connection. Bytes of any kind are a sign of life, so that a busy connection sends no pings. */
export class PingWatch {
  readonly #owner: PingWatchOwner;
  readonly #options: PingWatchOptions;
  readonly #timer: Timer;
  #heard = true;
  #asked = false;

  constructor(owner: PingWatchOwner, options: PingWatchOptions, wheel: TimerWheel | undefined) {
    this.#owner = owner;
    this.#options = options;
    this.#timer = new Timer(() => this.#expired(), wheel);
    this.#timer.set(options.pingIntervalMs);
  }

  /** Bytes came. */
  heard(): void {
    this.#heard = true;
  }

  close(): void {
    this.#timer.close();
  }

  #expired(): void {
    const { pingIntervalMs, pingTimeoutMs } = this.#options;
    if (this.#heard) {
      this.#heard = false;
      this.#asked = false;
      this.#timer.set(pingIntervalMs);
    } else if (this.#asked) {
      this.#owner.pingTimedOut();
    } else {
      this.#asked = true;
      this.#timer.set(pingTimeoutMs);
      this.#owner.sendPing();
    }
  }
}
