/**
 * Translates operating system signals into requests. SIGTERM: stop gracefully. SIGINT: stop fast. Either of them, while a
 * graceful stop goes on: fast. SIGHUP: read certificates again.
 */
import type { StopKind } from './stop-request.ts';

/** The part of `process` that signals come from. */
export interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
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

/** Calls `reload` for each SIGHUP until the returned function is called. */
export function watchReload(reload: () => void, source: SignalSource = process): () => void {
  source.on('SIGHUP', reload);
  return () => source.off('SIGHUP', reload);
}
