/**
 * One awaited answer of a phase, bounded in time. What comes after the bound is ignored.
 */
import { CirqueError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';

/** What becomes of the answer: one of the two is called, once. */
export interface PhaseWaiter {
  readonly onAnswer: (value: unknown) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Waits for the answer of a phase.
 *
 * @param timeoutMs 0 waits for ever.
 */
export function awaitPhase(
  name: string,
  answer: PromiseLike<unknown>,
  timeoutMs: number,
  wheel: TimerWheel | undefined,
  waiter: PhaseWaiter,
): void {
  let open = true;
  const settle = (then: (value: unknown) => void, value: unknown): void => {
    if (!open) return;
    open = false;
    timer?.close();
    then(value);
  };
  const tooLate = (): void => settle(waiter.onError, tooSlow(name, timeoutMs));
  const timer = timeoutMs > 0 ? new Timer(tooLate, wheel) : undefined;
  timer?.set(timeoutMs);
  Promise.resolve(answer).then(
    (value) => settle(waiter.onAnswer, value),
    (error: unknown) => settle(waiter.onError, error),
  );
}

function tooSlow(name: string, timeoutMs: number): CirqueError {
  return CirqueError.internal('InternalError', `${name} did not settle within hookTimeoutMs (${timeoutMs})`);
}
