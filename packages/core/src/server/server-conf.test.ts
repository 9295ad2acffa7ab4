import { describe, expect, test } from 'vitest';
import { CONFIGURATION_KEYS, configurationTable } from './conf-keys.ts';
import { printValue, type ServerConfiguration, serverConfiguration } from './server-conf.ts';

describe('serverConfiguration', () => {
  test('serverConfiguration has the documented defaults', () => {
    expect(serverConfiguration()).toEqual({
      version: 1,
      threads: 1,
      workerHeapMb: 0,
      daemon: false,
      errorLog: '',
      pidFile: '/tmp/cirque.pid',
      upgradeSock: '/tmp/cirque_upgrade.sock',
      upgradeSockConnectAcceptMaxRetries: 30,
      upgradeReadyTimeoutSeconds: 60,
      user: '',
      group: '',
      workingDirectory: '',
      umask: '007',
      daemonWaitForReady: false,
      daemonReadyTimeoutSeconds: 600,
      drainDelaySeconds: 0,
      tunnelGracePeriodSeconds: 300,
      gracePeriodSeconds: 300,
      gracefulShutdownTimeoutSeconds: 5,
      upstreamKeepalivePoolSize: 128,
      clientBindToIpv4: [],
      clientBindToIpv6: [],
      caFile: '',
      upstreamDebugSslKeylog: false,
      maxRetries: 16,
      logLevel: 'info',
      accessLog: false,
      accessLogFormat: 'json',
      extra: {},
    });
  });

  test('serverConfiguration is frozen and independent of what it was given', () => {
    const given = { clientBindToIpv4: ['127.0.0.1'], extra: { mine: 1 } };
    const configuration = serverConfiguration(given);
    given.clientBindToIpv4.push('nonsense');
    expect(configuration.clientBindToIpv4).toEqual(['127.0.0.1']);
    expect(configuration.extra).toEqual({ mine: 1 });
    expect(() => {
      (configuration as { maxRetries: number }).maxRetries = 1;
    }).toThrow(TypeError);
  });

  test('serverConfiguration names a wrong type', () => {
    const wrong = { gracePeriodSeconds: '5' } as unknown as Partial<ServerConfiguration>;
    expect(() => serverConfiguration(wrong)).toThrow(
      new TypeError('configuration gracePeriodSeconds must be a number of seconds from 0 to 604800, got "5"'),
    );
  });

  test('serverConfiguration names a value out of range', () => {
    expect(() => serverConfiguration({ maxRetries: -1 })).toThrow(
      new RangeError('configuration maxRetries must be a whole number from 0 to 1000, got -1'),
    );
  });

  test('serverConfiguration refuses an unknown name and proposes the nearest', () => {
    const wrong = { maxRetrys: 1 } as unknown as Partial<ServerConfiguration>;
    expect(() => serverConfiguration(wrong)).toThrow(/no setting "maxRetrys"; did you mean maxRetries\?/);
    const foreign = { clusters: 1 } as unknown as Partial<ServerConfiguration>;
    expect(() => serverConfiguration(foreign)).toThrow(/put settings of your own under extra/);
  });
});

describe('CONFIGURATION_KEYS', () => {
  test('CONFIGURATION_KEYS accept their own defaults', () => {
    for (const row of CONFIGURATION_KEYS) expect([row.key, row.accepts(row.default)]).toEqual([row.key, true]);
  });

  test('CONFIGURATION_KEYS spell each key in both ways', () => {
    for (const { key, name } of CONFIGURATION_KEYS) {
      expect(key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())).toBe(name);
    }
  });

  test('configurationTable has a row for each key', () => {
    expect(configurationTable().split('\n')).toHaveLength(CONFIGURATION_KEYS.length + 2);
  });
});

describe('printValue', () => {
  test.each([
    ['text', '"text"'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [null, 'null'],
    [undefined, 'undefined'],
    [[1, 'a'], '[1,"a"]'],
  ])('printValue shows %j as %s', (value, text) => {
    expect(printValue(value)).toBe(text);
  });

  test('printValue cuts long values', () => {
    expect(printValue('x'.repeat(200))).toHaveLength(80);
  });
});
