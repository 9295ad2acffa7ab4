import { describe, expect, it } from 'vitest';
import { configurationChanges } from './configuration-changes.ts';
import { serverConfiguration } from './server-conf.ts';

describe('configurationChanges', () => {
  it('takes live settings over and keeps those that need a start', () => {
    const old = serverConfiguration({ maxRetries: 3, threads: 1 });
    const next = serverConfiguration({ maxRetries: 5, threads: 4 });
    const { configuration, live, restart } = configurationChanges(old, next);
    expect(configuration).toMatchObject({ maxRetries: 5, threads: 1 });
    expect(live).toEqual([{ key: 'max_retries', from: 3, to: 5 }]);
    expect(restart).toEqual([{ key: 'threads', from: 1, to: 4 }]);
  });

  it('finds nothing in an equal configuration, lists included', () => {
    const values = { clientBindToIpv4: ['127.0.0.1'], extra: { a: [1, 2] } };
    const { live, restart } = configurationChanges(serverConfiguration(values), serverConfiguration(values));
    expect([live, restart]).toEqual([[], []]);
  });

  it('takes settings of the user over', () => {
    const { configuration, live } = configurationChanges(
      serverConfiguration({ extra: { colour: 'red' } }),
      serverConfiguration({ extra: { colour: 'blue' } }),
    );
    expect(configuration.extra).toEqual({ colour: 'blue' });
    expect(live).toEqual([{ key: 'extra' }]); // the values may be secrets
  });

  it('switches the access log of the log, and leaves a file to the next start', () => {
    const off = serverConfiguration();
    expect(configurationChanges(off, serverConfiguration({ accessLog: true })).configuration.accessLog).toBe(true);
    const file = configurationChanges(off, serverConfiguration({ accessLog: '/var/log/a.log' }));
    expect(file.configuration.accessLog).toBe(false);
    expect(file.restart).toHaveLength(1);
  });
});
