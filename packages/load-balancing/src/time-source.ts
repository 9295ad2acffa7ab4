/**
 * The clock and the timers of the background work, as one thing, so that tests replace both together.
 */
import { type Clock, defaultWheel, systemClock, type TimerWheel } from '@cirque/timeout';

/** A clock and a wheel that runs by it. */
export interface TimeSource {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
}

/** Real time. Its timers do not keep the process alive. */
export const realTime: TimeSource = { clock: systemClock, wheel: defaultWheel };
