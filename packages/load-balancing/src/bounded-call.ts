/**
 * Calls asynchronous code of users so that the call ends in any case: by its result, at a deadline, or when told to.
 *
 * Used for health checks and discoveries. What ends the call early also aborts the signal the code was given; what the
 * code does after that is its own affair and is not waited for.
 */
import { Timer, type TimerWheel } from '@cirque/timeout';

/** What ends a call that does not end by itself. */
export interface Bounds {
  readonly timeoutMs: number;
  readonly wheel: TimerWheel;
  /** Aborting it ends the call at once, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Makes the error for the deadline. */
  onTimeout(): Error;
}

/**
 * The result of `run`, or a rejection: what it threw or rejected with, the deadline's error, the signal's reason.
 * No timer and no listener is left behind.
 */
export function boundedCall<T>(run: (signal: AbortSignal) => T | PromiseLike<T>, bounds: Bounds): Promise<T> {
  const { signal, timeoutMs, wheel } = bounds;
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const cutOff = (error: unknown): void => {
      finish();
      reject(error);
      controller.abort(error);
    };
    const onAbort = (): void => cutOff(signal?.reason);
    const timer = new Timer(() => cutOff(bounds.onTimeout()), wheel);
    const finish = (): void => {
      timer.close();
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal?.aborted) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort);
    timer.set(timeoutMs);
    // An async function turns what `run` throws at once into a rejection.
    (async () => run(controller.signal))().then(
      (value) => {
        finish();
        resolve(value);
      },
      (error: unknown) => {
        finish();
        reject(error);
      },
    );
  });
}
