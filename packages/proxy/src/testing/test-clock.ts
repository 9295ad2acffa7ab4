/**
 * Time that a test moves by hand, and the timer wheel that runs on it.
 *
 * It also knows when the connections in memory have gone quiet, so that time only passes when nothing else would happen.
 */
import { type Clock, Timer, TimerWheel } from '@cirque/timeout';

/** Turns of the event loop without traffic after which nothing more is expected to happen by itself. */
const QUIET_TURNS = 5;

/** The time of a proxy under test. */
export class TestClock implements Clock {
  /** Runs on this clock. @internal */
  readonly wheel: TimerWheel;
  #now = 0;
  #wake: { readonly at: number; readonly run: () => void } | undefined;
  #traffic = 0;

  constructor() {
    this.wheel = new TimerWheel({ clock: this, tickMs: 1, schedule: (run, delayMs) => this.#schedule(run, delayMs) });
  }

  /** Milliseconds since this clock was made, as far as the test has moved it. */
  now(): number {
    return this.#now;
  }

  /**
   * Moves time: every deadline on the way expires at its moment, in order, and what follows from it happens before the
   * next one. Before and after, everything under way comes to rest, see {@link settle}.
   *
   * @throws RangeError unless `ms` is a finite number of at least 0.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`a clock is advanced by a finite number of milliseconds from 0, got ${String(ms)}`);
    }
    const target = this.#now + ms;
    await this.settle();
    for (let wake = this.#wake; wake !== undefined && wake.at <= target; wake = this.#wake) {
      this.#now = Math.max(this.#now, wake.at);
      this.#wake = undefined;
      wake.run();
      await this.settle();
    }
    this.#now = target;
  }

  /**
   * Resolves when the connections in memory have been quiet for some turns of the event loop: everything that can
   * happen without time passing has happened. Phases that wait for real timers or real I/O are not waited for.
   */
  async settle(): Promise<void> {
    let seen = this.#traffic;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      await turn();
      if (this.#traffic === seen) continue;
      seen = this.#traffic;
      quiet = -1;
    }
  }

  /** Resolves after that much time of this clock. */
  sleep(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => new Timer(resolve, this.wheel).set(ms));
  }

  /** @internal Something travelled between the ends of a connection. */
  readonly noteTraffic = (): void => {
    this.#traffic += 1;
  };

  #schedule(run: () => void, delayMs: number): () => void {
    const wake = { at: this.#now + delayMs, run };
    this.#wake = wake;
    return () => {
      if (this.#wake === wake) this.#wake = undefined;
    };
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
