/**
 * Tells whoever subscribes what becomes of UDP sessions, by `node:diagnostics_channel`. Names and messages are public API.
 * Without subscribers nothing is made.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { CirqueError } from '@cirque/error';
import type { UdpSession } from '../udp-session.ts';

/** What subscribers are told. */
export interface UdpSessionEvent {
  /** The name of the service. */
  readonly service: string;
  readonly session: UdpSession;
  /** Only at the close: why it failed. */
  readonly error?: CirqueError | undefined;
}

/** The channels, by what happened: a session has passed `sessionFilter`; it is over. */
export const UDP_CHANNELS = {
  open: 'cirque:stream:udp:open',
  close: 'cirque:stream:udp:close',
} as const;

const opens: Channel<UdpSessionEvent> = channel(UDP_CHANNELS.open);
const closes: Channel<UdpSessionEvent> = channel(UDP_CHANNELS.close);

export function sessionOpened(service: string, session: UdpSession): void {
  if (opens.hasSubscribers) opens.publish({ service, session });
}

export function sessionClosed(service: string, session: UdpSession, error: CirqueError | undefined): void {
  if (closes.hasSubscribers) closes.publish({ service, session, error });
}
