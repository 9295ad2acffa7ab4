/**
 * The channels of node:diagnostics_channel on which TCP proxies tell of their connections. Names and messages are public API.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { CirqueError } from '@cirque/error';
import type { Peer } from '@cirque/pool';
import type { StreamSession } from '../stream-session.ts';

/** The names, and when each is published. Without subscribers nothing is made for them. */
export const STREAM_CHANNELS = {
  /** A connection is about to get its context. */
  start: 'cirque:stream:start',
  /** It has an upstream. */
  connected: 'cirque:stream:connected',
  /** An attempt to connect it has failed. */
  connectError: 'cirque:stream:connect:error',
  /** It is over: its last phase has begun. */
  end: 'cirque:stream:end',
} as const;

/** What is published; all messages of a connection have the same `session`. */
export interface StreamMessage {
  readonly session: StreamSession;
  /** Not at the start. */
  readonly peer?: Peer | undefined;
  /** Why the attempt, or the connection, failed. */
  readonly error?: CirqueError | undefined;
}

export const streamStart: Channel<StreamMessage> = channel(STREAM_CHANNELS.start);
export const streamConnected: Channel<StreamMessage> = channel(STREAM_CHANNELS.connected);
export const streamConnectError: Channel<StreamMessage> = channel(STREAM_CHANNELS.connectError);
export const streamEnd: Channel<StreamMessage> = channel(STREAM_CHANNELS.end);
