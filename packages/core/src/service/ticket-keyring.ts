/**
 * The keys that encrypt TLS session tickets of one service, as a successor gets them: a session that began before an
 * upgrade is resumed after it. (What the threads of a service share is tls-replica.ts.)
 */
import type { TlsSettings } from '../listeners/tls/tls-settings.ts';
import type { Legacy } from './service.ts';

/** Keys in base64, one for each TLS settings object of the service, in the order in which they were added. */
export interface TicketKeys {
  readonly ticketKeys: readonly string[];
}

/** Reads and sets the keys of settings. Keys beyond the number of settings, and settings without a key, are left alone. */
export class TicketKeyring implements Legacy<TicketKeys> {
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
}
