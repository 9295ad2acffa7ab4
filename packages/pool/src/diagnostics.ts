/**
 * The channels of node:diagnostics_channel on which this package tells of upstream connections. Names and messages are
 * public API.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { CirqueError } from '@cirque/error';
import type { Digest } from '@cirque/transport';
import type { Peer } from './peer.ts';

/** The names, and when each is published. */
export const POOL_CHANNELS = {
  /** A connection is going to be opened. */
  connectStart: 'cirque:pool:connect:start',
  /** It is there: tunnel, PROXY header and TLS included. */
  connectEnd: 'cirque:pool:connect:end',
  /** It did not come, or nobody waits for it any more. */
  connectError: 'cirque:pool:connect:error',
  /** A connection that was there has closed, whoever closed it. */
  connectionClose: 'cirque:pool:connection:close',
} as const;

/**
 * What is published on the channels of connecting: one object for all that concerns a connection, from its start to its
 * close, so that subscribers can keep something of their own for it (in a WeakMap).
 */
export interface ConnectMessage {
  readonly peer: Peer;
  /** Milliseconds on the clock of `performance.now()`; when it began, and when it was there or had failed. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** What is known of the connection, once it is there. */
  readonly digest?: Digest;
  readonly error?: CirqueError;
}

export const connectStart: Channel<ConnectMessage> = channel(POOL_CHANNELS.connectStart);
export const connectEnd: Channel<ConnectMessage> = channel(POOL_CHANNELS.connectEnd);
export const connectError: Channel<ConnectMessage> = channel(POOL_CHANNELS.connectError);
export const connectionClose: Channel<ConnectMessage> = channel(POOL_CHANNELS.connectionClose);
