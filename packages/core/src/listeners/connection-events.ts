/**
 * Tells whoever subscribes what becomes of connections, by `node:diagnostics_channel`:
 *
 * `cirque:connection:open` before the application gets one, `cirque:connection:close` when one of those is closed,
 * `cirque:connection:refused` for those that it never gets. Without subscribers nothing is made and nothing is kept.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { Digest, Stream } from '@cirque/transport';
import type { RefusalReason } from './connection-counters.ts';

/** What subscribers of `cirque:connection:*` are told. */
export interface ConnectionEvent {
  /** The name of the service. */
  readonly service: string;
  readonly digest: Digest;
  /** Only when it was refused: why. */
  readonly reason?: RefusalReason;
}

/** The channels, by what happened. */
export const CONNECTION_CHANNELS = {
  open: 'cirque:connection:open',
  close: 'cirque:connection:close',
  refused: 'cirque:connection:refused',
} as const;

const opens: Channel = channel(CONNECTION_CHANNELS.open);
const closes: Channel = channel(CONNECTION_CHANNELS.close);
const refusals: Channel = channel(CONNECTION_CHANNELS.refused);

/** The events of one service. */
export class ConnectionEvents {
  readonly #service: string;
  /** Those whose opening somebody could hear of, and whose close is owed. */
  readonly #open: Set<Stream> = new Set();

  constructor(service: string) {
    this.#service = service;
  }

  opened(stream: Stream): void {
    if (!opens.hasSubscribers && !closes.hasSubscribers) return;
    this.#open.add(stream);
    opens.publish(this.#event(stream));
  }

  /** Any connection that is over; only those that were told of are reported. */
  closed(stream: Stream): void {
    if (this.#open.size > 0 && this.#open.delete(stream)) closes.publish(this.#event(stream));
  }

  refused(stream: Stream, reason: RefusalReason): void {
    if (refusals.hasSubscribers) refusals.publish({ ...this.#event(stream), reason } satisfies ConnectionEvent);
  }

  #event({ digest }: Stream): ConnectionEvent {
    return { service: this.#service, digest };
  }
}
