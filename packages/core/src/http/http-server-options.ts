/**
 * Every knob of the downstream HTTP side, checked once when a service is made.
 */
import {
  checkHttp1Leniency,
  type Http1Leniency,
  type Http1Limits,
  RequestRules,
  resolveHttp1Limits,
} from '@cirque/http1';
import {
  type Http2ServerOptions,
  type ResolvedHttp2ServerOptions,
  resolveHttp2ServerOptions,
} from './http2-server-options.ts';

/** Options of an HTTP service; all optional. Times are milliseconds; 0 switches a time limit off. */
export interface HttpServerOptions {
  /**
   * From the first byte of a head (or the accept) to its end. Default 10,000: then 408 and close. On HTTP/2 also for the
   * settings of the client, and for each frame but DATA: then GOAWAY, and close when what was asked before is answered.
   */
  readonly headTimeoutMs?: number;
  /** A kept-alive connection without a request. Default 60,000: then a silent close. */
  readonly idleTimeoutMs?: number;
  /**
   * Between two reads of a request body. Default 30,000: then 408. On HTTP/2 only as long as the response has not begun:
   * then it is a conversation (gRPC), in which the client may be silent, and the upstream is timed.
   */
  readonly readTimeoutMs?: number;
  /** Without progress while the client does not take the response. Default 60,000: then the connection is cut. */
  readonly writeTimeoutMs?: number;
  /**
   * The least rate at which the client takes a response, in bytes per second; it replaces `writeTimeoutMs` (Pingora's
   * min_send_rate). At least a second is given. Default 0: any progress within `writeTimeoutMs` is enough.
   */
  readonly minSendRate?: number;
  /** Requests per connection; the last one is answered with `Connection: close`. Default 0: no limit. */
  readonly keepaliveRequestLimit?: number;
  /**
   * The client closing its sending side (FIN) while a response is due cancels the request. Default true, as nginx and
   * Pingora do; false answers clients that half-close.
   */
  readonly abortOnClose?: boolean;
  /**
   * HTTP/2 with prior knowledge on plaintext connections, beside HTTP/1 on the same port: the first bytes tell. Default
   * false, as with Pingora. On TLS connections ALPN decides, whatever this says.
   */
  readonly h2c?: boolean;
  /** Limits and times of HTTP/2 connections. */
  readonly h2?: Http2ServerOptions;
  /** Limits of HTTP/1 heads and bodies. */
  readonly limits?: Partial<Http1Limits>;
  /** Exceptions to strict parsing, each by name; none by default. */
  readonly lenient?: Http1Leniency;
}

/** {@link HttpServerOptions} with every default filled in. */
export interface ResolvedHttpServerOptions {
  readonly headTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly minSendRate: number;
  readonly keepaliveRequestLimit: number;
  readonly abortOnClose: boolean;
  readonly h2c: boolean;
  readonly h2: ResolvedHttp2ServerOptions;
  readonly limits: Http1Limits;
  readonly lenient: Http1Leniency;
}

const DEFAULT_NUMBERS = {
  headTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  readTimeoutMs: 30_000,
  writeTimeoutMs: 60_000,
  minSendRate: 0,
  keepaliveRequestLimit: 0,
} as const;

const OTHER_OPTIONS = ['abortOnClose', 'h2c', 'h2', 'limits', 'lenient'];

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError or RangeError naming the option, the value and what would be right.
 */
export function resolveHttpServerOptions(options: HttpServerOptions = {}): ResolvedHttpServerOptions {
  const numbers: Record<keyof typeof DEFAULT_NUMBERS, number> = { ...DEFAULT_NUMBERS };
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    if (OTHER_OPTIONS.includes(name)) {
      if (value === null) throw new TypeError(`HTTP server option ${name} is null: leave it out for its default`);
      continue;
    }
    if (!Object.hasOwn(DEFAULT_NUMBERS, name))
      throw new TypeError(`HTTP server option ${name} is unknown: expected one of ${known()}`);
    if (!Number.isSafeInteger(value) || (value as number) < 0) {
      throw new RangeError(`HTTP server option ${name} is ${String(value)}: expected an integer of at least 0`);
    }
    numbers[name as keyof typeof DEFAULT_NUMBERS] = value as number;
  }
  return {
    ...numbers,
    abortOnClose: checkSwitch('abortOnClose', options.abortOnClose ?? true),
    h2c: checkSwitch('h2c', options.h2c ?? false),
    h2: resolveHttp2ServerOptions(options.h2),
    limits: resolveHttp1Limits(options.limits),
    lenient: checkHttp1Leniency(options.lenient),
  };
}

function checkSwitch(name: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`HTTP server option ${name} is ${String(value)}: expected true or false`);
}

function known(): string {
  return [...Object.keys(DEFAULT_NUMBERS), ...OTHER_OPTIONS].join(', ');
}

/** Prepares what all HTTP/1 connections of a service share. */
export function requestRules(options: ResolvedHttpServerOptions): RequestRules {
  return new RequestRules(options.limits, options.lenient);
}
