/**
 * Options of a connection, completed and checked.
 */
import type { Http2Limits } from './limits.ts';
import type { Http2Settings } from './settings.ts';

export interface Http2Options {
  readonly role: 'server' | 'client';
  /** What is announced to the peer. Defaults: 100 concurrent streams, windows of 65,535, frames of 16,384 bytes. */
  readonly settings?: Partial<Http2Settings>;
  /** Bytes that the peer may send on all streams together before they are consumed. Default 1 MiB. */
  readonly connectionWindowSize?: number;
  readonly limits?: Partial<Http2Limits>;
  /** Clock in milliseconds for the rates of {@link Http2Limits}. Default `performance.now`. */
  readonly now?: () => number;
}
