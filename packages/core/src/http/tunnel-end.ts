/**
 * The end of a tunnel that goes on for longer than the server has time: the other end is told that the client has ended, and
 * what it still says reaches the client; a second later the tunnel is cut.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';

/** For the last words of the other end, in milliseconds. */
const LAST_WORDS_MS = 1_000;

/** One per tunnel that has to end. */
export class TunnelEnd {
  readonly #timer: Timer;

  /** @param cut called once, unless {@link close} comes first. */
  constructor(cut: () => void, wheel: TimerWheel | undefined) {
    this.#timer = new Timer(cut, wheel);
    this.#timer.set(LAST_WORDS_MS);
  }

  /** The tunnel is over. */
  close(): void {
    this.#timer.close();
  }
}
