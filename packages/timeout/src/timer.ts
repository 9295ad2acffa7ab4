/**
 * A timer that its owner makes once and arms again and again, say one per connection.
 *
 * A handle on an entry of a wheel; all arithmetic is in timer-wheel.ts.
 */
import { createEntry, defaultWheel, type TimerWheel, type WheelEntry } from './timer-wheel.ts';

/**
 * Calls `onExpire` once the delay has passed: never early, at most about one tick of the wheel (20 ms) late.
 *
 * Cheap enough to be set for every request: nothing is allocated, and setting an armed timer to a later deadline
 * only stores a number. An armed timer is held by its wheel, and does not keep the process alive.
 */
export class Timer {
  readonly #entry: WheelEntry;
  readonly #wheel: TimerWheel;
  readonly #onExpire: () => void;

  /** `onExpire` runs with the timer no longer armed, so it may set it again. */
  constructor(onExpire: () => void, wheel: TimerWheel = defaultWheel) {
    this.#entry = createEntry();
    this.#wheel = wheel;
    this.#onExpire = onExpire;
  }

  /**
   * Arms the timer to expire `delayMs` from now; an earlier deadline is forgotten. Delays of days are fine.
   * Throws RangeError for a delay that is not a finite number of at least 0.
   */
  set(delayMs: number): void {
    this.#wheel.arm(this.#entry, this.#onExpire, delayMs);
  }

  /**
   * Disarms the timer; it can be set again. Nothing holds the timer or its callback afterwards, only a list node of
   * its own stays with the wheel for a while (at most 4,096 ticks, 82 s), which makes the next `set` cheap.
   */
  clear(): void {
    this.#wheel.disarm(this.#entry);
  }

  /** As `clear`, and takes that node out at once; for owners that go away. The timer may still be set again. */
  close(): void {
    this.#wheel.remove(this.#entry);
  }

  /** True from `set` until it expires or is cleared. */
  get armed(): boolean {
    return this.#entry.expire !== undefined;
  }

  /** Milliseconds until the deadline; 0 when that has passed or the timer is not armed. */
  get remainingMs(): number {
    return this.#wheel.remainingMs(this.#entry);
  }
}
