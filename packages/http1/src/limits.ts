/**
 * Every limit of the HTTP/1 codec and every named leniency, with the reason for its default.
 */

/** Sizes beyond which a message is refused. */
export interface Http1Limits {
  /** Start line and fields together, in bytes. Default 65,536: what browsers and peers stay far below. */
  readonly maxHeadBytes: number;
  /** Number of field lines. Default 200. */
  readonly maxFields: number;
  /** Request target, in bytes. Default 16,384; RFC 9112 section 3 asks for at least 8,000. */
  readonly maxTargetBytes: number;
  /** Chunk extensions of one message together, in bytes. Default 16,384 (CVE-2024-22019). */
  readonly maxChunkExtensionBytes: number;
  /** Trailer section, in bytes. Default 16,384. */
  readonly maxTrailerBytes: number;
}

/** What is accepted although it is ambiguous or obsolete. Everything is off by default. */
export interface Http1Leniency {
  /** A request with both framings: Transfer-Encoding wins, Content-Length is removed, the connection closes. */
  readonly contentLengthWithTransferEncoding?: boolean;
  /** Several Content-Length lines of the same value count as one. */
  readonly repeatedContentLength?: boolean;
  /** Line folding in requests becomes a space (RFC 9112 section 5.2). */
  readonly obsFold?: boolean;
  /** Bytes 0x80 to 0xFF in a request target pass unchanged. */
  readonly obsTextInTarget?: boolean;
  /** HTTP/1.1 requests without Host. */
  readonly missingHost?: boolean;
}

/** Defaults of {@link Http1Limits}. */
export const DEFAULT_HTTP1_LIMITS: Http1Limits = {
  maxHeadBytes: 65_536,
  maxFields: 200,
  maxTargetBytes: 16_384,
  maxChunkExtensionBytes: 16_384,
  maxTrailerBytes: 16_384,
};

const LENIENCIES: readonly (keyof Http1Leniency)[] = [
  'contentLengthWithTransferEncoding',
  'repeatedContentLength',
  'obsFold',
  'obsTextInTarget',
  'missingHost',
];

/**
 * Completes limits with the defaults.
 *
 * @throws TypeError or RangeError naming the option, the value and what would be right.
 */
export function resolveHttp1Limits(limits: Partial<Http1Limits> = {}): Http1Limits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_HTTP1_LIMITS, name)) {
      throw new TypeError(`limit ${name} is unknown: expected one of ${Object.keys(DEFAULT_HTTP1_LIMITS).join(', ')}`);
    }
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw new RangeError(`limit ${name} is ${String(value)}: expected an integer of at least 1`);
    }
  }
  const given = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
  return { ...DEFAULT_HTTP1_LIMITS, ...given };
}

/**
 * Copies leniencies; those that are not given are off.
 *
 * @throws TypeError naming an unknown leniency or a value that is not a boolean.
 */
export function checkHttp1Leniency(lenient: Http1Leniency = {}): Http1Leniency {
  for (const [name, value] of Object.entries(lenient)) {
    if (!LENIENCIES.includes(name as keyof Http1Leniency)) {
      throw new TypeError(`leniency ${name} is unknown: expected one of ${LENIENCIES.join(', ')}`);
    }
    if (value !== undefined && typeof value !== 'boolean') {
      throw new TypeError(`leniency ${name} is ${String(value)}: expected true or false`);
    }
  }
  return { ...lenient };
}
