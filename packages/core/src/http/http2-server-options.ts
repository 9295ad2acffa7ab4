/**
 * Every knob of HTTP/2 on the downstream side: one table with defaults and ranges, checked once when a service is made.
 *
 * What the limits mean on the wire is the business of `@cirque/http2`; times that HTTP/1 has too are in
 * http-server-options.ts and hold for both.
 */
import { DEFAULT_HTTP2_LIMITS, type Http2Limits, type Http2Settings, resolveHttp2Limits } from '@cirque/http2';

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

type NumberName = Exclude<keyof Http2ServerOptions, 'extendedConnect'>;

/** RFC 9113 section 6.9.1. */
const MAX_WINDOW = 2_147_483_647;
const MAX_COUNT = 2_147_483_647;
/** The window that a connection begins with; a WINDOW_UPDATE can only enlarge it. */
const LEAST_CONNECTION_WINDOW = 65_535;

/** Defaults of {@link Http2ServerOptions}; `maxResetsPerInterval` grows with `maxConcurrentStreams`. */
export const DEFAULT_HTTP2_SERVER_OPTIONS: Required<Http2ServerOptions> = {
  maxConcurrentStreams: 100,
  initialWindowSize: 262_144,
  connectionWindowSize: 1_048_576,
  maxFrameSize: 16_384,
  headerTableSize: 4_096,
  ...DEFAULT_HTTP2_LIMITS,
  extendedConnect: true,
  pingIntervalMs: 0,
  pingTimeoutMs: 5_000,
};

/** Least and greatest value. */
const RANGES: Readonly<Record<NumberName, readonly [number, number]>> = {
  maxConcurrentStreams: [1, MAX_COUNT],
  initialWindowSize: [1, MAX_WINDOW],
  connectionWindowSize: [LEAST_CONNECTION_WINDOW, MAX_WINDOW],
  maxFrameSize: [16_384, 16_777_215],
  headerTableSize: [0, 65_536],
  maxHeaderListBytes: [1_024, MAX_COUNT],
  maxHeaderFields: [1, MAX_COUNT],
  maxContinuationFrames: [1, MAX_COUNT],
  maxResetsPerInterval: [1, MAX_COUNT],
  maxControlFramesPerInterval: [1, MAX_COUNT],
  maxPendingBytes: [1_024, MAX_COUNT],
  pingIntervalMs: [0, MAX_COUNT],
  pingTimeoutMs: [1, MAX_COUNT],
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
    if (name === 'extendedConnect' || Object.hasOwn(RANGES, name)) continue;
    const known = [...Object.keys(RANGES), 'extendedConnect'].join(', ');
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
      maxResetsPerInterval:
        options.maxResetsPerInterval === undefined
          ? resolveHttp2Limits({}, maxConcurrentStreams).maxResetsPerInterval
          : number('maxResetsPerInterval'),
      maxControlFramesPerInterval: number('maxControlFramesPerInterval'),
      maxPendingBytes: number('maxPendingBytes'),
    },
  };
}

function checkNumber(name: NumberName, value: number | undefined): number {
  if (value === undefined) return DEFAULT_HTTP2_SERVER_OPTIONS[name];
  const [min, max] = RANGES[name];
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`HTTP/2 server option ${name} is ${String(value)}: expected an integer from ${min} to ${max}`);
}

function checkExtendedConnect(value: boolean | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? true;
  throw new TypeError(`HTTP/2 server option extendedConnect is ${String(value)}: expected true or false`);
}
