import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { plainEnvironment, root, run, scratchFolder, start } from './run-node.ts';

const [major] = process.versions.node.split('.');

/** A workspace in miniature: the script itself, a manifest, and a pnpm that only writes down how it was called. */
function miniature(engines = `>=${major}.0.0`): string {
  const folder = scratchFolder();
  const bin = join(folder, '.toolchain/pnpm-12.0.0/node_modules/.bin');
  mkdirSync(join(folder, 'tools'), { recursive: true });
  mkdirSync(bin, { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  copyFileSync(join(root, 'tools/dev.mjs'), join(folder, 'tools/dev.mjs'));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ packageManager: 'pnpm@12.0.0', engines: { node: engines } }),
  );
  writeFileSync(
    join(bin, 'pnpm'),
    `#!/bin/sh\necho "pnpm $*; lifecycle \${npm_lifecycle_event:-none}; registry \${npm_config_registry:-none}"\n`,
  );
  chmodSync(join(bin, 'pnpm'), 0o755);
  return folder;
}

const dev = (folder: string, ...args: string[]): string[] => [join(folder, 'tools/dev.mjs'), ...args];

async function gone(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await delay(50);
  }
  return false;
}

describe.skipIf(process.platform === 'win32')('dev.mjs', () => {
  test('dev.mjs installs, then runs the command in the root with its arguments and exit code', async () => {
    const folder = miniature();
    const { code, stdout, stderr } = await run(
      dev(folder, 'node', '-e', 'console.log(process.cwd(), process.argv[1]); process.exit(7)', 'x y'),
    );
    expect(code).toBe(7);
    expect(stdout).toBe(`${folder} x y\n`);
    expect(stderr).toContain('pnpm install --frozen-lockfile');
  });

  test("dev.mjs hides npm's variables from pnpm but keeps the registry", async () => {
    const env = plainEnvironment({ npm_lifecycle_event: 'test', npm_config_registry: 'http://localhost:1/' });
    const { stdout } = await run(dev(miniature(), 'pnpm', 'version'), { env });
    expect(stdout).toBe('pnpm version; lifecycle none; registry http://localhost:1/\n');
  });

  test('dev.mjs puts node, pnpm and the programs of the workspace on PATH', async () => {
    const folder = miniature();
    const { stdout } = await run(dev(folder, 'node', '-p', 'process.env.PATH'));
    expect(stdout).toContain(
      `${join(folder, '.toolchain/pnpm-12.0.0/node_modules/.bin')}:${folder}/node_modules/.bin:`,
    );
  });

  test('dev.mjs passes a signal on and reports it in the exit code', async () => {
    const ready = 'console.log("ready"); setInterval(() => {}, 1000)';
    const [child, outcome] = start(dev(miniature(), 'node', '-e', ready));
    child.stdout?.once('data', () => child.kill('SIGTERM'));
    expect((await outcome).code).toBe(128 + 15);
  });

  test('dev.mjs stops its child when npm, which passes no signal on, is killed', { timeout: 30_000 }, async () => {
    const command = `${process.execPath} ${join(miniature(), 'tools/dev.mjs')} node -e "console.log(process.pid); setInterval(() => {}, 1000)"`;
    const npm = `require('node:child_process').spawn('sh', ['-c', process.argv[1]], { stdio: 'inherit' })`;
    const env = plainEnvironment({ npm_lifecycle_event: 'start' });
    const [child] = start(['-e', npm, command], { env });
    const pid = await new Promise<number>((resolve) =>
      child.stdout?.on('data', (text: string) => resolve(Number(text))),
    );
    child.kill('SIGKILL');
    expect(await gone(pid)).toBe(true);
  });

  test('dev.mjs refuses a manifest whose engines it cannot read, and a missing command', async () => {
    const strange = await run(dev(miniature('~22'), 'node', '-v'));
    expect(strange).toMatchObject({ code: 1, stderr: 'cirque: cannot read engines.node: ~22\n' });
    expect(await run(dev(miniature()))).toMatchObject({ code: 1, stderr: expect.stringContaining('usage: ') });
  });
});

test('example.mjs refuses an unknown name', async () => {
  const { code, stderr } = await run([join(root, 'tools/example.mjs'), 'nothing-of-that-name']);
  expect(code).toBe(1);
  expect(stderr).toContain('there is no example "nothing-of-that-name" Known: ');
  expect(stderr).toContain('usage: npm run example -- <name> [arguments...]');
});

test('example.mjs runs other programs of an example, and nothing outside of it', async () => {
  const example = (name: string): ReturnType<typeof run> => run([join(root, 'tools/example.mjs'), name]);
  expect(await example('reverse-proxy/nothing')).toMatchObject({ code: 1, stdout: '' });
  expect(await example('reverse-proxy/../../gateway/src/main')).toMatchObject({ code: 1, stdout: '' });
  // It finds nobody to talk to there, and says so.
  const { code, stderr } = await run([join(root, 'tools/example.mjs'), 'websocket/client', 'ws://127.0.0.1:1/']);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('ws://127.0.0.1:1/ is no WebSocket') });
});
