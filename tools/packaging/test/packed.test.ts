import { copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InstalledGateway } from '../src/installed-gateway.ts';
import { LongRunning } from '../src/long-running.ts';
import { nodeReleases } from '../src/node-versions.ts';
import { runProgram } from '../src/run-program.ts';
import { packPackage, publicPackages, type Tarball } from '../src/tarballs.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}.txt`, import.meta.url));
const names = publicPackages(root);
const nodes = await nodeReleases(root);

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'cirque-packed-')));
const consumer = join(scratch, 'consumer');
const gateway = join(scratch, 'gateway');
const tarballs = new Map<string, Tarball>();

function tarball(name: string): Tarball {
  const found = tarballs.get(name);
  if (found === undefined) throw new Error(`packages/${name} was not packed`);
  return found;
}

/** Installs packages from their tarballs, as the only source of anything in our scope. */
async function install(folder: string, wanted: readonly string[]): Promise<void> {
  const files = new Map(names.map((name) => [tarball(name).manifest.name, `file:${tarball(name).file}`]));
  const direct = new Set(wanted.map((name) => tarball(name).manifest.name));
  const pick = (chosen: boolean): object =>
    Object.fromEntries([...files].filter(([name]) => direct.has(name) === chosen));
  mkdirSync(folder);
  const manifest = { private: true, dependencies: pick(true), overrides: pick(false) };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const { code, output } = await runProgram('npm', args, { cwd: folder, timeoutMs: 240_000 });
  if (code !== 0) throw new Error(`npm install failed: ${output}`);
}

/** Every path a user may import, `@cirque/proxy/testing` for example. */
function entryPoints(name: string): string[] {
  const { manifest } = tarball(name);
  return Object.keys(manifest.exports)
    .filter((key) => !key.endsWith('.json'))
    .map((key) => manifest.name + key.slice(1));
}

