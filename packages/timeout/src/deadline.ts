/**
 * Promises with an end: a deadline around somebody else's promise, and a pause.
 *
 * For code that awaits anyway (start-up, health checks, background tasks). Paths that run per request arm a `Timer`.
 */
import { Timer } from './timer.ts';
import { defaultWheel, type TimerWheel } from './timer-wheel.ts';

/**
 * The result of `promise`, or a rejection with `onTimeout()` if it takes longer than `ms`.
 *
 * No timer is left behind once `promise` has settled. What it does after the deadline is ignored, rejections included;
 * to stop the work behind it, do so in `onTimeout`. Rejects with RangeError when `ms` is not a finite number from 0.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  onTimeout: () => Error,
  wheel: TimerWheel = defaultWheel,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = new Timer(() => {
      try {
        reject(onTimeout());
      } catch (error) {
        reject(error);
      }
    }, wheel);
    promise.then(
      (value) => {
        timer.close();
        resolve(value);
      },
      (error: unknown) => {
        timer.close();
        reject(error);
      },
    );
    timer.set(ms);
  });
}

/** What `sleep` can be given besides its length. */
export interface SleepOptions {
  /** Ends the pause at once: the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Default: the wheel of this thread. */
  wheel?: TimerWheel | undefined;
}

/**
 * Resolves after `ms`, with the coarseness of the wheel. Does not keep the process alive: something else has to.
 *
 * Rejects with `signal.reason` as soon as the signal aborts, and leaves neither timer nor listener behind. Rejects with
 * RangeError when `ms` is not a finite number from 0.
 */
export function sleep(ms: number, options: SleepOptions = {}): Promise<void> {
  const { signal, wheel } = options;
  return new Promise<void>((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = new Timer(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, wheel);
    const onAbort = (): void => {
      timer.close();
      reject(signal?.reason);
    };
    timer.set(ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
