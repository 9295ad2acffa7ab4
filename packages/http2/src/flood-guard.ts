/**
 * Counts what a peer costs without asking for anything: control frames and streams that come to nothing.
 */
import type { Http2Limits } from './limits.ts';

const INTERVAL_MS = 10_000;
/** Control frames that a head or a DATA frame justifies: window updates of both kinds, a priority, a ping. */
const JUSTIFIED = 4;
/** And one more for so many bytes: Go's client announces room in steps of 4 KiB, twice. */
const BYTES_JUSTIFYING = 512;

/** Events of a kind within an interval. */
class Rate {
  #events = 0;
  #since = 0;

  /** True when this one is too many. The clock is read for the first of an interval and the first too many only. */
  exceeds(limit: number, now: () => number): boolean {
    if (this.#events === 0) this.#since = now();
    this.#events += 1;
    if (this.#events <= limit) return false;
    const time = now();
    if (time - this.#since < INTERVAL_MS) return true;
    this.#since = time;
    this.#events = 1;
    return false;
  }

  forgive(events: number): void {
    this.#events = this.#events > events ? this.#events - events : 0;
  }
}

/** One per connection. */
export class FloodGuard {
  readonly #limits: Http2Limits;
  readonly #now: () => number;
  readonly #controls = new Rate();
  readonly #resets = new Rate();

  constructor(limits: Http2Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** A head, or a DATA frame of that many bytes, went in either direction. */
  work(bytes: number): void {
    this.#controls.forgive(JUSTIFIED + Math.floor(bytes / BYTES_JUSTIFYING));
  }

  /** A frame that serves only the protocol. True: too many. */
  control(): boolean {
    return this.#controls.exceeds(this.#limits.maxControlFramesPerInterval, this.#now);
  }

  /** A stream came to nothing by the peer's doing. True: too many. */
  reset(): boolean {
    return this.#resets.exceeds(this.#limits.maxResetsPerInterval, this.#now);
  }
}
