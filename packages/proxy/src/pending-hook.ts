/**
 * One awaited answer of user code, bounded in time. Whatever comes after its end is ignored.
 */
import { CirqueError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';

/** See the file's head. */
export class PendingHook {
  readonly #timer: Timer;
  #open = true;

  /**
   * @param name of the phase, for the error.
   * @param timeoutMs 0 waits for ever.
   */
  constructor(
    name: string,
    answer: PromiseLike<unknown>,
    timeoutMs: number,
    wheel: TimerWheel | undefined,
    onValue: (value: unknown) => void,
    onError: (error: unknown) => void,
    /** Gets a value that came after the end: it may own something. */
    onLate?: (value: unknown) => void,
  ) {
    const settle = (then: () => void): void => {
      if (!this.#open) return;
      this.cancel();
      then();
    };
    this.#timer = new Timer(() => settle(() => onError(tooSlow(name, timeoutMs))), wheel);
    if (timeoutMs > 0) this.#timer.set(timeoutMs);
    // A promise of another kind may settle at once: then its answer comes before this object is known to anybody.
    Promise.resolve(answer).then(
      (value) => {
        if (!this.#open) {
          onLate?.(value);
          return;
        }
        try {
          settle(() => onValue(value));
        } catch (error) {
          // Whatever fails because of the answer is an error of this request, and no unhandled rejection.
          onError(error);
        }
      },
      (error: unknown) => settle(() => onError(error)),
    );
  }

  /** Ignores the answer. */
  cancel(): void {
    this.#open = false;
    this.#timer.close();
  }
}

function tooSlow(name: string, timeoutMs: number): CirqueError {
  return CirqueError.internal('InternalError', `${name} did not settle within hookTimeoutMs (${timeoutMs})`);
}
