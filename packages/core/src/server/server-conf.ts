/**
 * The validated settings of a server, from defaults and from code. Reading them from YAML is conf-file.ts;
 * which keys there are, and what they accept, is conf-keys.ts.
 */
import { CONFIGURATION_KEYS, type ConfigurationKey, type LOG_LEVELS } from './conf-keys.ts';
import { nearestWord } from './nearest-word.ts';

/** Least severity that is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The settings that this version honours. */
export interface KnownConfiguration {
  /** Version of the configuration format. Always 1. */
  readonly version: 1;
  /**
   * Seconds that open connections may take to finish after a graceful stop was asked for. An upper bound: the wait
   * ends with the last connection. Default 300.
   */
  readonly gracePeriodSeconds: number;
  /** Seconds that what still runs after the grace period is given before it is cut. Default 5. */
  readonly gracefulShutdownTimeoutSeconds: number;
  /** Idle upstream connections kept, all peers together. Default 128; 0 switches reuse off. */
  readonly upstreamKeepalivePoolSize: number;
  /** Source addresses for upstream connections over IPv4. Default: none, the system chooses. */
  readonly clientBindToIpv4: readonly string[];
  /** Source addresses for upstream connections over IPv6. Default: none, the system chooses. */
  readonly clientBindToIpv6: readonly string[];
  /**
   * A file of certificates (PEM) that are trusted for upstreams with TLS, in the place of those of Node.js. Default empty:
   * those of Node.js.
   */
  readonly caFile: string;
  /**
   * Appends the secrets of upstream TLS connections to the file that SSLKEYLOGFILE names. Debugging only. Default false.
   */
  readonly upstreamDebugSslKeylog: boolean;
  /** How often a request may be tried again after its first attempt. Default 16. */
  readonly maxRetries: number;
  /** Least severity that is logged. Default `info`; environment variables go before it (logger.ts). */
  readonly logLevel: LogLevel;
  /** One log line for each finished request. Default false. */
  readonly accessLog: boolean;
}

/** All settings of a server. */
export interface ServerConfiguration extends KnownConfiguration {
  /** Keys of the file that are not ours, as plain data and unchecked: read your own settings here. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/**
 * Makes a complete, frozen configuration: the given values on top of the defaults.
 *
 * @throws TypeError for an unknown name or a value of the wrong type, RangeError for a value out of range.
 */
export function serverConfiguration(values: Partial<ServerConfiguration> = {}): ServerConfiguration {
  const configuration: Record<string, unknown> = {};
  for (const row of CONFIGURATION_KEYS) {
    const value = values[row.name];
    if (value !== undefined) checkValue(row, value);
    const chosen = value ?? row.default;
    configuration[row.name] = Array.isArray(chosen) ? Object.freeze([...chosen]) : chosen;
  }
  for (const name of Object.keys(values)) {
    if (name !== 'extra' && !Object.hasOwn(configuration, name)) throw unknownName(name);
  }
  configuration.extra = Object.freeze(Object.fromEntries(Object.entries(values.extra ?? {})));
  return Object.freeze(configuration) as unknown as ServerConfiguration;
}

function checkValue(row: ConfigurationKey, value: unknown): void {
  if (row.accepts(value)) return;
  const message = `configuration ${row.name} must be ${row.expects}, got ${printValue(value)}`;
  throw typeof value === typeof row.default ? new RangeError(message) : new TypeError(message);
}

function unknownName(name: string): TypeError {
  const nearest = nearestWord(
    name,
    CONFIGURATION_KEYS.map((row) => row.name),
  );
  const advice = nearest === undefined ? 'put settings of your own under extra' : `did you mean ${nearest}?`;
  return new TypeError(`configuration has no setting ${JSON.stringify(name)}; ${advice}`);
}

/** A value as it is shown in messages: JSON, at most 80 characters. */
export function printValue(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
