/**
 * Translates operating system signals into requests to stop. SIGTERM: graceful. SIGINT: fast. Either of them, while a
 * graceful stop goes on: fast.
 */
import type { StopKind } from './stop-request.ts';

/** The part of `process` that signals come from. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** Calls `request` for each signal until the returned function is called. */
export function watchSignals(
  request: (kind: StopKind, signal: string) => void,
  source: SignalSource = process,
): () => void {
  let stopping = false;
  const onTerm = (): void => {
    request(stopping ? 'fast' : 'graceful', 'SIGTERM');
    stopping = true;
  };
  const onInt = (): void => {
    stopping = true;
    request('fast', 'SIGINT');
  };
  source.on('SIGTERM', onTerm);
  source.on('SIGINT', onInt);
  return () => {
    source.off('SIGTERM', onTerm);
    source.off('SIGINT', onInt);
  };
}
