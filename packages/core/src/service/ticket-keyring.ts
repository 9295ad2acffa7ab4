/**
 * The keys that encrypt TLS session tickets of one service, as state that all its threads and its successors share: a
 * session that began on one of them is resumed on any other.
 */
import type { TlsSettings } from '../listeners/tls/tls-settings.ts';
import type { Replicated } from './replicated.ts';

/** Keys in base64, one for each TLS settings object of the service, in the order in which they were added. */
export interface TicketKeys {
  readonly ticketKeys: readonly string[];
}

/** Reads and sets the keys of settings. Keys beyond the number of settings, and settings without a key, are left alone. */
export class TicketKeyring implements Replicated<TicketKeys> {
  readonly #settings: () => readonly TlsSettings[];

  constructor(settings: () => readonly TlsSettings[]) {
    this.#settings = settings;
  }

  snapshot(): TicketKeys {
    return { ticketKeys: this.#settings().map(({ ticketKeys }) => ticketKeys.toString('base64')) };
  }

  apply({ ticketKeys }: TicketKeys): void {
    const keys = ticketKeys.map((text) => Buffer.from(text, 'base64'));
    for (const [position, settings] of this.#settings().entries()) {
      const key = keys[position];
      if (key !== undefined && !key.equals(settings.ticketKeys)) settings.setTicketKeys(key);
    }
  }

  onChange(listener: (change: TicketKeys) => void): () => void {
    const stops = this.#settings().map((settings) => settings.onTicketKeys(() => listener(this.snapshot())));
    return () => {
      for (const stop of stops) stop();
    };
  }
}
