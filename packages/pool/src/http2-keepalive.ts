/**
 * Asks with PING whether the other side of an HTTP/2 connection is still there.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';

/** What a keep-alive needs of its connection. */
export interface Pinged {
  /** Sends a PING now. */
  sendPing(payload: bigint): void;
  /** Nothing has come for the whole timeout, the answer least of all. */
  pingTimedOut(): void;
}

/** The first PING goes out after one interval, then one after each. */
export class Http2Keepalive {
  readonly #connection: Pinged;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #timer: Timer;
  #payload = 0n;
  #waiting = false;
  /** Bytes have come since the PING: the answer may only be stuck behind them. */
  #heard = false;

  /** @param intervalMs 0: no PING is ever sent. */
  constructor(connection: Pinged, intervalMs: number, timeoutMs: number, wheel?: TimerWheel) {
    this.#connection = connection;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    this.#timer = new Timer(() => this.#expired(), wheel);
    if (intervalMs > 0) this.#timer.set(intervalMs);
  }

  /** Bytes have come. */
  heard(): void {
    this.#heard = true;
  }

  answered(payload: bigint): void {
    if (!this.#waiting || payload !== this.#payload) return;
    this.#waiting = false;
    this.#timer.set(this.#intervalMs);
  }

  close(): void {
    this.#timer.close();
  }

  #expired(): void {
    if (this.#waiting && !this.#heard) {
      this.#connection.pingTimedOut();
      return;
    }
    this.#heard = false;
    this.#timer.set(this.#timeoutMs);
    if (this.#waiting) return;
    this.#waiting = true;
    this.#payload += 1n;
    this.#connection.sendPing(this.#payload);
  }
}
