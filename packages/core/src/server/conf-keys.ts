/**
 * The configuration keys that this version honours, as one table: names, defaults, checks and documentation all
 * come from here. Keys of Pingora that cannot be honoured yet are listed too, so that they are refused by name.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { integer, isListOf, isThreads, type Kind, path, seconds, text, trueOrFalse } from './conf-values.ts';
import type { KnownConfiguration } from './server-conf.ts';

/** One key of the configuration file. */
export interface ConfigurationKey extends Kind {
  /** Spelling in YAML. */
  readonly key: string;
  /** Spelling in `server.configuration`. */
  readonly name: keyof KnownConfiguration;
  readonly default: unknown;
  /** What the key does, for the documentation. */
  readonly meaning: string;
  /** `live`: SIGHUP takes a new value over. `restart`: it takes effect with the next start or upgrade. */
  readonly reload: 'live' | 'restart';
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

const ROWS = [
  {
    key: 'version',
    name: 'version',
    reload: 'restart',
    default: 1,
    expects: '1',
    meaning: 'Version of the configuration format.',
    accepts: (value: unknown): boolean => value === 1,
  },
  {
    key: 'threads',
    name: 'threads',
    reload: 'restart',
    default: 1,
    expects: "'auto' or a whole number from 1 to 256",
    meaning:
      'Worker threads of each service that listens; `auto`: one for each processor. 1: everything runs on the main thread.',
    accepts: isThreads,
  },
  {
    key: 'worker_heap_mb',
    name: 'workerHeapMb',
    reload: 'restart',
    default: 0,
    ...integer(0, 1_048_576),
    meaning:
      'Most memory of the JavaScript heap of a worker thread, in MB; a worker that needs more is replaced. 0: as Node.js decides.',
  },
  {
    key: 'daemon',
    name: 'daemon',
    reload: 'restart',
    default: false,
    ...trueOrFalse,
    meaning: 'Runs in the background, as the option `-d` does.',
  },
  {
    key: 'error_log',
    name: 'errorLog',
    reload: 'restart',
    default: '',
    ...path,
    meaning:
      'File for the log and for everything else on standard error, appended. Empty: standard error stays what it is.',
  },
  {
    key: 'pid_file',
    name: 'pidFile',
    reload: 'restart',
    default: '/tmp/cirque.pid',
    ...path,
    meaning:
      'File with the process id of the daemon; removed when it ends. Empty: none. Without `daemon` none is written.',
  },
  {
    key: 'upgrade_sock',
    name: 'upgradeSock',
    reload: 'restart',
    default: '/tmp/cirque_upgrade.sock',
    ...path,
    meaning: 'Unix socket over which a server hands its listening sockets to its successor.',
  },
  {
    key: 'upgrade_sock_connect_accept_max_retries',
    name: 'upgradeSockConnectAcceptMaxRetries',
    reload: 'live',
    default: 30,
    ...integer(0, 3_600),
    meaning: 'How often each side of an upgrade tries again to meet the other one, one second apart. (Pingora: 5.)',
  },
  {
    key: 'upgrade_ready_timeout_seconds',
    name: 'upgradeReadyTimeoutSeconds',
    reload: 'live',
    default: 60,
    ...seconds,
    meaning:
      'How long a successor may take from getting the sockets to being ready. After that the old server goes on.',
  },
  {
    key: 'user',
    name: 'user',
    reload: 'restart',
    default: '',
    ...text('the name of a user, or its number in quotes'),
    meaning: 'User that the server becomes once it listens, with its supplementary groups. Needs root.',
  },
  {
    key: 'group',
    name: 'group',
    reload: 'restart',
    default: '',
    ...text('the name of a group, or its number in quotes'),
    meaning: 'Group that the server changes to. Empty: that of `user`.',
  },
  {
    key: 'working_directory',
    name: 'workingDirectory',
    reload: 'restart',
    default: '',
    ...path,
    meaning:
      'Directory of the daemon. Empty: the one in which it was started. Paths of this file are taken from the latter.',
  },
  {
    key: 'umask',
    name: 'umask',
    reload: 'restart',
    default: '007',
    expects: "an octal text such as '027'",
    meaning: 'Permissions that files of the daemon do not get.',
    accepts: (value: unknown): boolean => typeof value === 'string' && /^0?[0-7]{3}$/.test(value),
  },
  {
    key: 'daemon_wait_for_ready',
    name: 'daemonWaitForReady',
    reload: 'restart',
    default: false,
    ...trueOrFalse,
    meaning: 'The command that starts a daemon ends when every service is ready; else when it listens.',
  },
  {
    key: 'daemon_ready_timeout_seconds',
    name: 'daemonReadyTimeoutSeconds',
    reload: 'restart',
    default: 600,
    ...seconds,
    meaning: 'How long that command waits before it gives up, with code 1.',
  },
  {
    key: 'drain_delay_seconds',
    name: 'drainDelaySeconds',
    reload: 'live',
    default: 0,
    ...seconds,
    meaning:
      'After SIGTERM: how long the server says that it is not ready, and still accepts everything, before it drains.',
  },
  {
    key: 'tunnel_grace_period_seconds',
    name: 'tunnelGracePeriodSeconds',
    reload: 'live',
    default: 300,
    ...seconds,
    meaning: 'After SIGTERM: how long upgraded connections (WebSocket, CONNECT) may go on, within the grace period.',
  },
  {
    key: 'grace_period_seconds',
    name: 'gracePeriodSeconds',
    reload: 'live',
    default: 300,
    meaning:
      'After SIGTERM: how long open connections may take to finish. An upper bound: with the last one the wait ends.',
    ...seconds,
  },
  {
    key: 'graceful_shutdown_timeout_seconds',
    name: 'gracefulShutdownTimeoutSeconds',
    reload: 'live',
    default: 5,
    meaning: 'After the grace period: the time left for what still runs, before it is cut.',
    ...seconds,
  },
  {
    key: 'upstream_keepalive_pool_size',
    name: 'upstreamKeepalivePoolSize',
    reload: 'restart',
    default: 128,
    ...integer(0, 1_000_000),
    meaning: 'Idle upstream connections kept by each thread, all peers together. 0 switches reuse off.',
  },
  {
    key: 'client_bind_to_ipv4',
    name: 'clientBindToIpv4',
    reload: 'restart',
    default: [],
    expects: 'a list of IPv4 addresses',
    meaning: 'Source addresses for upstream connections over IPv4; one is chosen for each connection.',
    accepts: (value: unknown): boolean => isListOf(value, isIPv4),
  },
  {
    key: 'client_bind_to_ipv6',
    name: 'clientBindToIpv6',
    reload: 'restart',
    default: [],
    expects: 'a list of IPv6 addresses',
    meaning: 'The same over IPv6.',
    accepts: (value: unknown): boolean => isListOf(value, isIPv6),
  },
  {
    key: 'ca_file',
    name: 'caFile',
    reload: 'restart',
    default: '',
    expects: 'a path',
    meaning:
      'Certificates (PEM) trusted for upstreams with TLS, in the place of those of Node.js. Empty: those of Node.js.',
    accepts: (value: unknown): boolean => typeof value === 'string',
  },
  {
    key: 'upstream_debug_ssl_keylog',
    name: 'upstreamDebugSslKeylog',
    reload: 'restart',
    default: false,
    ...trueOrFalse,
    meaning:
      'Debugging only: appends the secrets of upstream TLS connections to the file that the environment variable SSLKEYLOGFILE names.',
  },
  {
    key: 'max_retries',
    name: 'maxRetries',
    reload: 'live',
    default: 16,
    ...integer(0, 1_000),
    meaning: 'How often a request may be tried again on another upstream connection after the first attempt.',
  },
  {
    key: 'log_level',
    name: 'logLevel',
    reload: 'live',
    default: 'info',
    expects: `one of ${LOG_LEVELS.join(', ')}`,
    meaning: 'Least severity that is logged. The environment variables CIRQUE_LOG and LOG_LEVEL go before it.',
    accepts: (value: unknown): boolean => (LOG_LEVELS as readonly unknown[]).includes(value),
  },
  {
    key: 'access_log',
    name: 'accessLog',
    reload: 'live',
    default: false,
    expects: 'true, false or a path',
    meaning:
      'One line for each finished request: true writes it to the log, a path to that file, in blocks. A path is taken over by the next start or upgrade only.',
    accepts: (value: unknown): boolean => typeof value === 'boolean' || (typeof value === 'string' && value !== ''),
  },
  {
    key: 'access_log_format',
    name: 'accessLogFormat',
    reload: 'restart',
    default: 'json',
    expects: "'json' or 'combined'",
    meaning: 'Format of the lines of an access log file. `combined` is that of nginx and Apache.',
    accepts: (value: unknown): boolean => value === 'json' || value === 'combined',
  },
] as const satisfies readonly ConfigurationKey[];

type Missing = Exclude<keyof KnownConfiguration, (typeof ROWS)[number]['name']>;
const complete: Missing extends never ? readonly ConfigurationKey[] : Missing = ROWS;

/** Every key that this version honours. */
export const CONFIGURATION_KEYS: readonly ConfigurationKey[] = complete;

/**
 * Keys that Pingora knows and this version does not honour, each with the reason: accepting them would promise what does
 * not happen.
 */
export const UNSUPPORTED_KEYS: Readonly<Record<string, string>> = {
  blocking_threads_ttl_seconds: 'Node.js keeps the threads of its pool',
  daemon_notify_timeout_seconds: 'the daemon reports through a pipe, not by a signal that could be refused',
  listener_tasks_per_fd: 'each thread accepts from sockets of its own',
  max_blocking_threads: 'the environment variable UV_THREADPOOL_SIZE sizes the thread pool of Node.js',
  s2n_config_cache_size: 'TLS is that of OpenSSL, not of s2n',
  upstream_connect_offload_thread_per_pool: 'upstream connections are opened on the thread of their request',
  upstream_connect_offload_threadpools: 'upstream connections are opened on the thread of their request',
  work_stealing: 'a connection stays on the thread that has accepted it',
};

/** The documentation of the keys as a Markdown table. The README contains it; a test compares the two. */
export function configurationTable(): string {
  const rows = CONFIGURATION_KEYS.map((row) => {
    const fallback = JSON.stringify(row.default);
    const live = row.reload === 'live' ? 'yes' : '';
    return `| \`${row.key}\` | \`${row.name}\` | \`${fallback}\` | ${row.expects} | ${live} | ${row.meaning} |`;
  });
  return ['| Key | In code | Default | Value | SIGHUP | Meaning |', '|---|---|---|---|---|---|', ...rows].join('\n');
}

/** The documentation of {@link UNSUPPORTED_KEYS} as a Markdown table. */
export function unsupportedTable(): string {
  const rows = Object.entries(UNSUPPORTED_KEYS).map(([key, reason]) => `| \`${key}\` | ${reason} |`);
  return ['| Key of Pingora | Why it is refused |', '|---|---|', ...rows].join('\n');
}
