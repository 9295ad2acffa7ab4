/**
 * Knobs of a proxy service and their defaults, checked once.
 */
import { ACCESS_LOG_FORMATS, type AccessLogFormat, type HttpServerOptions } from '@cirque/core';
import { isToken } from '@cirque/http';
import type { RequestIdSource } from './request-id.ts';
import { trustedProxies } from './trusted-proxies.ts';

/** Options of {@link HttpProxy}; all optional. */
export interface HttpProxyOptions {
  /** Attempts after the first one. Default 16, as a fail-safe (Pingora; there it counts attempts); 0 never retries. */
  readonly maxRetries?: number;
  /** How long a phase may take to settle, in milliseconds: then the request fails with 500. Default 60,000; 0: for ever. */
  readonly hookTimeoutMs?: number;
  /**
   * The time for a whole request, from its head to the end of the response, in milliseconds: then 408 or 504, or a cut.
   * Tunnels are exempt. Default 0: no limit.
   */
  readonly requestTimeoutMs?: number;
  /** A tunnel through which nothing passes for so long is cut, in milliseconds. Default 600,000; 0: never. */
  readonly tunnelIdleTimeoutMs?: number;
  /**
   * The largest request body, in bytes; a larger one gets 413. `session.maxRequestBodyBytes` changes it for a request.
   * Default 0: no limit.
   */
  readonly maxRequestBodyBytes?: number;
  /**
   * Proxies CONNECT: the client gets a tunnel to the peer that `upstreamPeer` answers, which has to judge the target of
   * the request. Default false: 405.
   */
  readonly allowConnect?: boolean;
  /** Idle upstream connections kept over all peers. Default 128; 0 keeps none. */
  readonly upstreamKeepalivePoolSize?: number;
  /** Local addresses of upstream connections, one at random for each. Default: the system's choice. */
  readonly clientBindToIpv4?: readonly string[];
  readonly clientBindToIpv6?: readonly string[];
  /**
   * A file of certificates (PEM) that are trusted for peers without `ca`, in the place of those of Node.js. Default, also
   * when empty: those of Node.js.
   */
  readonly caFile?: string;
  /** Appends the secrets of upstream TLS connections to this file. Debugging only. Default: none. */
  readonly sslKeyLogFile?: string;
  /**
   * One line per request: `true` writes it to the logger, a path to that file, in blocks; the file is opened when the service
   * starts. Default false.
   */
  readonly accessLog?: boolean | string;
  /** The lines of an access log file: JSON objects, or the combined format of nginx and Apache. Default `json`. */
  readonly accessLogFormat?: AccessLogFormat;
  /**
   * A request field, `X-Request-Id` for example, that names the request: sent upstream with `session.requestId`, in the place
   * of what the client has sent. From {@link trustedProxies} a name is taken over that is a token of at most 128 characters.
   * Default: none.
   */
  readonly requestIdHeader?: string;
  /** The neighbours whose `requestIdHeader` is believed, as the function `trustedProxies` reads them. Default: nobody. */
  readonly trustedProxies?: readonly string[];
  /** Limits and times of the client side. */
  readonly server?: HttpServerOptions;
}

/** {@link HttpProxyOptions} that the driver reads for every request. */
export interface ExchangeOptions {
  readonly maxRetries: number;
  readonly hookTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly tunnelIdleTimeoutMs: number;
  readonly maxRequestBodyBytes: number;
  readonly allowConnect: boolean;
  readonly accessLog: boolean | string;
  readonly accessLogFormat: AccessLogFormat;
  /** Where names of requests come from and go to; undefined where they stay here. */
  readonly requestIds: RequestIdSource | undefined;
}

const KNOWN: readonly (keyof HttpProxyOptions)[] = [
  'maxRetries',
  'hookTimeoutMs',
  'requestTimeoutMs',
  'tunnelIdleTimeoutMs',
  'maxRequestBodyBytes',
  'allowConnect',
  'upstreamKeepalivePoolSize',
  'clientBindToIpv4',
  'clientBindToIpv6',
  'caFile',
  'sslKeyLogFile',
  'accessLog',
  'accessLogFormat',
  'requestIdHeader',
  'trustedProxies',
  'server',
];

/** @throws TypeError or RangeError naming the option, the value and what would be right. */
export function resolveExchangeOptions(options: HttpProxyOptions): ExchangeOptions {
  for (const name of Object.keys(options)) {
    if (!KNOWN.some((known) => known === name))
      throw new TypeError(`proxy option ${name} is unknown: expected one of ${KNOWN.join(', ')}`);
  }
  count('upstreamKeepalivePoolSize', options.upstreamKeepalivePoolSize, 128);
  return {
    maxRetries: count('maxRetries', options.maxRetries, 16),
    hookTimeoutMs: count('hookTimeoutMs', options.hookTimeoutMs, 60_000),
    requestTimeoutMs: count('requestTimeoutMs', options.requestTimeoutMs, 0),
    tunnelIdleTimeoutMs: count('tunnelIdleTimeoutMs', options.tunnelIdleTimeoutMs, 600_000),
    maxRequestBodyBytes: count('maxRequestBodyBytes', options.maxRequestBodyBytes, 0),
    allowConnect: flag('allowConnect', options.allowConnect),
    accessLog: accessLog(options.accessLog),
    accessLogFormat: accessLogFormat(options.accessLogFormat),
    requestIds: requestIds(options),
  };
}

function accessLog(value: boolean | string = false): boolean | string {
  if (typeof value === 'boolean' || (typeof value === 'string' && value !== '')) return value;
  throw new TypeError(`proxy option accessLog is ${shown(value)}: expected true, false or a path`);
}

function accessLogFormat(value: AccessLogFormat = 'json'): AccessLogFormat {
  if (ACCESS_LOG_FORMATS.includes(value)) return value;
  throw new TypeError(`proxy option accessLogFormat is ${shown(value)}: expected ${ACCESS_LOG_FORMATS.join(' or ')}`);
}

function requestIds({
  requestIdHeader: header,
  trustedProxies: neighbours = [],
}: HttpProxyOptions): RequestIdSource | undefined {
  if (!Array.isArray(neighbours))
    throw new TypeError(
      `proxy option trustedProxies is ${shown(neighbours)}: expected a list of addresses and networks`,
    );
  const trusted = trustedProxies(neighbours);
  if (header === undefined) return undefined;
  if (typeof header === 'string' && isToken(header)) return { header, trusted };
  throw new TypeError(`proxy option requestIdHeader is ${shown(header)}: expected the name of a field`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function flag(name: string, value: boolean | undefined): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw new TypeError(`proxy option ${name} is ${String(value)}: expected true or false`);
}

function count(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`proxy option ${name} is ${String(value)}: expected an integer of at least 0`);
}
