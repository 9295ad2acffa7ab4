import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkProcess } from './process-check.ts';
import { serverConfiguration } from './server-conf.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-check-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const inFolder = (name: string): string => join(folder, name);

test('checkProcess finds nothing wrong where everything can be made, and makes nothing', () => {
  writeFileSync(inFolder('old.log'), '');
  const configuration = serverConfiguration({
    errorLog: inFolder('old.log'),
    accessLog: inFolder('new.log'),
    pidFile: inFolder('a.pid'),
    upgradeSock: inFolder('a.sock'),
    workingDirectory: folder,
  });
  expect(checkProcess(configuration, true)).toEqual([]);
});

test('checkProcess names each setting whose directory is missing, or which is none', () => {
  mkdirSync(inFolder('logs'));
  const configuration = serverConfiguration({
    errorLog: inFolder('logs'),
    accessLog: inFolder('missing/access.log'),
    pidFile: inFolder('missing/a.pid'),
    upgradeSock: inFolder('missing/a.sock'),
    workingDirectory: inFolder('missing'),
  });
  const problems = checkProcess(configuration, true);
  expect(problems.map((problem) => problem.split(/[ :]/)[0])).toEqual([
    'error_log',
    'access_log',
    'upgrade_sock',
    'pid_file',
    'working_directory',
  ]);
  expect(problems[1]).toContain(`there is no directory ${inFolder('missing')}`);
});

test('checkProcess leaves settings of daemons alone where there is none', () => {
  const configuration = serverConfiguration({ pidFile: inFolder('missing/a.pid'), upgradeSock: inFolder('a.sock') });
  expect(checkProcess(configuration, false)).toEqual([]);
});

test('checkProcess: an unknown user is a problem', () => {
  const configuration = serverConfiguration({ user: 'nobody-has-this-name', upgradeSock: inFolder('a.sock') });
  expect(checkProcess(configuration, false).join()).toContain('there is no user "nobody-has-this-name"');
});