beforeAll(async () => {
  const destination = join(scratch, 'tarballs');
  mkdirSync(destination);
  for (const name of names) tarballs.set(name, await packPackage(root, name, destination));
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.each(names)('packed %s', (name) => {
  test('publint (strict) finds nothing', async () => {
    const { manifest, data } = tarball(name);
    const { messages } = await publint({ pack: { tarball: data.buffer }, strict: true });
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
  });

  test('are the types wrong finds nothing for ESM', async () => {
    const result = await checkPackage(createPackageFromTarballData(tarball(name).data));
    if (!result.types) throw new Error('the package has no types');
    const ignored = ['node10', 'node16-cjs']; // as its profile "esm-only" does
    const found = result.problems.filter(
      (problem) => !('resolutionKind' in problem && ignored.includes(problem.resolutionKind)),
    );
    expect(found).toEqual([]);
  });

  test('the manifest leads to published things only', () => {
    const { manifest } = tarball(name);
    const { devDependencies: _, ...published } = manifest;
    expect(JSON.stringify(published)).not.toMatch(/workspace:|catalog:|@cirque\/source|@cirque\/testing/);
    expect(manifest).toMatchObject({ license: 'Apache-2.0', type: 'module', engines: { node: '>=22.19' } });
  });

  test('holds its readme, its licence and its build, and neither sources nor tests', () => {
    const { paths } = tarball(name);
    expect(paths).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']));
    expect(paths.filter((path) => /^(src|test|bench)\/|\.test\./.test(path))).toEqual([]);
  });
});

describe('installed from the tarballs into an empty folder', () => {
  beforeAll(async () => {
    await install(consumer, names);
    await install(gateway, ['core', 'proxy', 'load-balancing']);
    copyFileSync(fixture('custom-proxy.mjs'), join(gateway, 'custom-proxy.mjs'));
    copyFileSync(fixture('accepted-streams.mjs'), join(consumer, 'accepted-streams.mjs'));
    copyFileSync(fixture('long-running.mjs'), join(consumer, 'long-running.mjs'));
  });

  test('the declarations compile with all checks, without the sources', async () => {
    const lines = names.flatMap(entryPoints).map((entry, index) => `import * as m${index} from '${entry}';`);
    const uses = lines.map((_, index) => `m${index}`).join(', ');
    writeFileSync(join(consumer, 'consumer.ts'), `${lines.join('\n')}\nexport const all = [${uses}];\n`);
    const types = join(root, 'node_modules/@types');
    const options = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2024',
      lib: ['es2024'],
      skipLibCheck: false,
    };
    const compilerOptions = { ...options, typeRoots: [types], types: ['node'] };
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    const result = await runProgram(join(root, 'node_modules/.bin/tsc'), ['-p', consumer], { cwd: consumer });
    expect(result).toEqual({ code: 0, output: '' });
  });

  describe.each(nodes)('on Node $version', ({ path, version }) => {
    test.skipIf(path === undefined)('every entry can be imported and required, and is loaded once', async () => {
      const entries = names.flatMap(entryPoints);
      const code = `import { createRequire } from 'node:module';
        const require = createRequire(process.cwd() + '/x.js');
        for (const entry of ${JSON.stringify(entries)}) {
          // With a default export, require() answers another object that holds the same things.
          const [imported, required] = [await import(entry), require(entry)];
          const names = Object.keys(imported);
          if (names.some((name) => imported[name] !== required[name])) throw new Error(entry + ' is loaded twice');
          console.log(entry, names.length > 0);
        }`;
      writeFileSync(join(consumer, 'entries.mjs'), code);
      const result = await runProgram(path as string, ['entries.mjs'], { cwd: consumer });
      const expected = entries.map((entry) => `${entry} true\n`).join('');
      expect(result).toEqual({ code: 0, output: expected });
    });

    test.skipIf(path === undefined)('a custom proxy of core, proxy and load-balancing answers and stops', async () => {
      const result = await runProgram(path as string, ['custom-proxy.mjs'], { cwd: gateway, timeoutMs: 30_000 });
      expect(result.code, result.output).toBe(0);
      expect(JSON.parse(result.output)).toEqual([
        '200 true first GET yes ',
        '200 true first POST yes a body',
        '200 true second GET yes ',
        '200 true second POST yes a body',
      ]);
    });

    test.skipIf(path === undefined)(
      'a daemon with threads is upgraded and stopped, without koffi',
      async ({ onTestFinished }) => {
        expect(existsSync(join(consumer, 'node_modules/koffi'))).toBe(false);
        const program = await LongRunning.prepare(path as string, consumer);
        onTestFinished(() => program.kill());
        expect(await program.start()).toContain('running in the background');
        const first = program.pid;
        for (const requests of [1, 2, 3])
          expect(await program.ask()).toMatchObject({ pid: first, inWorker: true, requests });
        await program.upgrade();
        expect(program.pid).not.toBe(first);
        expect(await program.ask()).toMatchObject({ pid: program.pid, native: version.startsWith('26.'), requests: 1 });
        await program.stop();
        expect(program.log).not.toMatch(/"level":[56]0/);
      },
      60_000,
    );

    test.skipIf(path === undefined)(
      'the command cirque serves in threads, reads its file again, and stops',
      async ({ onTestFinished }) => {
        const cirque = await InstalledGateway.prepare(path as string, consumer);
        onTestFinished(() => cirque.kill());
        expect(await cirque.command('--version')).toMatch(/^cirque \d+\.\d+\.\d+ /);
        cirque.configure('first');
        expect(await cirque.command('check', cirque.file)).toBe('ok: 1 listener, 0 upstreams\n');
        await cirque.command('run', '-c', cirque.file, '-d');
        expect(await cirque.ask()).toBe('first');
        await cirque.reload('second');
        await cirque.stop();
        expect(cirque.log).not.toMatch(/"level":[56]0/);
      },
      60_000,
    );

    test.skipIf(path === undefined)('accepted connections are read without a buffer per read, and behave', async () => {
      const result = await runProgram(path as string, ['accepted-streams.mjs'], { cwd: consumer, timeoutMs: 30_000 });
      expect(result.code, result.output).toBe(0);
      expect(JSON.parse(result.output)).toEqual({
        callbackReads: [true, true, true, true],
        closes: 3,
        pausedBytes: true,
        answers: ['half-close', 'first ECONNRESET', 'hold', 'read ECONNRESET', 'read end close'],
      });
    });
  });
});
