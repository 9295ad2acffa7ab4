/**
 * A clock that says the same in all threads of a process, which `performance.now()` does not: it begins with each thread.
 */

/** Tells the time in milliseconds since some fixed moment, the same for all who share counters; never goes back. */
export interface Clock {
  now(): number;
}

const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** The system's monotonic clock. Threads differ by some microseconds at most. */
export const sharedClock: Clock = { now: () => performance.now() + offsetMs };
