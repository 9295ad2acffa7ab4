import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { loadSys } from '@cirque/sys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DaemonLink, DaemonSite } from './daemon-site.ts';

let site: DaemonSite;
beforeEach(() => {
  site = new DaemonSite();
});
afterEach(() => site.end());

interface Report {
  readonly pid: number;
  readonly session: number;
  readonly [fact: string]: unknown;
}

const reportOf = async (daemon: DaemonLink): Promise<Report> => (await daemon.tell('report')) as Report;

describe('launchDaemon', { timeout: 40_000 }, () => {
  test('launchDaemon ends with code 0 and the process id when the daemon has started', async () => {
    const command = site.start();
    const daemon = await site.daemon();
    const { pid } = await reportOf(daemon);
    expect(command.isRunning).toBe(true);
    await daemon.tell('started');
    expect(await command.end()).toBe(0);
    expect([command.out, command.err]).toEqual([`running in the background, process id ${pid}\n`, '']);
    await daemon.tell('ready'); // nobody listens any more
    expect((await reportOf(daemon)).pid).toBe(pid);
  });

  test('launchDaemon gives the daemon a session, and nothing else that is new', async () => {
    site.start();
    const daemon = await site.daemon();
    await daemon.tell('started');
    const report = await reportOf(daemon);
    expect(report).toEqual({
      pid: report.pid,
      session: report.pid,
      directory: site.folder,
      umask: '7',
      variable: 'unset',
      input: '/dev/null',
      isDaemon: true,
      arguments: 3,
      execArgv: ['--conditions=@cirque/source'],
    });
  });

  test('launchDaemon puts the daemon into its directory, with its umask', async () => {
    mkdirSync(site.path('work'));
    site.start({ workingDirectory: 'work', umask: '027', pidFile: 'server.pid', errorLog: 'error.log' });
    const daemon = await site.daemon();
    expect(await reportOf(daemon)).toMatchObject({ directory: site.path('work'), umask: '27' });
    await daemon.tell('writePid');
    expect(readdirSync(site.folder)).toContain('server.pid');
    expect(statSync(site.path('server.pid')).mode & 0o777).toBe(0o644);
  });

  test('launchDaemon waits for ready where that is configured', async () => {
    const command = site.start({ daemonWaitForReady: true });
    const daemon = await site.daemon();
    await daemon.tell('started');
    await new Promise((resolve) => setTimeout(resolve, 200)); // time in which it must not end
    expect(command.isRunning).toBe(true);
    await daemon.tell('ready');
    expect(await command.end()).toBe(0);
  });

  test('launchDaemon prints the sentence of a daemon that fails, and leaves nothing behind', async () => {
    const command = site.start();
    const daemon = await site.daemon();
    await daemon.endWith('failed service a cannot listen');
    expect(await command.end()).toBe(1);
    expect([command.out, command.err]).toEqual(['', 'the daemon could not start: service a cannot listen\n']);
  });

  test('launchDaemon reports a daemon that ends without a word, and where to look', async () => {
    const command = site.start();
    const daemon = await site.daemon();
    await daemon.endWith('exit 7');
    expect(await command.end()).toBe(1);
    expect(command.err).toBe(
      `the daemon could not start: it ended (code 7) before it was started; ${site.errorLog} may tell why\n`,
    );
  });

  test('launchDaemon gives up a daemon that takes too long, and ends it', async () => {
    const command = site.start({ daemonReadyTimeoutSeconds: 2, daemonWaitForReady: true });
    const daemon = await site.daemon();
    await daemon.tell('started');
    expect(await command.end()).toBe(1);
    expect(command.err).toBe('the daemon could not start: it was not ready within 2 seconds; it was ended\n');
    await daemon.gone();
  });

  test('launchDaemon insists when the daemon does not end', async () => {
    const command = site.start({}, { deaf: true });
    const daemon = await site.daemon();
    await daemon.tell('failed no');
    expect(await command.end()).toBe(1);
    await daemon.gone();
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('launchDaemon ends the daemon, too, at %s', async (signal) => {
    const command = site.start();
    const daemon = await site.daemon();
    command.kill(signal);
    expect(await command.end()).toBe(1);
    expect(command.err).toContain(`${signal} has stopped the command that starts it`);
    await daemon.gone();
  });

  test('launchDaemon: the daemon goes on when the command is killed', async () => {
    const command = site.start({ daemonWaitForReady: true });
    const daemon = await site.daemon();
    await daemon.tell('started');
    command.kill('SIGKILL');
    expect(await command.end()).toBe('SIGKILL');
    await daemon.tell('started');
    await daemon.tell('ready');
    await daemon.tell('failed too late');
    expect(await reportOf(daemon)).toMatchObject({ isDaemon: true });
  });

  test.each([
    [{ user: 'no-such-user-here' }, 'configuration user is "no-such-user-here": there is no user'],
    [{ errorLog: 'none/error.log' }, 'which cannot be opened (ENOENT)'],
  ])('launchDaemon starts nothing with %j', async (configuration, message) => {
    const command = site.start(configuration);
    expect(await command.end()).toBe(1);
    expect(command.err).toMatch(/^the daemon could not start: /);
    expect(command.err).toContain(message);
    expect(readdirSync(site.folder)).not.toContain('error.log');
  });

  test('launchDaemon sends what the daemon prints to the error log', async () => {
    site.start();
    const daemon = await site.daemon();
    await daemon.tell('print hello');
    await daemon.tell('log world');
    expect(site.read('error.log')).toMatch(/^out hello\nerr hello\n\{.*"msg":"world"\}\n$/);
    expect(statSync(site.errorLog).mode & 0o777).toBe(0o640);
  });

  test('launchDaemon leaves the streams alone without an error log', async () => {
    const command = site.start({ errorLog: '' });
    const daemon = await site.daemon();
    await daemon.tell('started');
    await daemon.tell('print hello');
    await daemon.close(); // the streams end with it
    expect(await command.end()).toBe(0);
    expect(command.out).toMatch(/^running in the background, process id \d+\nout hello\n$|^out hello\nrunning/);
    expect(command.err).toBe('err hello\n');
  });

  test('isDaemonChild is false in a process that has inherited the variable by accident', async () => {
    const command = site.start({}, { env: { CIRQUE_DAEMON: '0123456789' } });
    const daemon = await site.daemon();
    await daemon.tell('started');
    expect(await command.end()).toBe(0);
    expect(command.out).toMatch(/^running in the background/);
  });
});

describe('sendStandardStreamsTo', { timeout: 40_000 }, () => {
  test.skipIf(loadSys() === undefined)('sendStandardStreamsTo: a rotation loses nothing that is printed', async () => {
    site.start();
    const daemon = await site.daemon();
    await daemon.tell(`logTo ${site.errorLog}`);
    await daemon.tell('print 1');
    renameSync(site.errorLog, site.path('error.log.1'));
    await daemon.tell('print 2');
    await daemon.tell('log 3');
    expect(await daemon.tell('reopen')).toBe(true);
    await daemon.tell('print 4');
    await daemon.tell('log 5');
    expect(site.read('error.log.1')).toMatch(/^out 1\nerr 1\nout 2\nerr 2\n\{.*"msg":"3"\}\n$/);
    expect(site.read('error.log')).toMatch(/^out 4\nerr 4\n\{.*"msg":"5"\}\n$/);
  });

  test('sendStandardStreamsTo: without native calls the log moves, and what is printed stays', async () => {
    site.start({}, { env: { CIRQUE_FFI: 'off' } });
    const daemon = await site.daemon();
    await daemon.tell(`logTo ${site.errorLog}`);
    renameSync(site.errorLog, site.path('error.log.1'));
    expect(await daemon.tell('reopen')).toBe(false);
    await daemon.tell('print 1');
    await daemon.tell('log 2');
    expect(site.read('error.log.1')).toBe('out 1\nerr 1\n');
    expect(site.read('error.log')).toMatch(/^\{.*"msg":"2"\}\n$/);
  });
});

const isRoot = process.geteuid?.() === 0;
if (!isRoot) console.warn('not root: giving up rights is not tested');

describe.skipIf(!isRoot)('dropPrivileges', { timeout: 40_000 }, () => {
  const user = userWithGroups();
  const id = (option: string): string => execFileSync('id', [option, user], { encoding: 'utf8' }).trim();

  /** Somebody with supplementary groups, if there is one. */
  function userWithGroups(): string {
    const groups = execFileSync('getent', ['group'], { encoding: 'utf8' }).split('\n');
    const members = groups.flatMap((line) => (line.split(':')[3] ?? '').split(','));
    return members.find((name) => name !== '' && name !== 'root') ?? 'nobody';
  }

  test('dropPrivileges changes every thread, with the groups of the user, for good', async () => {
    site.start({ user });
    const { threads, regained } = (await (await site.daemon()).tell('drop')) as {
      threads: Record<string, string>[];
      regained: string[];
    };
    const four = (text: string): string => Array(4).fill(text).join(' ');
    expect(threads.length).toBeGreaterThan(6); // main, worker, and those of libuv and V8
    for (const thread of threads) {
      expect(thread).toMatchObject({ uid: four(id('-u')), gid: four(id('-g')), capabilities: '0'.repeat(16) });
      expect(new Set(thread.groups?.split(' '))).toEqual(new Set(id('-G').split(' ')));
    }
    expect(regained).toEqual(['refused', 'refused', 'refused']);
  });

  test('dropPrivileges: a number without an entry has its group and no other', async () => {
    site.start({ user: '61234', group: '61235' });
    const { threads } = (await (await site.daemon()).tell('drop')) as { threads: Record<string, string>[] };
    for (const thread of threads) expect(thread).toMatchObject({ groups: '61235' });
  });

  test('dropPrivileges: the error log belongs to the user, who can open it again', async () => {
    chownSync(site.folder, Number(id('-u')), Number(id('-g')));
    site.start({ user });
    const daemon = await site.daemon();
    await daemon.tell('started');
    expect(statSync(site.errorLog)).toMatchObject({ uid: Number(id('-u')), gid: Number(id('-g')) });
    await daemon.tell(`logTo ${site.errorLog}`);
    await daemon.tell('drop');
    renameSync(site.errorLog, site.path('error.log.1'));
    await daemon.tell('reopen');
    await daemon.tell('log after');
    expect(site.read('error.log')).toContain('"msg":"after"');
  });

  test('writePidFile: the file is removed where the user may do that, else emptied', async () => {
    chmodSync(site.folder, 0o711); // mkdtemp has made it for root alone
    for (const folder of ['theirs', 'ours']) mkdirSync(site.path(folder));
    chownSync(site.path('theirs'), Number(id('-u')), Number(id('-g')));
    for (const [folder, left] of [
      ['theirs', []],
      ['ours', ['server.pid']],
    ] as const) {
      const other = new DaemonSite();
      try {
        other.start({ user, pidFile: site.path(`${folder}/server.pid`) });
        const daemon = await other.daemon();
        const { pid } = await reportOf(daemon);
        await daemon.tell('writePid');
        expect(site.read(`${folder}/server.pid`)).toBe(`${pid}\n`);
        expect(statSync(site.path(`${folder}/server.pid`))).toMatchObject({ uid: Number(id('-u')) });
        await daemon.tell('drop');
        await daemon.tell('removePid');
        expect(readdirSync(site.path(folder))).toEqual(left);
        if (folder === 'ours') expect(site.read('ours/server.pid')).toBe('');
      } finally {
        await other.end();
      }
    }
  });

  test('writePidFile: one who may write only the file writes it over', async () => {
    chmodSync(site.folder, 0o711);
    site.start({ user, pidFile: 'server.pid' });
    const daemon = await site.daemon();
    const { pid } = await reportOf(daemon);
    await daemon.tell('writePid');
    writeFileSync(site.path('server.pid'), '12345678901\n'); // of a predecessor
    await daemon.tell('drop');
    await daemon.tell('writePid');
    expect(site.read('server.pid')).toBe(`${pid}\n`);
  });

  test('writePidFile: a successor as another user replaces the file, and its predecessor leaves it alone', async () => {
    chmodSync(site.folder, 0o711);
    const path = site.path('server.pid');
    site.start({ user, pidFile: path });
    const old = await site.daemon();
    await old.tell('writePid');
    await old.tell('drop');
    const next = new DaemonSite();
    try {
      next.start({ user, pidFile: path });
      const successor = await next.daemon();
      const { pid } = await reportOf(successor);
      await successor.tell('writePid');
      await old.tell('removePid');
      expect(site.read('server.pid')).toBe(`${pid}\n`);
    } finally {
      await next.end();
    }
  });
});
