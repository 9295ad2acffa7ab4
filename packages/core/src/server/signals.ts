/**
 * Translates operating system signals into what a server does. SIGTERM: stop gracefully. SIGINT: stop fast. Either of
 * them, while a graceful stop goes on: fast. SIGQUIT: hand over to a successor. SIGHUP: read configuration and
 * certificates again, open log files again. SIGUSR2: open log files again. (SIGUSR1 belongs to Node's inspector.)
 */
import type { StopKind } from './stop-request.ts';

type ServerSignal = 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR2';

/** The part of `process` that signals come from. */
export interface SignalSource {
  on(signal: ServerSignal, listener: () => void): unknown;
  off(signal: ServerSignal, listener: () => void): unknown;
}

/** What signals ask for. */
export interface SignalActions {
  stop(kind: StopKind, signal: string): void;
  upgrade(): void;
  reload(): void;
  reopenLogs(): void;
}

/** Acts on each signal until the returned function is called. */
export function watchSignals(actions: SignalActions, source: SignalSource = process): () => void {
  let stopping = false;
  const listeners: readonly (readonly [ServerSignal, () => void])[] = [
    [
      'SIGTERM',
      () => {
        actions.stop(stopping ? 'fast' : 'graceful', 'SIGTERM');
        stopping = true;
      },
    ],
    [
      'SIGINT',
      () => {
        stopping = true;
        actions.stop('fast', 'SIGINT');
      },
    ],
    ['SIGQUIT', () => actions.upgrade()],
    ['SIGHUP', () => actions.reload()],
    ['SIGUSR2', () => actions.reopenLogs()],
  ];
  for (const [signal, listener] of listeners) source.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) source.off(signal, listener);
  };
}
