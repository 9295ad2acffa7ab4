import { expect, test } from 'vitest';
import { serverConfiguration } from '../server/server-conf.ts';
import { absolutePaths } from './absolute-paths.ts';

test('absolutePaths takes relative paths from the directory of the start', () => {
  const configuration = serverConfiguration({
    errorLog: 'log/error.log',
    pidFile: '../run/a.pid',
    upgradeSock: '/run/a.sock',
    workingDirectory: '.',
    caFile: 'ca.pem',
    accessLog: 'access.log',
    extra: { mine: 'file' },
  });
  expect(absolutePaths(configuration, '/srv/app')).toEqual({
    ...configuration,
    errorLog: '/srv/app/log/error.log',
    pidFile: '/srv/run/a.pid',
    upgradeSock: '/run/a.sock',
    workingDirectory: '/srv/app',
    caFile: '/srv/app/ca.pem',
    accessLog: '/srv/app/access.log',
  });
});

test.each([true, false])('absolutePaths leaves empty paths, and accessLog %s, alone', (accessLog) => {
  const configuration = serverConfiguration({ accessLog, pidFile: '', upgradeSock: '/run/a.sock' });
  expect(absolutePaths(configuration, '/srv')).toEqual(configuration);
});

test('absolutePaths keeps the directory of the start when the directory changes', () => {
  const before = absolutePaths(serverConfiguration({ pidFile: 'a.pid' })).pidFile;
  expect(before).toBe(`${process.cwd()}/a.pid`);
});
