import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SteadyLoad, type UpgradeProcess, UpgradeSite, whoServes } from './upgrade-site.ts';

// Each test starts processes of its own.
const LIMIT = { timeout: 60_000 };
const backends = process.getBuiltinModule('node:ffi' as 'fs') === undefined ? ['koffi'] : ['node', 'koffi'];

let site: UpgradeSite;
beforeEach(() => {
  site = new UpgradeSite();
});
afterEach(() => site.close());

/** TCP of both families and a unix socket; with UDP of both families behind them. */
function everything(): string[] {
  const unix = join(site.folder, 'server.sock');
  const streams = ['127.0.0.1:0', '[::1]:0', unix].flatMap((address) => ['--listen', address]);
  return [...streams, '--udp', '127.0.0.1:0', '--udp', '[::1]:0'];
}

async function expectServedBy(addresses: readonly string[], pid: number): Promise<void> {
  for (const [index, address] of addresses.entries()) {
    expect([address, await whoServes(address, index > 2)]).toEqual([address, pid]);
  }
}

/** One upgrade of which nothing goes wrong; the new process is started first. */
async function upgrade(old: UpgradeProcess, args: readonly string[], env = {}): Promise<UpgradeProcess> {
  const next = site.start(['-u', ...args], env);
  await next.prints(/ waiting\n/);
  old.kill('SIGQUIT');
  return next;
}

describe.each(backends)('an upgrade with %s', LIMIT, (backend) => {
  const env = { CIRQUE_FFI: backend };

  test('two in a row under load lose nobody, on TCP, unix and UDP sockets', async () => {
    const args = everything();
    const first = site.start(args, env);
    const { addresses, pid } = await first.running();
    await expectServedBy(addresses, pid);
    const load = new SteadyLoad(addresses.slice(0, 3));
    const second = await upgrade(first, args, env);
    const { pid: secondPid, addresses: secondAddresses } = await second.running();
    expect(await first.exitCode()).toBe(0);
    expect(first.out).toContain(`${pid} handed over to ${secondPid}\n`);
    expect(secondAddresses).toEqual(addresses);
    await expectServedBy(addresses, secondPid);
    const third = await upgrade(second, args, env);
    const { pid: thirdPid } = await third.running();
    expect(await second.exitCode()).toBe(0);
    await expectServedBy(addresses, thirdPid);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.servers).toBe(3);
    expect(third.out).toContain(`${thirdPid} generation 3 after ${secondPid}\n`);
    expect(existsSync(site.path)).toBe(false);
  });

  test('the old process may be told before the new one is there', async () => {
    const args = ['--listen', '127.0.0.1:0'];
    const first = site.start(args, env);
    const { addresses } = await first.running();
    first.kill('SIGQUIT');
    const second = site.start(['-u', ...args], env);
    const { pid } = await second.running();
    expect(await first.exitCode()).toBe(0);
    expect(await whoServes(addresses[0] as string)).toBe(pid);
  });

  test.each([
    ['is killed', 'die', '30000', 'the other process has closed the connection'],
    ['cannot start', 'throw', '30000', 'the other process has closed the connection'],
    ['never becomes ready', 'silent', '3000', 'the successor was not ready within 3 seconds'],
  ] as const)('a successor that %s changes nothing, and the next one succeeds', async (_, fate, readyMs, reason) => {
    const args = [...everything(), '--ready-ms', readyMs];
    const first = site.start(args, env);
    const { addresses, pid } = await first.running();
    const load = new SteadyLoad(addresses.slice(0, 3));
    let open = 0;
    for (const attempt of [1, 2]) {
      site.fate(fate);
      const failed = await upgrade(first, args, env);
      expect(await first.failure(attempt)).toContain(`no successor: ${reason}; this process goes on serving`);
      await failed.ended();
      if (attempt === 1) open = await first.descriptors(); // the first one loads what all need
    }
    await load.stop(); // its connections would count
    await expectServedBy(addresses, pid);
    expect(await first.descriptors()).toBeLessThanOrEqual(open);
    site.fate('');
    const good = await upgrade(first, everything(), env);
    const { pid: goodPid } = await good.running();
    expect(await first.exitCode()).toBe(0);
    await expectServedBy(addresses, goodPid);
    expect(load.failures).toEqual([]);
  });

  test('a successor whose predecessor dies before it is ready serves alone', async () => {
    const args = everything();
    const first = site.start(args, env);
    const { addresses } = await first.running();
    site.fate('wait');
    const second = await upgrade(first, args, env);
    await second.prints(/ generation 2/);
    first.kill('SIGKILL');
    await expect(first.exitCode()).rejects.toThrow('ended by SIGKILL');
    second.tell('go\n');
    const { pid } = await second.running();
    await expectServedBy(addresses, pid);
  });
});

