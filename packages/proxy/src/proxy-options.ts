/**
 * Knobs of a proxy service and their defaults, checked once.
 */
import type { HttpServerOptions } from '@cirque/core';

/** Options of {@link HttpProxy}; all optional. */
export interface HttpProxyOptions {
  /** Attempts after the first one. Default 16, as a fail-safe (Pingora; there it counts attempts); 0 never retries. */
  readonly maxRetries?: number;
  /** How long a phase may take to settle, in milliseconds: then the request fails with 500. Default 60,000; 0: for ever. */
  readonly hookTimeoutMs?: number;
  /** Idle upstream connections kept over all peers. Default 128; 0 keeps none. */
  readonly upstreamKeepalivePoolSize?: number;
  /** Local addresses of upstream connections, one at random for each. Default: the system's choice. */
  readonly clientBindToIpv4?: readonly string[];
  readonly clientBindToIpv6?: readonly string[];
  /** One log line per request. Default false. */
  readonly accessLog?: boolean;
  /** Limits and times of the client side. */
  readonly server?: HttpServerOptions;
}

/** {@link HttpProxyOptions} that the driver reads for every request. */
export interface ExchangeOptions {
  readonly maxRetries: number;
  readonly hookTimeoutMs: number;
  readonly accessLog: boolean;
}

const KNOWN: readonly (keyof HttpProxyOptions)[] = [
  'maxRetries',
  'hookTimeoutMs',
  'upstreamKeepalivePoolSize',
  'clientBindToIpv4',
  'clientBindToIpv6',
  'accessLog',
  'server',
];

/** @throws TypeError or RangeError naming the option, the value and what would be right. */
export function resolveExchangeOptions(options: HttpProxyOptions): ExchangeOptions {
  for (const name of Object.keys(options)) {
    if (!KNOWN.some((known) => known === name))
      throw new TypeError(`proxy option ${name} is unknown: expected one of ${KNOWN.join(', ')}`);
  }
  const accessLog = options.accessLog ?? false;
  if (typeof accessLog !== 'boolean')
    throw new TypeError(`proxy option accessLog is ${String(accessLog)}: expected true or false`);
  count('upstreamKeepalivePoolSize', options.upstreamKeepalivePoolSize, 128);
  return {
    maxRetries: count('maxRetries', options.maxRetries, 16),
    hookTimeoutMs: count('hookTimeoutMs', options.hookTimeoutMs, 60_000),
    accessLog,
  };
}

function count(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`proxy option ${name} is ${String(value)}: expected an integer of at least 0`);
}
