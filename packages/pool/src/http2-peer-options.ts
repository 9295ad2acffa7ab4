/**
 * The knobs of HTTP/2 connections to a peer, with their defaults. Part of the peer options; of no meaning on HTTP/1.
 */
import { type OptionReader, readCount, readRange } from './check-option.ts';

/** Options of a peer that is spoken to in HTTP/2. Times are milliseconds. */
export interface Http2PeerOptions {
  /**
   * Requests at the same time on one connection; the upstream's own limit (SETTINGS_MAX_CONCURRENT_STREAMS) counts when it
   * is less. More requests open further connections. Default 100, at least 1 (Pingora: 1).
   */
  readonly maxH2Streams?: number;
  /** A PING is sent so often, also while the connection is idle. Default 0: none. */
  readonly h2PingIntervalMs?: number;
  /** A PING that is not answered within this time ends the connection with PingTimedout. Default 5,000, at least 1. */
  readonly h2PingTimeoutMs?: number;
  /**
   * Bytes of one response that the upstream may send ahead of the reader (SETTINGS_INITIAL_WINDOW_SIZE): what a client that
   * does not read can make us hold. Default 262,144: 26 MB/s at a round trip of 10 ms. From 1 to 2,147,483,647
   * (Pingora: 8 MiB).
   */
  readonly h2StreamWindowBytes?: number;
  /**
   * The same for all responses of a connection together. Default 0: `maxH2Streams` times `h2StreamWindowBytes`, so that
   * responses which nobody reads never hold up the others. Otherwise from 65,535 to 2,147,483,647 (Pingora: 8 MiB).
   */
  readonly h2ConnectionWindowBytes?: number;
  /**
   * How long an upstream that answered HTTP_1_1_REQUIRED is asked over HTTP/1.1 only, where ALPN leaves the choice. Also how
   * long one that chose HTTP/1.1 is remembered, so that requests do not wait for each other's connection. Default 300,000.
   */
  readonly h2DowngradeMs?: number;
}

/** The defaults. */
export const DEFAULT_HTTP2_PEER_OPTIONS: Required<Http2PeerOptions> = {
  maxH2Streams: 100,
  h2PingIntervalMs: 0,
  h2PingTimeoutMs: 5_000,
  h2StreamWindowBytes: 262_144,
  h2ConnectionWindowBytes: 0,
  h2DowngradeMs: 300_000,
};

/** Largest window (RFC 9113 section 6.9.1). */
const MAX_WINDOW = 2 ** 31 - 1;
/** What a connection begins with; a window can only be raised (RFC 9113 section 6.9.2). */
const FIRST_WINDOW = 65_535;

/** One reader per option. */
export const HTTP2_READERS: { readonly [Name in keyof Required<Http2PeerOptions>]: OptionReader<number> } = {
  maxH2Streams: readPositive,
  h2PingIntervalMs: readCount,
  h2PingTimeoutMs: readPositive,
  h2StreamWindowBytes: (name, value) => readRange(name, value, 1, MAX_WINDOW),
  h2ConnectionWindowBytes: (name, value) => (value === 0 ? 0 : readRange(name, value, FIRST_WINDOW, MAX_WINDOW)),
  h2DowngradeMs: readCount,
};

/** The window of a connection made under these options. */
export function connectionWindow(options: Required<Http2PeerOptions>): number {
  const { h2ConnectionWindowBytes: bytes, h2StreamWindowBytes, maxH2Streams } = options;
  if (bytes > 0) return bytes;
  return Math.min(MAX_WINDOW, Math.max(FIRST_WINDOW, maxH2Streams * h2StreamWindowBytes));
}

function readPositive(name: string, value: unknown): number {
  return readRange(name, value, 1, Number.MAX_SAFE_INTEGER);
}
