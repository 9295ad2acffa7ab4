/**
 * What a peer may cost an HTTP/2 connection, with the reason for each default.
 */

/** Sizes and rates beyond which a head is refused or a connection ended. */
export interface Http2Limits {
  /**
   * Decoded size of one head or trailer section: names, values and 32 bytes for each field (RFC 9113 section 6.5.2).
   * A request head beyond it is answered with 431; a compressed block beyond it ends the connection. Default 65,536.
   */
  readonly maxHeaderListBytes: number;
  /** Fields of one head, every `cookie` crumb counted. A request head beyond it is answered with 431. Default 200. */
  readonly maxHeaderFields: number;
  /** CONTINUATION frames of one head; more end the connection (CVE-2024-27316 and its family). Default 16. */
  readonly maxContinuationFrames: number;
  /**
   * Server only: streams that may come to nothing within 10 seconds, by resets of the client (CVE-2023-44487) or by errors
   * that force us to reset them (CVE-2025-8671). More end the connection. Default: the greater of 100 and twice
   * `maxConcurrentStreams`.
   */
  readonly maxResetsPerInterval: number;
  /**
   * SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty DATA and unknown frames within 10 seconds, beyond four for each
   * head and DATA frame and one for each 512 bytes that we send. More end the connection (CVE-2019-9512 and its family). Default 1,000.
   */
  readonly maxControlFramesPerInterval: number;
  /** Answers to such frames, in bytes, queued while the peer does not read. More end the connection. Default 1 MiB. */
  readonly maxPendingBytes: number;
}

/** Defaults of {@link Http2Limits}; `maxResetsPerInterval` grows with `maxConcurrentStreams`. */
export const DEFAULT_HTTP2_LIMITS: Http2Limits = {
  maxHeaderListBytes: 65_536,
  maxHeaderFields: 200,
  maxContinuationFrames: 16,
  maxResetsPerInterval: 200,
  maxControlFramesPerInterval: 1_000,
  maxPendingBytes: 1_048_576,
};

/**
 * Completes limits with the defaults.
 *
 * @throws TypeError or RangeError naming the option, the value and what would be right.
 */
export function resolveHttp2Limits(limits: Partial<Http2Limits> = {}, maxConcurrentStreams = 100): Http2Limits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_HTTP2_LIMITS, name)) {
      throw new TypeError(`limit ${name} is unknown: expected one of ${Object.keys(DEFAULT_HTTP2_LIMITS).join(', ')}`);
    }
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw new RangeError(`limit ${name} is ${String(value)}: expected an integer of at least 1`);
    }
  }
  const given = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
  const maxResetsPerInterval = Math.max(100, 2 * maxConcurrentStreams);
  return { ...DEFAULT_HTTP2_LIMITS, maxResetsPerInterval, ...given };
}
