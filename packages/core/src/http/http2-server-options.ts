/**
 * Every knob of HTTP/2 on the downstream side: one table with defaults and ranges, checked once when a service is made.
 *
 * What the limits mean on the wire is the business of `@cirque/http2`; times that HTTP/1 has too are in
 * http-server-options.ts and hold for both.
 */
import { DEFAULT_HTTP2_LIMITS, type Http2Limits, type Http2Settings } from '@cirque/http2';

/** Options of HTTP/2 connections from clients; each can be given alone. The defaults are safe against hostile clients. */
export interface Http2ServerOptions {
  /**
   * Requests of one connection at a time. Default 100. A request that its client has cancelled counts until the
   * application has finished with it; what exceeds the number is refused (REFUSED_STREAM), which clients may retry.
   */
  readonly maxConcurrentStreams?: number;
  /** Bytes of one request body that may be under way before the application takes them. Default 262,144. */
  readonly initialWindowSize?: number;
  /** The same for all request bodies of a connection together: bounds its memory. Default 1,048,576, at least 65,535. */
  readonly connectionWindowSize?: number;
  /** The largest frame that clients may send, in bytes. Default 16,384. */
  readonly maxFrameSize?: number;
  /** Bytes of the HPACK table that clients may use. Default 4,096. */
  readonly headerTableSize?: number;
  /** Names and values of one request head, and 32 bytes for each field (RFC 9113 section 6.5.2). Default 65,536. */
  readonly maxHeaderListBytes?: number;
  /** Fields of one request head, each crumb of a cookie counted. Default 200. */
  readonly maxHeaderFields?: number;
  /** CONTINUATION frames of one head. Default 16. */
  readonly maxContinuationFrames?: number;
  /**
   * Streams that end by a reset which the client sent or provoked, in 10 seconds (rapid reset, MadeYouReset).
   * Default: twice `maxConcurrentStreams`, at least 100.
   */
  readonly maxResetsPerInterval?: number;
  /**
   * Frames that carry nothing (SETTINGS, PING, empty DATA, unknown ones ...) in 10 seconds, beyond what requests justify.
   * Default 1,000.
   */
  readonly maxControlFramesPerInterval?: number;
  /** Bytes of answers to control frames that wait for a client that does not read. Default 1,048,576. */
  readonly maxPendingBytes?: number;
  /** Extended CONNECT (RFC 8441), which carries WebSockets over HTTP/2. Default true. */
  readonly extendedConnect?: boolean;
  /** A PING after this many milliseconds without a byte from the client, 0 for none. Default 0. */
  readonly pingIntervalMs?: number;
  /** A connection without any byte for this long after a PING is closed. Default 5,000. */
  readonly pingTimeoutMs?: number;
}

/** {@link Http2ServerOptions} as the connection wants them. */
export interface ResolvedHttp2ServerOptions {
  readonly settings: Partial<Http2Settings>;
  readonly limits: Partial<Http2Limits>;
  readonly connectionWindowSize: number;
  readonly maxConcurrentStreams: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
}

interface NumberRule {
  readonly preset: number;
  readonly min: number;
  readonly max: number;
}

type NumberName = Exclude<keyof Http2ServerOptions, 'extendedConnect'>;

/** RFC 9113 section 6.9.1. */
const MAX_WINDOW = 2_147_483_647;
const MAX_COUNT = 2_147_483_647;
/** The window that a connection begins with; a WINDOW_UPDATE can only enlarge it. */
const LEAST_CONNECTION_WINDOW = 65_535;
/** Resets that are never held against a client, however few streams it may have. */
const LEAST_RESETS = 100;

const NUMBERS: Readonly<Record<NumberName, NumberRule>> = {
  maxConcurrentStreams: { preset: 100, min: 1, max: MAX_COUNT },
  initialWindowSize: { preset: 262_144, min: 1, max: MAX_WINDOW },
  connectionWindowSize: { preset: 1_048_576, min: LEAST_CONNECTION_WINDOW, max: MAX_WINDOW },
  maxFrameSize: { preset: 16_384, min: 16_384, max: 16_777_215 },
  headerTableSize: { preset: 4_096, min: 0, max: 65_536 },
  maxHeaderListBytes: { preset: DEFAULT_HTTP2_LIMITS.maxHeaderListBytes, min: 1_024, max: MAX_COUNT },
  maxHeaderFields: { preset: DEFAULT_HTTP2_LIMITS.maxHeaderFields, min: 1, max: MAX_COUNT },
  maxContinuationFrames: { preset: DEFAULT_HTTP2_LIMITS.maxContinuationFrames, min: 1, max: MAX_COUNT },
  // 0 stands for the number that follows from maxConcurrentStreams.
  maxResetsPerInterval: { preset: 0, min: 1, max: MAX_COUNT },
  maxControlFramesPerInterval: { preset: DEFAULT_HTTP2_LIMITS.maxControlFramesPerInterval, min: 1, max: MAX_COUNT },
  maxPendingBytes: { preset: DEFAULT_HTTP2_LIMITS.maxPendingBytes, min: 1_024, max: MAX_COUNT },
  pingIntervalMs: { preset: 0, min: 0, max: MAX_COUNT },
  pingTimeoutMs: { preset: 5_000, min: 1, max: MAX_COUNT },
};

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError or RangeError naming the option, the value and what would be right.
 */
export function resolveHttp2ServerOptions(options: Http2ServerOptions = {}): ResolvedHttp2ServerOptions {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`HTTP server option h2 is ${String(options)}: expected an object of HTTP/2 options`);
  for (const name of Object.keys(options)) {
    if (name === 'extendedConnect' || Object.hasOwn(NUMBERS, name)) continue;
    const known = [...Object.keys(NUMBERS), 'extendedConnect'].join(', ');
    throw new TypeError(`HTTP/2 server option ${name} is unknown: expected one of ${known}`);
  }
  const number = (name: NumberName): number => checkNumber(name, options[name]);
  const maxConcurrentStreams = number('maxConcurrentStreams');
  const maxHeaderListBytes = number('maxHeaderListBytes');
  return {
    maxConcurrentStreams,
    connectionWindowSize: number('connectionWindowSize'),
    pingIntervalMs: number('pingIntervalMs'),
    pingTimeoutMs: number('pingTimeoutMs'),
    settings: {
      maxConcurrentStreams,
      maxHeaderListSize: maxHeaderListBytes,
      initialWindowSize: number('initialWindowSize'),
      maxFrameSize: number('maxFrameSize'),
      headerTableSize: number('headerTableSize'),
      enableConnectProtocol: checkExtendedConnect(options.extendedConnect),
    },
    limits: {
      maxHeaderListBytes,
      maxHeaderFields: number('maxHeaderFields'),
      maxContinuationFrames: number('maxContinuationFrames'),
      maxResetsPerInterval: number('maxResetsPerInterval') || Math.max(LEAST_RESETS, 2 * maxConcurrentStreams),
      maxControlFramesPerInterval: number('maxControlFramesPerInterval'),
      maxPendingBytes: number('maxPendingBytes'),
    },
  };
}

function checkNumber(name: NumberName, value: number | undefined): number {
  const { preset, min, max } = NUMBERS[name];
  if (value === undefined) return preset;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`HTTP/2 server option ${name} is ${String(value)}: expected an integer from ${min} to ${max}`);
}

function checkExtendedConnect(value: boolean | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? true;
  throw new TypeError(`HTTP/2 server option extendedConnect is ${String(value)}: expected true or false`);
}
