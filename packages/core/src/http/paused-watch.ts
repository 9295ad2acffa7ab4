/**
 * Looks whether a client has gone while nothing is read from it, which is when the system tells nobody.
 *
 * Only a reset can be seen. A client that has sent its end, or one that has vanished, is found when reading goes on, or by
 * the deadline of what is written to it.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';

/** Between two looks, in milliseconds; one costs a system call. */
const INTERVAL_MS = 1_000;

/** One per connection that was paused with its buffers full. */
export class PausedWatch {
  readonly #stream: Stream;
  readonly #timer: Timer;

  /** @param gone called once: the client has reset the connection. */
  constructor(stream: Stream, gone: () => void, wheel: TimerWheel | undefined) {
    this.#stream = stream;
    this.#timer = new Timer(() => {
      if (this.#stream.wasReset) gone();
      else this.begin();
    }, wheel);
  }

  /** Reading was paused. */
  begin(): void {
    this.#timer.set(INTERVAL_MS);
  }

  /** Reading goes on, or the connection is over. */
  end(): void {
    this.#timer.close();
  }
}