describe.each([
  ['the old process', { CIRQUE_FFI: 'off' }, {}],
  ['the new process', {}, { CIRQUE_FFI: 'off' }],
  ['both processes', { CIRQUE_FFI: 'off' }, { CIRQUE_FFI: 'off' }],
] as const)('an upgrade without native calls in %s', LIMIT, (_, oldEnv, newEnv) => {
  test('the predecessor starts the successor, and nobody is lost', async () => {
    const args = [...everything(), '-d'];
    const first = site.start(args, oldEnv);
    const { addresses, pid } = await first.running();
    const load = new SteadyLoad(addresses.slice(0, 3));
    const asking = await upgrade(first, args, newEnv);
    expect(await asking.exitCode()).toBe(0);
    const successor = Number((await first.prints(/handed over to (\d+)\n/))[1]);
    expect(asking.out).toContain(` taken over by ${successor}\n`);
    expect(first.out).toContain(`${successor} generation 2 after ${pid}\n`);
    expect([pid, ...asking.pids]).not.toContain(successor);
    await expectServedBy(addresses, successor);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.servers).toBe(2);
    expect(existsSync(site.path)).toBe(false);
  });

  test.each([
    ['is killed', 'die', '30000', 'the successor ended by SIGKILL before it was ready'],
    ['cannot start', 'throw', '30000', 'the successor ended with code 1 before it was ready'],
    ['never becomes ready', 'silent', '5000', 'the successor was not ready within 5 seconds'],
  ] as const)('a successor that %s changes nothing, and is gone', async (__, fate, readyMs, reason) => {
    const args = [...everything(), '--ready-ms', readyMs];
    const first = site.start(args, oldEnv);
    const { addresses, pid } = await first.running();
    site.fate(fate);
    const asking = await upgrade(first, args, newEnv);
    expect(await first.failure()).toContain(`no successor: ${reason}`);
    expect(await asking.exitCode()).toBe(1);
    expect(asking.out).toContain('the other process refused: ');
    const others = first.pids.filter((one) => one !== pid);
    if (fate !== 'silent') expect(others).toHaveLength(1); // a slow machine may not have come so far
    for (const other of others) expect(() => process.kill(other, 0)).toThrow('ESRCH');
    await expectServedBy(addresses, pid);
  });
});

describe('an upgrade that finds nobody, or somebody else', LIMIT, () => {
  test('without a new process the old one says what to do, and goes on', async () => {
    const first = site.start(['--listen', '127.0.0.1:0', '--attempts', '3']);
    const { addresses, pid } = await first.running();
    first.kill('SIGQUIT');
    expect(await first.failure()).toBe(
      `UpgradeError: upgrade_sock: no new process answers on ${site.path} (ENOENT, tried 3 times); start one with -u; this process goes on serving`,
    );
    expect(await whoServes(addresses[0] as string)).toBe(pid);
  });

  test('without an old process the new one ends', async () => {
    const lonely = site.start(['-u', '--attempts', '3']);
    expect(await lonely.exitCode()).toBe(1);
    expect(lonely.out).toContain(
      ` failed: UpgradeError: no predecessor came to ${site.path} within 0.3 seconds; send SIGQUIT to`,
    );
    expect(existsSync(site.path)).toBe(false);
  });

  test('of two new processes the second one is told, and the first one gets the sockets', async () => {
    const args = ['--listen', '127.0.0.1:0'];
    const first = site.start(args);
    const { addresses } = await first.running();
    const second = site.start(['-u', ...args]);
    await second.prints(/ waiting\n/);
    const third = site.start(['-u', ...args]);
    expect(await third.exitCode()).toBe(1);
    expect(third.out).toContain(
      `upgrade_sock: cannot listen on ${site.path} (EADDRINUSE): another process waits there for its predecessor`,
    );
    first.kill('SIGQUIT');
    const { pid } = await second.running();
    expect(await whoServes(addresses[0] as string)).toBe(pid);
  });

  test('a path that a killed process has left is replaced, and belongs to us alone', async () => {
    const killed = site.start(['-u']);
    await killed.prints(/ waiting\n/);
    killed.kill('SIGKILL');
    await expect(killed.exitCode()).rejects.toThrow('SIGKILL');
    expect(existsSync(site.path)).toBe(true);
    const args = ['--listen', '127.0.0.1:0'];
    const first = site.start(args);
    await first.running();
    const second = site.start(['-u', ...args]);
    await second.prints(/ waiting\n/);
    expect(statSync(site.path).mode & 0o777).toBe(0o600);
    first.kill('SIGQUIT');
    await second.running();
    expect(await first.exitCode()).toBe(0);
  });

  test('a directory that does not exist, a file that is no socket: errors that name upgrade_sock', async () => {
    const missing = site.start(['-u', '--path', join(site.folder, 'no', 'upgrade.sock')]);
    expect(await missing.exitCode()).toBe(1);
    expect(missing.out).toMatch(/upgrade_sock: cannot listen on .* \(ENOENT\): its directory does not exist\n/);
    mkdirSync(site.path);
    const taken = site.start(['-u']);
    expect(await taken.exitCode()).toBe(1);
    expect(taken.out).toMatch(/upgrade_sock: cannot listen on .* \(ENOTSOCK\): a file that is not a socket is there/);
  });
});
