/**
 * What the figures depend on: processor, kernel, versions, load. Also which cores the benchmark may use.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { PEERS_FOLDER, PINGORA_FOLDER, REPOSITORY_FOLDER } from './places.ts';
import { parseCoreList } from './proc-files.ts';

export interface Cores {
  /** Load generator, origin and the benchmark itself. */
  readonly load: number;
  /** The proxy under test. */
  readonly proxy: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly memoryBytes: number;
  readonly loadAverage: readonly number[];
}

/** The first two cores that this process may use. Throws when the machine cannot be measured on. */
export function requireCores(): Cores {
  if (process.platform !== 'linux') {
    throw new Error(`the benchmark needs Linux (it reads /proc and pins with taskset); this is ${process.platform}`);
  }
  const status = readFileSync('/proc/self/status', 'utf8');
  const [load, proxy] = parseCoreList(/^Cpus_allowed_list:\s+(.+)$/m.exec(status)?.[1] ?? '');
  if (load === undefined || proxy === undefined) {
    throw new Error('the benchmark needs two cores: one for the proxy, one for load and origin');
  }
  return { load, proxy };
}

/** Moves this process to the core of the load, away from the proxy under test. */
export function pinSelf(core: number): void {
  execFileSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)], { stdio: 'ignore' });
}

/** Descriptors that are plenty for every shape. */
const WANTED_DESCRIPTORS = 65_536;

/** Descriptors each program gets: as many as wanted when the limit can be raised that far, else the hard limit. */
export function maxDescriptors(): number {
  const raise = `--nofile=${WANTED_DESCRIPTORS}:${WANTED_DESCRIPTORS}`;
  if (spawnSync('prlimit', [raise, 'true'], { stdio: 'ignore' }).status === 0) return WANTED_DESCRIPTORS;
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Math.min(WANTED_DESCRIPTORS, Number(hard ?? WANTED_DESCRIPTORS));
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    memoryBytes: totalmem(),
    loadAverage: loadavg(),
  };
}

/** First match of `pattern` in what the program prints with `flag`, on either stream; undefined when it cannot run. */
function programVersion(program: string, flag: string, pattern: RegExp): string | undefined {
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' });
  return pattern.exec(`${stdout}${stderr}`)?.[1];
}

function packageVersion(name: string): string | undefined {
  const file = join(PEERS_FOLDER, 'node_modules', name, 'package.json');
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function pingoraVersion(): string | undefined {
  const lock = join(PINGORA_FOLDER, 'Cargo.lock');
  if (!existsSync(lock)) return undefined;
  return /name = "pingora"\nversion = "([^"]+)"/.exec(readFileSync(lock, 'utf8'))?.[1];
}

/** Commit of this working folder, with `+` when something in it is not committed. */
export function commitOf(folder: string): string | undefined {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return git('rev-parse', '--short=10', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
  } catch {
    return undefined;
  }
}

/** Versions of everything that takes part, by name; what is absent is left out. */
export function collectVersions(): Record<string, string> {
  const peers = ['http-proxy', 'http-proxy-3', '@fastify/http-proxy', 'fastify', 'undici'];
  const found: readonly (readonly [string, string | undefined])[] = [
    ['cirque', commitOf(REPOSITORY_FOLDER)],
    ['node', process.versions.node],
    ['nginx', programVersion('nginx', '-v', /nginx\/([\d.]+)/)],
    ['haproxy', programVersion('haproxy', '-v', /version ([\d.]+)/)],
    ['wrk', programVersion('wrk', '-v', /wrk (\S+)/)],
    ['pingora', pingoraVersion()],
    ...peers.map((name) => [name, packageVersion(name)] as const),
  ];
  return Object.fromEntries(found.filter((pair): pair is [string, string] => pair[1] !== undefined));
}
