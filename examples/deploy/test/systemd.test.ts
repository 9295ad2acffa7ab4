import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfiguration } from '@cirque/core';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Program } from './program.ts';
import { readUnit, seconds } from './unit-file.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const service = readUnit(readFileSync(join(folder, 'systemd/cirque-proxy.service'), 'utf8'));
const upgrade = readUnit(readFileSync(join(folder, 'systemd/cirque-proxy.service.d/upgrade-on-reload.conf'), 'utf8'));
const socket = readUnit(readFileSync(join(folder, 'systemd/cirque-proxy.socket'), 'utf8'));
const { configuration, warnings } = loadConfiguration(join(folder, 'conf.yaml'));
const analyze = requireTool('systemd-analyze');
const logrotate = requireTool('logrotate');

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'cirque-deploy-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

describe('cirque-proxy.service', () => {
  test('fits the configuration', () => {
    const { gracePeriodSeconds, gracefulShutdownTimeoutSeconds, daemon, pidFile, user, upgradeSock } = configuration;
    expect(warnings).toEqual([]);
    expect(seconds(service.get('Service.TimeoutStopSec')?.[0])).toBeGreaterThan(
      gracePeriodSeconds + gracefulShutdownTimeoutSeconds,
    );
    expect({ daemon, pidFile, user }).toEqual({ daemon: false, pidFile: '', user: '' });
    expect(upgradeSock).toBe(`/run/${service.get('Service.RuntimeDirectory')?.[0]}/upgrade.sock`);
    expect(configuration.accessLog).toBe(`/var/log/${service.get('Service.LogsDirectory')?.[0]}/access.log`);
  });

  test('is told by the service how it is doing, and leaves it nothing it does not need', () => {
    const facts = [
      'Type',
      'NotifyAccess',
      'ExecReload',
      'SuccessExitStatus',
      'NoNewPrivileges',
      'CapabilityBoundingSet',
    ];
    expect(facts.map((name) => service.get(`Service.${name}`)?.join())).toEqual([
      'notify',
      'all',
      '/bin/kill -HUP $MAINPID',
      '3',
      'yes',
      'CAP_NET_BIND_SERVICE',
    ]);
    expect(seconds(service.get('Service.WatchdogSec')?.[0])).toBeGreaterThanOrEqual(10);
    expect(Number(service.get('Service.LimitNOFILE')?.[0])).toBeGreaterThanOrEqual(65_536);
    expect(service.get('Service.User')).not.toContain('root');
    expect(service.has('Service.MemoryDenyWriteExecute')).toBe(false);
  });

  test('starts the program with options that it has, and the same ones at an upgrade', async () => {
    const [start = ''] = service.get('Service.ExecStart') ?? [];
    expect(service.get('Service.ExecStartPre')).toEqual([`${start} --test`]);
    expect(upgrade.get('Service.ExecReload')).toEqual([
      '/bin/kill -QUIT $MAINPID',
      `/usr/bin/env CIRQUE_FFI=off ${start} --upgrade`,
    ]);
    expect(start).toContain(`--listen ${socket.get('Socket.ListenStream')?.[0]}`);
    const help = new Program(['--help']);
    expect(await help.ended()).toBe(0);
    for (const [option] of start.matchAll(/--[a-z]+/g)) expect(help.output).toContain(`${option} `);
  });

  test.skipIf(analyze.path === undefined)(
    `passes systemd-analyze verify, with the socket and the other way of reloading${analyze.reason === undefined ? '' : ` (${analyze.reason})`}`,
    () => {
      cpSync(join(folder, 'systemd'), scratch, { recursive: true });
      // The program need not be installed where this is tested.
      for (const name of readdirSync(scratch, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(?:service|conf)$/.test(name)) continue;
        const path = join(scratch, name);
        writeFileSync(path, readFileSync(path, 'utf8').replaceAll('/usr/bin/node', process.execPath));
      }
      const units = ['cirque-proxy.service', 'cirque-proxy.socket'].map((name) => join(scratch, name));
      const env = { ...process.env, SYSTEMD_UNIT_PATH: `${scratch}:` };
      const result = spawnSync(analyze.path ?? '', ['verify', '--man=no', ...units], { env, encoding: 'utf8' });
      expect({ ...result, output: undefined }).toMatchObject({ status: 0, stdout: '', stderr: '' });
    },
  );
});

test.skipIf(logrotate.path === undefined)(
  `logrotate understands its file${logrotate.reason === undefined ? '' : ` (${logrotate.reason})`}`,
  () => {
    const path = join(scratch, 'cirque-proxy');
    const text = readFileSync(join(folder, 'logrotate/cirque-proxy'), 'utf8');
    // The user need not exist where this is tested.
    writeFileSync(path, text.replaceAll('cirque-proxy cirque-proxy', 'root root'), { mode: 0o644 });
    const result = spawnSync(logrotate.path ?? '', ['--debug', path], { encoding: 'utf8' });
    expect(result.stderr).not.toMatch(/error/i);
    expect(result.status).toBe(0);
  },
);

test('the file of logrotate sends the signal that opens log files again', () => {
  const text = readFileSync(join(folder, 'logrotate/cirque-proxy'), 'utf8');
  expect(text).toContain('systemctl kill --kill-who=main --signal=USR2 cirque-proxy.service');
  expect(text).toContain('/var/log/cirque-proxy/*.log {');
});
