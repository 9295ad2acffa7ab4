/**
 * Gets what the rows need: Debian packages (as root), the npm peers, the Pingora binary.
 *
 * Never fails as a whole: what cannot be had is answered as a reason, which the table prints next to the row.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { NGINX_STREAM_MODULE, PEERS_FOLDER, PINGORA_BINARY, PINGORA_FOLDER } from './places.ts';
import type { Requirement } from './rows.ts';

/** A program that loads. */
type Generator = 'wrk' | 'h2load';

export type Missing = ReadonlyMap<Requirement | Generator, string>;

/** Debian packages whose name is not that of their program. */
const PACKAGES: Readonly<Record<string, string>> = { h2load: 'nghttp2-client', 'nginx-stream': 'libnginx-mod-stream' };

/** Folders in which Debian puts servers, and which an ordinary user's PATH lacks. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
const APT_TIMEOUT_MS = 300_000;
const NPM_TIMEOUT_MS = 300_000;
const CARGO_TIMEOUT_MS = 1_500_000;

export interface Installer {
  /** Progress, for a person. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Makes servers under /usr/sbin startable by name. */
export function extendPath(): void {
  const folders = (process.env.PATH ?? '').split(delimiter);
  process.env.PATH = [...folders, ...SYSTEM_FOLDERS.filter((folder) => !folders.includes(folder))].join(delimiter);
}

export function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)));
}

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

/** Runs a program to its end, with a time limit; never rejects. */
function run(
  installer: Installer,
  file: string,
  args: readonly string[],
  timeoutMs: number,
  cwd?: string,
): Promise<Outcome> {
  const signal = AbortSignal.any([installer.signal, AbortSignal.timeout(timeoutMs)]);
  return new Promise((resolve) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const child = spawn(file, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ ok: false, output: `${output}\n${error.message}` }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** The last line that says something. */
function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.trim() ?? 'no output';
}

async function installDebianPackages(installer: Installer, names: readonly string[]): Promise<string> {
  const list = names.join(' ');
  if (!isOnPath('apt-get')) return `not installed, and there is no apt-get here: install ${list} by hand`;
  if (process.getuid?.() !== 0) return `not installed: run \`apt-get install ${list}\` as root`;
  installer.say(`installing ${list} with apt-get`);
  const lock = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=2'];
  const update = await run(installer, 'apt-get', [...lock, '-q', 'update'], APT_TIMEOUT_MS);
  const flags = [...lock, '-q', '-y', '--no-install-recommends', 'install', ...names];
  const install = await run(installer, 'apt-get', flags, APT_TIMEOUT_MS);
  return `apt-get failed: ${lastLine(install.ok ? update.output : install.output)}`;
}

function isInstalled(name: string): boolean {
  return name === 'nginx-stream' ? existsSync(NGINX_STREAM_MODULE) : isOnPath(name);
}

async function provideSystemTools(
  installer: Installer,
  names: readonly (Requirement | Generator)[],
): Promise<[string, string][]> {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return [];
  const reason = await installDebianPackages(
    installer,
    missing.map((name) => PACKAGES[name] ?? name),
  );
  return missing.filter((name) => !isInstalled(name)).map((name) => [name, reason]);
}

/** Are the peers installed in exactly the versions that package.json pins? */
function peersAreInstalled(): boolean {
  const pins = JSON.parse(readFileSync(join(PEERS_FOLDER, 'package.json'), 'utf8')) as { dependencies: object };
  return Object.entries(pins.dependencies).every(([name, version]) => {
    const file = join(PEERS_FOLDER, 'node_modules', name, 'package.json');
    return existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version === version;
  });
}

async function providePeers(installer: Installer): Promise<string | undefined> {
  if (peersAreInstalled()) return undefined;
  const [file, args] = isOnPath('npm')
    ? ['npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']]
    : ['pnpm', ['install', '--ignore-workspace', '--ignore-scripts']];
  installer.say(`installing the npm proxies to compare with (${file} ${args[0]} in bench/peers)`);
  const outcome = await run(installer, file, args, NPM_TIMEOUT_MS, PEERS_FOLDER);
  return peersAreInstalled() ? undefined : `${file} failed: ${lastLine(outcome.output)}`;
}

function pingoraIsBuilt(): boolean {
  if (!existsSync(PINGORA_BINARY)) return false;
  const built = statSync(PINGORA_BINARY).mtimeMs;
  const sources = ['Cargo.toml', 'Cargo.lock', join('src', 'main.rs')];
  return sources.every((source) => statSync(join(PINGORA_FOLDER, source)).mtimeMs <= built);
}

async function providePingora(installer: Installer): Promise<string | undefined> {
  if (pingoraIsBuilt()) return undefined;
  if (!isOnPath('cargo')) return 'cargo is not installed';
  installer.say('building the Pingora row with cargo, once; this takes minutes (leave it out: --without pingora)');
  const outcome = await run(installer, 'cargo', ['build', '--release', '--locked'], CARGO_TIMEOUT_MS, PINGORA_FOLDER);
  return outcome.ok ? undefined : `cargo failed: ${lastLine(outcome.output)}`;
}

/** Provides what is asked for; answers what could not be had, and why. */
export async function provide(installer: Installer, wanted: ReadonlySet<Requirement>): Promise<Missing> {
  extendPath();
  const tools: (Requirement | Generator)[] = ['nginx', 'wrk', 'h2load'];
  if (wanted.has('haproxy')) tools.push('haproxy');
  if (wanted.has('nginx-stream')) tools.push('nginx-stream');
  const missing = new Map(await provideSystemTools(installer, tools)) as Map<Requirement | Generator, string>;
  const peers = wanted.has('npm-peers') ? await providePeers(installer) : undefined;
  if (peers !== undefined) missing.set('npm-peers', peers);
  const pingora = wanted.has('pingora') ? await providePingora(installer) : undefined;
  if (pingora !== undefined) missing.set('pingora', pingora);
  return missing;
}
