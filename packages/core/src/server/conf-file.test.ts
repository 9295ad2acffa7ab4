import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigurationError, type ConfigurationProblem } from './conf-error.ts';
import { loadConfiguration, parseConfiguration } from './conf-file.ts';
import { UNSUPPORTED_KEYS } from './conf-keys.ts';
import { serverConfiguration } from './server-conf.ts';

function problemsOf(text: string): readonly ConfigurationProblem[] {
  try {
    parseConfiguration(text, 'conf.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems;
  }
  throw new Error('the configuration was accepted');
}

describe('parseConfiguration', () => {
  test.each(['', '---\n', '# only a comment\n', '{}', 'null'])(
    'parseConfiguration of %j gives the defaults',
    (text) => {
      expect(parseConfiguration(text).configuration).toEqual(serverConfiguration());
    },
  );

  test('parseConfiguration reads every key', () => {
    const { configuration, warnings } = parseConfiguration(`
version: 1
threads: auto
worker_heap_mb: 512
daemon: true
error_log: /var/log/error.log
pid_file: /run/server.pid
upgrade_sock: /run/upgrade.sock
upgrade_sock_connect_accept_max_retries: 7
upgrade_ready_timeout_seconds: 8
user: www
group: web
working_directory: /srv
umask: "027"
daemon_wait_for_ready: true
daemon_ready_timeout_seconds: 9
drain_delay_seconds: 1.5
tunnel_grace_period_seconds: 20
grace_period_seconds: 0.5
graceful_shutdown_timeout_seconds: 2
upstream_keepalive_pool_size: 0
client_bind_to_ipv4: [127.0.0.1, 127.0.0.2]
client_bind_to_ipv6: ["::1"]
ca_file: /etc/ca.pem
upstream_debug_ssl_keylog: true
max_retries: 3
log_level: debug
access_log: /var/log/access.log
access_log_format: combined
`);
    expect(configuration).toEqual({
      version: 1,
      threads: 'auto',
      workerHeapMb: 512,
      daemon: true,
      errorLog: '/var/log/error.log',
      pidFile: '/run/server.pid',
      upgradeSock: '/run/upgrade.sock',
      upgradeSockConnectAcceptMaxRetries: 7,
      upgradeReadyTimeoutSeconds: 8,
      user: 'www',
      group: 'web',
      workingDirectory: '/srv',
      umask: '027',
      daemonWaitForReady: true,
      daemonReadyTimeoutSeconds: 9,
      drainDelaySeconds: 1.5,
      tunnelGracePeriodSeconds: 20,
      gracePeriodSeconds: 0.5,
      gracefulShutdownTimeoutSeconds: 2,
      upstreamKeepalivePoolSize: 0,
      clientBindToIpv4: ['127.0.0.1', '127.0.0.2'],
      clientBindToIpv6: ['::1'],
      caFile: '/etc/ca.pem',
      upstreamDebugSslKeylog: true,
      maxRetries: 3,
      logLevel: 'debug',
      accessLog: '/var/log/access.log',
      accessLogFormat: 'combined',
      extra: {},
    });
    expect(warnings).toEqual([]);
  });

  test('parseConfiguration keeps foreign keys as plain data', () => {
    const { configuration, warnings } = parseConfiguration('clusters:\n  - name: a\n    hosts: [x, y]\n__proto__: 1\n');
    expect(configuration.extra.clusters).toEqual([{ name: 'a', hosts: ['x', 'y'] }]);
    expect(Object.getPrototypeOf(configuration.extra)).toBe(Object.prototype);
    expect(Object.hasOwn(configuration.extra, '__proto__')).toBe(true);
    expect(warnings).toEqual([]);
  });

  test('parseConfiguration resolves aliases also for known keys', () => {
    const { configuration } = parseConfiguration('tries: &n 7\nmax_retries: *n\n');
    expect(configuration.maxRetries).toBe(7);
  });

  test('parseConfiguration reports all problems of a file with their places', () => {
    expect(problemsOf('grace_period_seconds: "5 min"\nwork_stealing: true\nmaxRetries: 2\naccess_log: 5\n')).toEqual([
      {
        line: 1,
        column: 23,
        key: 'grace_period_seconds',
        message: 'must be a number of seconds from 0 to 604800, got "5 min"',
      },
      {
        line: 2,
        column: 1,
        key: 'work_stealing',
        message: `not supported: ${UNSUPPORTED_KEYS.work_stealing}; remove it`,
      },
      { line: 3, column: 1, key: 'maxRetries', message: 'keys are written in snake_case; write max_retries' },
      { line: 4, column: 13, key: 'access_log', message: 'must be true, false or a path, got 5' },
    ]);
  });

  test('parseConfiguration puts file, line, column and key into the message', () => {
    expect(() => parseConfiguration('a: 1\nmax_retries: -1\n', 'dir/conf.yaml')).toThrow(
      'configuration file dir/conf.yaml has 1 problem\n  dir/conf.yaml:2:14: max_retries: must be a whole number from 0 to 1000, got -1',
    );
  });

  test.each([
    'version: 2',
    'version: "1"',
    'grace_period_seconds: -1',
    'grace_period_seconds: .inf',
    'grace_period_seconds: .nan',
    'grace_period_seconds: 604801',
    'upstream_keepalive_pool_size: 1.5',
    'upstream_keepalive_pool_size: 1_000',
    'client_bind_to_ipv4: 127.0.0.1',
    'client_bind_to_ipv4: ["::1"]',
    'client_bind_to_ipv4: [1]',
    'client_bind_to_ipv6: [127.0.0.1]',
    'max_retries:',
    'max_retries: 1001',
    'log_level: verbose',
    'access_log: 1',
    'access_log: ""',
    'access_log_format: common',
    'threads: 0',
    'threads: 257',
    'threads: all',
    'threads: 1.5',
    'worker_heap_mb: -1',
    'daemon: yes',
    'error_log: 1',
    'pid_file: [a]',
    'user: 33',
    'umask: 027',
    'umask: "28"',
    'umask: "0888"',
    'daemon_ready_timeout_seconds: never',
    'upgrade_sock_connect_accept_max_retries: 1.5',
  ])('parseConfiguration refuses %j at its key', (text) => {
    expect(problemsOf(text)).toMatchObject([{ line: 1, key: text.slice(0, text.indexOf(':')) }]);
  });

  test.each(Object.entries(UNSUPPORTED_KEYS))('parseConfiguration refuses %s: %s', (key, reason) => {
    expect(problemsOf(`${key}: 1`)).toMatchObject([{ key, message: `not supported: ${reason}; remove it` }]);
  });

  test.each(['workStealing: x', 'work-stealing: x'])('parseConfiguration refuses %j in any spelling', (text) => {
    expect(problemsOf(text)).toMatchObject([
      { message: `not supported: ${UNSUPPORTED_KEYS.work_stealing}; remove it` },
    ]);
  });

  test('parseConfiguration names a key that is there twice, and goes on checking', () => {
    expect(problemsOf('max_retries: 1\nmax_retries: 2\nlog_level: loud\n')).toMatchObject([
      { line: 2, column: 1, key: 'max_retries', message: 'is there twice; keep one' },
      { line: 3, key: 'log_level' },
    ]);
  });

  test('parseConfiguration warns of a key that looks misspelt, and keeps it', () => {
    const { configuration, warnings } = parseConfiguration('a: 1\nmax_retrys: 3\n', 'conf.yaml');
    expect(configuration.extra.max_retrys).toBe(3);
    expect(warnings).toEqual(['conf.yaml:2:1: max_retrys is not a known key; did you mean max_retries?']);
  });

  test.each(['a: [1', 'a: b: c', '\tx: 1', 'a: "unterminated'])(
    'parseConfiguration refuses invalid YAML %j',
    (text) => {
      expect(problemsOf(text)[0]).toMatchObject({ line: 1, message: expect.stringContaining('not valid YAML') });
    },
  );

  test.each(['- a\n- b\n', 'just text', '5'])('parseConfiguration refuses %j, which has no keys', (text) => {
    expect(problemsOf(text)[0]?.message).toContain('must be a list of "key: value" lines');
  });

  test.each(['1: x', '[a]: x', '? {b: 1}\n: x'])('parseConfiguration refuses the key of %j', (text) => {
    expect(problemsOf(text)[0]?.message).toContain('keys must be text');
  });

  test('parseConfiguration stops an alias bomb', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 10; level += 1) {
      lines.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    }
    const started = performance.now();
    expect(problemsOf(lines.join('\n'))[0]?.message).toContain('not usable YAML');
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('parseConfiguration survives very deep nesting', () => {
    expect(problemsOf(`a: ${'['.repeat(100_000)}`).length).toBeGreaterThan(0);
  });

  test('parseConfiguration escapes what it prints', () => {
    const control = String.fromCharCode(27);
    expect(() => parseConfiguration('a: [1\n', `a${control}b`)).toThrow('configuration file a\\x1bb has 1 problem\n');
  });
});

describe('loadConfiguration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cirque-conf-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function write(content: string | Uint8Array): string {
    const path = join(folder, 'conf.yaml');
    writeFileSync(path, content);
    return path;
  }

  test('loadConfiguration reads a file', () => {
    const path = write('max_retries: 2\n');
    expect(loadConfiguration(path).configuration.maxRetries).toBe(2);
  });

  test('loadConfiguration says which file is missing', () => {
    expect(() => loadConfiguration(join(folder, 'absent.yaml'))).toThrow(/absent\.yaml: cannot be read: ENOENT/);
  });

  test('loadConfiguration reports problems under the name that it is given', () => {
    const path = write('max_retries: many\n');
    expect(() => loadConfiguration(path, 'my.yaml')).toThrow(/^configuration file my\.yaml/);
    expect(() => loadConfiguration(join(folder, 'absent.yaml'), 'my.yaml')).toThrow(/my\.yaml: cannot be read: ENOENT/);
  });

  test('loadConfiguration refuses a directory', () => {
    expect(() => loadConfiguration(folder)).toThrow(/cannot be read: EISDIR/);
  });

  test('loadConfiguration refuses a file that is not UTF-8', () => {
    const path = write(Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]));
    expect(() => loadConfiguration(path)).toThrow(/cannot be read: /);
  });

  test('loadConfiguration refuses a file of more than a mebibyte', () => {
    const path = write(`#${'x'.repeat(1_048_576)}`);
    expect(() => loadConfiguration(path)).toThrow('has 1048577 bytes; at most 1048576 are read');
  });
});
