/**
 * Ends a TLS connection as its protocol wants it, so that a check is no failed handshake in the log of the backend.
 *
 * In TLS 1.3 a client is done before the server is; closed at that moment, the server has never had a connection.
 */
import type { Duplex } from 'node:stream';
import { Timer, type TimerWheel } from '@cirque/timeout';

/** When to give up waiting for the other side's goodbye. */
export interface GoodbyeBounds {
  readonly timeoutMs: number;
  readonly wheel: TimerWheel;
  readonly signal?: AbortSignal | undefined;
}

/** Resolves when the connection is closed: by both sides in order, or by us when the time is over. */
export function sayGoodbye(connection: Duplex, { timeoutMs, wheel, signal }: GoodbyeBounds): Promise<void> {
  return new Promise((resolve) => {
    const cut = (): void => void connection.destroy();
    const timer = new Timer(cut, wheel);
    signal?.addEventListener('abort', cut);
    connection.once('close', () => {
      timer.close();
      signal?.removeEventListener('abort', cut);
      resolve();
    });
    timer.set(timeoutMs);
    connection.resume().end();
    if (signal?.aborted === true) cut();
  });
}
