/**
 * Knobs of a TCP proxy service and their defaults, checked once.
 */

/** Options of a TCP proxy; all optional. Times are milliseconds, rates bytes per second. */
export interface StreamOptions {
  /** Attempts after the first one. Default 16, as a fail-safe; 0 never retries. */
  readonly maxRetries?: number;
  /** How long a phase may take to settle: then the connection is closed. Default 60,000; 0: for ever. */
  readonly hookTimeoutMs?: number;
  /**
   * A connection through which nothing passes for so long is reset, both ways. With bytes that one side does not take, it is
   * noticed within twice this time. Default 600,000; 0: never.
   */
  readonly idleTimeoutMs?: number;
  /** The same once one side has ended and the other one has not. Default: `idleTimeoutMs`. */
  readonly halfCloseTimeoutMs?: number;
  /** How long `peek` may wait for bytes. Default 5,000; 0: for ever. */
  readonly peekTimeoutMs?: number;
  /** How much `peek` may wait for. Default 16,384, at most 65,536. */
  readonly peekMaxBytes?: number;
  /** What is read from each client at the most, on average. `session.uploadRate` changes it. Default 0: no limit. */
  readonly uploadRate?: number;
  /** The same for what is read from upstreams. `session.downloadRate` changes it. Default 0: no limit. */
  readonly downloadRate?: number;
  /**
   * One line per connection: `true` writes it to the logger, a path to that file as JSON, in blocks; the file is opened when
   * the service starts. Default false.
   */
  readonly accessLog?: boolean | string;
  /** Local addresses of upstream connections, one at random for each. Default: the system's choice. */
  readonly clientBindToIpv4?: readonly string[];
  readonly clientBindToIpv6?: readonly string[];
  /**
   * A file of certificates (PEM) that are trusted for peers with TLS without `ca`, in the place of those of Node.js. Default,
   * also when empty: those of Node.js.
   */
  readonly caFile?: string;
}

/** {@link StreamOptions} that are read for every connection. */
export type ResolvedStreamOptions = Required<Omit<StreamOptions, 'clientBindToIpv4' | 'clientBindToIpv6' | 'caFile'>>;

/** Largest `peekMaxBytes`: what one read may bring. */
const MAX_PEEK_BYTES = 65_536;

const DEFAULTS = {
  maxRetries: 16,
  hookTimeoutMs: 60_000,
  idleTimeoutMs: 600_000,
  peekTimeoutMs: 5_000,
  uploadRate: 0,
  downloadRate: 0,
} as const;

const KNOWN: readonly string[] = [
  ...(Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]),
  'halfCloseTimeoutMs',
  'peekMaxBytes',
  'accessLog',
  'clientBindToIpv4',
  'clientBindToIpv6',
  'caFile',
] satisfies readonly (keyof StreamOptions)[];

/** @throws TypeError or RangeError naming the option, the value and what would be right. */
export function resolveStreamOptions(options: StreamOptions): ResolvedStreamOptions {
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name))
      throw new TypeError(`stream option ${name} is unknown: expected one of ${KNOWN.join(', ')}`);
  }
  const count = (name: keyof typeof DEFAULTS): number => checkCount(name, options[name] ?? DEFAULTS[name]);
  const idleTimeoutMs = count('idleTimeoutMs');
  return {
    maxRetries: count('maxRetries'),
    hookTimeoutMs: count('hookTimeoutMs'),
    idleTimeoutMs,
    halfCloseTimeoutMs: checkCount('halfCloseTimeoutMs', options.halfCloseTimeoutMs ?? idleTimeoutMs),
    peekTimeoutMs: count('peekTimeoutMs'),
    peekMaxBytes: checkPeekBytes(options.peekMaxBytes ?? 16_384),
    uploadRate: count('uploadRate'),
    downloadRate: count('downloadRate'),
    accessLog: checkAccessLog(options.accessLog ?? false),
  };
}

/** @throws RangeError unless the value is an integer from 0. */
export function checkCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`stream option ${name} is ${shown(value)}: expected an integer of at least 0`);
}

function checkPeekBytes(value: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= MAX_PEEK_BYTES) return value;
  throw new RangeError(`stream option peekMaxBytes is ${shown(value)}: expected from 1 to ${MAX_PEEK_BYTES}`);
}

function checkAccessLog(value: boolean | string): boolean | string {
  if (typeof value === 'boolean' || (typeof value === 'string' && value !== '')) return value;
  throw new TypeError(`stream option accessLog is ${shown(value)}: expected true, false or a path`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
