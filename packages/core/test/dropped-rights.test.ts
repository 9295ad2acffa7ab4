/**
 * Servers that root has started and that become another user: what they open again later, on their own or in new threads.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask, certificateOf, ThreadsSite, until } from './threads-site.ts';
import { ca } from './tls-site.ts';

const NOBODY = 65_534;
const isRoot = process.geteuid?.() === 0;
if (!isRoot) console.warn('not root: what a server can do after it has given up rights is not tested');

let site: ThreadsSite;
let logs: string;
beforeEach(() => {
  site = new ThreadsSite();
  chmodSync(site.folder, 0o711); // mkdtemp has made it for root alone
  logs = join(site.folder, 'logs');
  mkdirSync(logs);
});
afterEach(() => site.close());

const user = { user: String(NOBODY), group: String(NOBODY) };
const ownerOf = (name: string): number => statSync(join(logs, name)).uid;

describe.skipIf(!isRoot)('a server that has become another user', { timeout: 40_000 }, () => {
  test('LogFiles: files that root makes belong to the user, who makes new ones after a rotation', async () => {
    chownSync(logs, NOBODY, NOBODY);
    const settings = { ...user, threads: 2, error_log: join(logs, 'error.log') };
    const server = site.start(settings, ['--log', join(logs, 'requests.log')]);
    const [place = ''] = await server.running();
    expect(['error.log', 'requests.log'].map(ownerOf)).toEqual([NOBODY, NOBODY]);
    for (const name of ['error.log', 'requests.log']) renameSync(join(logs, name), join(logs, `${name}.1`));
    server.kill('SIGHUP');
    await until('new log files', () => ['error.log', 'requests.log'].every((name) => existsSync(join(logs, name))));
    await ask(place);
    await until('a line in the new file', () => statSync(join(logs, 'requests.log')).size > 0);
    expect(await server.obey('restart')).toEqual({ restarted: true });
  });

  test('a thread that takes the place of another one begins although it cannot open a log file', async () => {
    const server = site.start({ ...user, threads: 2 }, ['--log', join(logs, 'requests.log')]);
    const [place = ''] = await server.running();
    const { thread } = await ask(place);
    renameSync(join(logs, 'requests.log'), join(logs, 'requests.log.1')); // and only root may make files here
    expect(await server.obey('restart')).toEqual({ restarted: true });
    expect((await ask(place)).thread).toBeGreaterThan(thread);
    expect(server.logged('a log file cannot be written')).toHaveLength(2);
    expect(existsSync(join(logs, 'requests.log'))).toBe(false);
  });

  test('threads without native calls: what will not work is a warning', async () => {
    const server = site.start({ ...user, threads: 2 }, [], 'off');
    await server.running();
    expect(server.logged('threads that die cannot be replaced')).toHaveLength(1);
  });

  test('a key that only root can read is a warning; threads that begin later have it all the same', async () => {
    const { cert, key } = ca.issue({ names: ['a.example'] });
    writeFileSync(join(site.folder, 'cert.pem'), cert);
    writeFileSync(join(site.folder, 'key.pem'), key, { mode: 0o600 });
    const sentence = 'the user that the server has become cannot read its certificates again';
    for (const threads of [1, 2]) {
      const server = site.start({ ...user, threads }, ['--tls', site.folder]);
      const [, place = ''] = await server.running();
      expect(server.logged(sentence)).toMatchObject([{ level: 40, service: 'site' }]);
      expect(await server.obey('restart')).toEqual({ restarted: true });
      expect(await certificateOf(place)).toBe('a.example');
    }
  });
});

test('a server that cannot start says so on standard error as well, where its log is a file', async () => {
  const server = site.start({ error_log: join(logs, 'error.log') }, ['--listen', '192.0.2.1:1']);
  expect(await server.exitCode()).toBe(1);
  expect(server.err).toMatch(/^BindError: service site cannot listen on 192\.0\.2\.1:1 .*\n$/);
});
