/**
 * The TLS settings of one service as state that all its threads share: the main thread reads the files and has the ticket
 * keys. A thread that begins later has what the others have, whatever became of the files and of the right to read them.
 */
import { createHash } from 'node:crypto';
import type { TlsSettings, TlsState } from '../listeners/tls/tls-settings.ts';
import type { Replicated } from './replicated.ts';

/** The state of each TLS settings object of the service, in the order in which they were added. */
export type TlsStates = readonly TlsState[];

/** Copies the state of settings. */
export class TlsReplica implements Replicated<TlsStates> {
  readonly scope = 'service';
  readonly #settings: () => readonly TlsSettings[];

  constructor(settings: () => readonly TlsSettings[]) {
    this.#settings = settings;
  }

  /** The same for settings that say the same, but for functions. */
  get key(): string {
    const said = this.#settings().map(({ options, alpn }) => [options, alpn]);
    return createHash('sha256').update(JSON.stringify(said)).digest('base64');
  }

  snapshot(): TlsStates {
    return this.#settings().map(({ state }) => state);
  }

  apply(states: TlsStates): void {
    for (const [position, settings] of this.#settings().entries()) {
      const state = states[position];
      if (state !== undefined) settings.take(state);
    }
  }

  onChange(listener: (change: TlsStates) => void): () => void {
    const stops = this.#settings().map((settings) => settings.onChange(() => listener(this.snapshot())));
    return () => {
      for (const stop of stops) stop();
    };
  }
}
