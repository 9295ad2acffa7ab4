/**
 * Waits for a stream that is being opened, but not for ever, and leaves no stream behind that comes too late.
 */
import { CirqueError } from '@cirque/error';
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { Stream } from '@cirque/transport';

/** What ends the waiting besides the stream. */
export interface OpeningBounds {
  /** 0: no deadline. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly wheel?: TimerWheel | undefined;
  /** Context of the errors. */
  readonly what: string;
}

/**
 * Whatever happens first decides: the opening, the deadline, or the signal. Timer and listener are gone then.
 *
 * @throws CirqueError, source Upstream: ConnectTimedout or, for the signal, ConnectError; else what the opening threw.
 */
export function boundOpening(opening: Promise<Stream>, bounds: OpeningBounds): Promise<Stream> {
  const { timeoutMs, signal, wheel, what } = bounds;
  return new Promise((resolve, reject) => {
    let open = true;
    const settle = (): boolean => {
      const first = open;
      open = false;
      timer.close();
      signal?.removeEventListener('abort', onAbort);
      return first;
    };
    const giveUp = (error: unknown): void => {
      if (settle()) reject(error);
    };
    const onAbort = (): void => giveUp(CirqueError.upstream('ConnectError', `${what} was cancelled`));
    const timer = new Timer(() => giveUp(CirqueError.upstream('ConnectTimedout', what)), wheel);
    opening.then((stream) => {
      if (settle()) resolve(stream);
      else stream.destroy();
    }, giveUp);
    if (timeoutMs > 0) timer.set(timeoutMs);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
  });
}
