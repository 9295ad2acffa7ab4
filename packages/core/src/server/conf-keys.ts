/**
 * The configuration keys that this version honours, as one table: names, defaults, checks and documentation all
 * come from here. Keys of Pingora that cannot be honoured yet are listed too, so that they are refused by name.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { KnownConfiguration } from './server-conf.ts';

/** One key of the configuration file. */
export interface ConfigurationKey {
  /** Spelling in YAML. */
  readonly key: string;
  /** Spelling in `server.configuration`. */
  readonly name: keyof KnownConfiguration;
  readonly default: unknown;
  /** What a right value is, as the end of the sentence "must be ...". */
  readonly expects: string;
  /** What the key does, for the documentation. */
  readonly meaning: string;
  accepts(value: unknown): boolean;
}

/** Log levels, from the most to the least talkative. */
export const LOG_LEVELS: readonly ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
];

/** A week: longer waits than this are mistakes of unit. */
const MAX_SECONDS = 604_800;

const seconds = {
  expects: `a number of seconds from 0 to ${MAX_SECONDS}`,
  accepts: (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= MAX_SECONDS,
};

const ROWS = [
  {
    key: 'version',
    name: 'version',
    default: 1,
    expects: '1',
    meaning: 'Version of the configuration format.',
    accepts: (value: unknown): boolean => value === 1,
  },
  {
    key: 'grace_period_seconds',
    name: 'gracePeriodSeconds',
    default: 300,
    meaning:
      'After SIGTERM: how long open connections may take to finish. An upper bound: with the last one the wait ends.',
    ...seconds,
  },
  {
    key: 'graceful_shutdown_timeout_seconds',
    name: 'gracefulShutdownTimeoutSeconds',
    default: 5,
    meaning: 'After the grace period: the time left for what still runs, before it is cut.',
    ...seconds,
  },
  {
    key: 'upstream_keepalive_pool_size',
    name: 'upstreamKeepalivePoolSize',
    default: 128,
    ...integer(0, 1_000_000),
    meaning: 'Idle upstream connections kept per process, all peers together. 0 switches reuse off.',
  },
  {
    key: 'client_bind_to_ipv4',
    name: 'clientBindToIpv4',
    default: [],
    expects: 'a list of IPv4 addresses',
    meaning: 'Source addresses for upstream connections over IPv4; one is chosen for each connection.',
    accepts: (value: unknown): boolean => isListOf(value, isIPv4),
  },
  {
    key: 'client_bind_to_ipv6',
    name: 'clientBindToIpv6',
    default: [],
    expects: 'a list of IPv6 addresses',
    meaning: 'The same over IPv6.',
    accepts: (value: unknown): boolean => isListOf(value, isIPv6),
  },
  {
    key: 'ca_file',
    name: 'caFile',
    default: '',
    expects: 'a path',
    meaning:
      'Certificates (PEM) trusted for upstreams with TLS, in the place of those of Node.js. Empty: those of Node.js.',
    accepts: (value: unknown): boolean => typeof value === 'string',
  },
  {
    key: 'upstream_debug_ssl_keylog',
    name: 'upstreamDebugSslKeylog',
    default: false,
    expects: 'true or false',
    meaning:
      'Debugging only: appends the secrets of upstream TLS connections to the file that the environment variable SSLKEYLOGFILE names.',
    accepts: (value: unknown): boolean => typeof value === 'boolean',
  },
  {
    key: 'max_retries',
    name: 'maxRetries',
    default: 16,
    ...integer(0, 1_000),
    meaning: 'How often a request may be tried again on another upstream connection after the first attempt.',
  },
  {
    key: 'log_level',
    name: 'logLevel',
    default: 'info',
    expects: `one of ${LOG_LEVELS.join(', ')}`,
    meaning: 'Least severity that is logged. The environment variables CIRQUE_LOG and LOG_LEVEL go before it.',
    accepts: (value: unknown): boolean => (LOG_LEVELS as readonly unknown[]).includes(value),
  },
  {
    key: 'access_log',
    name: 'accessLog',
    default: false,
    expects: 'true or false',
    meaning: 'Writes one log line for each finished request.',
    accepts: (value: unknown): boolean => typeof value === 'boolean',
  },
] as const satisfies readonly ConfigurationKey[];

type Missing = Exclude<keyof KnownConfiguration, (typeof ROWS)[number]['name']>;
const complete: Missing extends never ? readonly ConfigurationKey[] : Missing = ROWS;

/** Every key that this version honours. */
export const CONFIGURATION_KEYS: readonly ConfigurationKey[] = complete;

/** Keys that Pingora knows and this version does not honour: accepting them would promise what does not happen. */
export const UNSUPPORTED_KEYS: readonly string[] = [
  'blocking_threads_ttl_seconds',
  'daemon',
  'daemon_notify_timeout_seconds',
  'daemon_ready_timeout_seconds',
  'daemon_wait_for_ready',
  'error_log',
  'group',
  'listener_tasks_per_fd',
  'max_blocking_threads',
  'pid_file',
  's2n_config_cache_size',
  'threads',
  'upgrade_sock',
  'upgrade_sock_connect_accept_max_retries',
  'upstream_connect_offload_thread_per_pool',
  'upstream_connect_offload_threadpools',
  'user',
  'work_stealing',
  'working_directory',
];

/** The documentation of the keys as a Markdown table. The README contains it; a test compares the two. */
export function configurationTable(): string {
  const rows = CONFIGURATION_KEYS.map((row) => {
    const fallback = JSON.stringify(row.default);
    return `| \`${row.key}\` | \`${row.name}\` | \`${fallback}\` | ${row.expects} | ${row.meaning} |`;
  });
  return ['| Key | In code | Default | Value | Meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}

function integer(least: number, most: number): Pick<ConfigurationKey, 'expects' | 'accepts'> {
  return {
    expects: `a whole number from ${least} to ${most}`,
    accepts: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  };
}

function isListOf(value: unknown, accepts: (text: string) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && accepts(item));
}
