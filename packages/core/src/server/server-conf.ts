/**
 * The validated settings of a server, from defaults and from code. Reading them from YAML is conf-file.ts;
 * which keys there are, and what they accept, is conf-keys.ts.
 */
import { CONFIGURATION_KEYS, type ConfigurationKey, type LOG_LEVELS } from './conf-keys.ts';
import { nearestWord } from './nearest-word.ts';

/** Least severity that is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How many threads: a number, or one for each processor. */
export type Threads = number | 'auto';

/** The settings that this version honours. */
export interface KnownConfiguration {
  /** Version of the configuration format. Always 1. */
  readonly version: 1;
  /** Worker threads of each service that listens. Default 1: everything runs on the main thread. */
  readonly threads: Threads;
  /** Most memory of the JavaScript heap of a worker thread, in MB. Default 0: as Node.js decides. */
  readonly workerHeapMb: number;
  /** Runs in the background. Default false. */
  readonly daemon: boolean;
  /** File for the log and standard error. Default empty: standard error stays what it is. */
  readonly errorLog: string;
  /** File with the process id of a daemon; empty: none. Default `/tmp/cirque.pid`. */
  readonly pidFile: string;
  /** Unix socket for upgrades. Default `/tmp/cirque_upgrade.sock`. */
  readonly upgradeSock: string;
  /** How often each side of an upgrade tries again, one second apart. Default 30. */
  readonly upgradeSockConnectAcceptMaxRetries: number;
  /** Seconds that a successor may take to become ready. Default 60. */
  readonly upgradeReadyTimeoutSeconds: number;
  /** User that the server becomes once it listens. Default empty: none. */
  readonly user: string;
  /** Group that the server changes to. Default empty: that of the user. */
  readonly group: string;
  /** Directory of a daemon. Default empty: where it was started. */
  readonly workingDirectory: string;
  /** Permissions that files of a daemon do not get, in octal. Default `007`. */
  readonly umask: string;
  /** The command that starts a daemon waits until every service is ready. Default false. */
  readonly daemonWaitForReady: boolean;
  /** Seconds that it waits. Default 600. */
  readonly daemonReadyTimeoutSeconds: number;
  /** Seconds after SIGTERM in which the server is not ready, and still accepts. Default 0. */
  readonly drainDelaySeconds: number;
  /** Seconds after SIGTERM that upgraded connections may go on. Default 300. */
  readonly tunnelGracePeriodSeconds: number;
  /**
   * Seconds that open connections may take to finish after a graceful stop was asked for. An upper bound: the wait
   * ends with the last connection. Default 300.
   */
  readonly gracePeriodSeconds: number;
  /** Seconds that what still runs after the grace period is given before it is cut. Default 5. */
  readonly gracefulShutdownTimeoutSeconds: number;
  /** Idle upstream connections kept by each thread, all peers together. Default 128; 0 switches reuse off. */
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
  /** One line for each finished request: true, to the log; a path, to that file. Default false. */
  readonly accessLog: boolean | string;
  /** Format of an access log file. Default `json`. */
  readonly accessLogFormat: 'json' | 'combined';
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

/** @throws TypeError or RangeError where `threads` is not a number of threads. */
export function checkThreads(what: string, threads: unknown): void {
  const row = CONFIGURATION_KEYS.find(({ name }) => name === 'threads');
  if (row?.accepts(threads) === true) return;
  const message = `${what} must be ${row?.expects}, got ${printValue(threads)}`;
  throw typeof threads === 'number' ? new RangeError(message) : new TypeError(message);
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
