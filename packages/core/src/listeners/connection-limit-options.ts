/**
 * What a service says about how many connections it takes; checked once, when the service is made.
 */
import { checkOptionNames } from './option-names.ts';

/** Limits of the connections of a service. */
export interface ConnectionLimitOptions {
  /** Connections open at the same time, over all threads of the service; further ones are refused. Default: no limit. */
  readonly maxConnections?: number;
  /**
   * Connections that one client may have open at the same time, over all threads of the service; further ones are
   * refused. A client is an address, see {@link clientPrefix}; behind a trusted PROXY header the one that it announces.
   * Unix sockets have no clients. Default: no limit.
   *
   * Exact with one thread. With several threads counts are estimated, and never too low. They are too high for about 1
   * client in 200 while 10,000 connections are open, then by 1 as a rule; see client-counts.ts.
   */
  readonly maxConnectionsPerClient?: number;
  /**
   * How many bits of an address make a client. Default `{ v4: 32, v6: 64 }`: an IPv6 network of 64 bits is what one
   * customer gets, so that single addresses would limit nobody.
   */
  readonly clientPrefix?: { readonly v4?: number; readonly v6?: number };
  /**
   * What a client over a limit sees. `close`: the end of its connection. `503`: the application says so first (HTTP: status
   * 503 with `Connection: close` and `Retry-After`), to 100 clients at a time; the others see the end. With TLS it is
   * always the end, as no handshake is begun. Default `503` where the application can, else `close`.
   */
  readonly overLimit?: 'close' | '503';
}

/** {@link ConnectionLimitOptions} with every default filled in. */
export interface ResolvedConnectionLimits {
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerClient: number | undefined;
  readonly clientPrefix: { readonly v4: number; readonly v6: number };
  readonly answers: boolean;
}

const NAMES: readonly (keyof ConnectionLimitOptions)[] = [
  'maxConnections',
  'maxConnectionsPerClient',
  'clientPrefix',
  'overLimit',
];

/**
 * Checks the options and fills in the defaults.
 *
 * @param canAnswer the application has something to say to those over a limit.
 * @throws TypeError or RangeError naming the option, the value and what would be right.
 */
export function resolveConnectionLimits(options: ConnectionLimitOptions, canAnswer: boolean): ResolvedConnectionLimits {
  const { maxConnections, maxConnectionsPerClient, clientPrefix, overLimit = canAnswer ? '503' : 'close' } = options;
  checkLimit('maxConnections', maxConnections);
  checkLimit('maxConnectionsPerClient', maxConnectionsPerClient);
  if (overLimit !== 'close' && overLimit !== '503') {
    throw new TypeError(`overLimit must be 'close' or '503', got ${JSON.stringify(overLimit)}`);
  }
  if (overLimit === '503' && !canAnswer) {
    throw new TypeError("overLimit '503' needs an application with an overLimit() function, as those of HTTP services");
  }
  return {
    maxConnections,
    maxConnectionsPerClient,
    clientPrefix: checkPrefix(clientPrefix),
    answers: overLimit === '503',
  };
}

/** The part of larger options that is meant for the listening service, without what is undefined. */
export function connectionLimitsOf(
  options: {
    readonly [Name in keyof ConnectionLimitOptions]?: ConnectionLimitOptions[Name] | undefined;
  },
): ConnectionLimitOptions {
  const given = NAMES.filter((name) => options[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, options[name]]));
}

function checkLimit(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value > 0)) return;
  throw new RangeError(`${name} must be a whole number above 0, got ${String(value)}`);
}

function checkPrefix(prefix: ConnectionLimitOptions['clientPrefix'] = {}): ResolvedConnectionLimits['clientPrefix'] {
  checkOptionNames('clientPrefix', prefix, ['v4', 'v6']);
  const { v4 = 32, v6 = 64 } = prefix;
  checkBits('clientPrefix.v4', v4, 32);
  checkBits('clientPrefix.v6', v6, 128);
  return { v4, v6 };
}

function checkBits(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new RangeError(`${name} must be a whole number from 1 to ${most}, got ${String(value)}`);
}
