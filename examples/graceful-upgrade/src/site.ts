// A daemon in a folder of its own, with an origin behind it: started, upgraded and stopped as by hand.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificates } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import type { Target } from './load/target.ts';
import { until } from './waiting.ts';

/** A line of the log. */
interface LogLine {
  readonly level: number;
  readonly pid: number;
  readonly msg: string;
}

/** What is logged with this level or a higher one is an error. */
const ERROR_LEVEL = 50;

export class Site {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'graceful-upgrade-'));
  readonly target: Target;
  readonly #origin: ChildProcess;
  readonly #args: readonly string[];
  /** Every process that was ever the server. */
  readonly #servers: Set<number> = new Set();

  private constructor([http = 0, tls = 0, udp = 0, origin = 0]: readonly number[]) {
    const at = (port: number): string => `127.0.0.1:${port}`;
    this.target = { http, tls, udp, unix: this.#path('server.sock'), ca: readFileSync(certificates().caFile) };
    this.#origin = run('origin.ts', ['--listen', at(origin)]);
    const listen = ['--listen', at(http), '--listen-tls', at(tls), '--listen-udp', at(udp)];
    this.#args = [...listen, '--listen-unix', this.target.unix, '--origin', at(origin), '-c', this.#path('conf.yaml')];
  }

  /** Starts the origin and the daemon. */
  static async start(threads: number): Promise<Site> {
    const site = new Site(await freePorts(4));
    try {
      await once(site.#origin.stdout as NodeJS.ReadableStream, 'data');
      site.configure(threads, { waitForReady: true });
      await site.#launch('-d');
      return site;
    } catch (error) {
      await site.stop();
      throw error;
    }
  }

  /**
   * What the next process of the server is to be like.
   *
   * @param waitForReady whether the command that starts it waits until it serves.
   */
  configure(threads: number, { warmUpSeconds = 0, waitForReady = false } = {}): void {
    const settings = {
      version: 1,
      threads,
      warm_up_seconds: warmUpSeconds,
      pid_file: this.#path('server.pid'),
      error_log: this.#path('error.log'),
      upgrade_sock: this.#path('upgrade.sock'),
      daemon_wait_for_ready: waitForReady,
      // WebSockets go on for as long as they like.
      grace_period_seconds: 3_600,
      tunnel_grace_period_seconds: 3_600,
    };
    const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
    writeFileSync(this.#path('conf.yaml'), lines.join(''));
  }

  /** The process of the server, as its pid file says. */
  get pid(): number {
    const path = this.#path('server.pid');
    const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
    if (pid > 0) this.#servers.add(pid);
    return pid;
  }

  /**
   * Replaces the server by a new process: `-u` for that one, SIGQUIT for the old one. Which of the two comes first does not
   * matter: they wait for each other.
   *
   * @returns the new process, which serves.
   */
  async upgrade(threads: number, first: '-u' | 'SIGQUIT'): Promise<number> {
    const old = this.pid;
    this.configure(threads, { waitForReady: first === 'SIGQUIT' });
    if (first === 'SIGQUIT') process.kill(old, 'SIGQUIT');
    await this.#launch('-u', '-d');
    if (first === '-u') process.kill(old, 'SIGQUIT');
    const successor = await until('another process in the pid file', () => this.pid !== old && this.pid);
    await this.#serves(successor);
    await this.#logged(`"successor":${successor},"msg":"a successor has taken over`);
    return successor;
  }

  /** An upgrade that fails: the new process is killed when it has the sockets, but is not ready yet. */
  async failingUpgrade(threads: number): Promise<void> {
    const old = this.pid;
    this.configure(threads, { warmUpSeconds: 60 });
    await this.#launch('-u', '-d');
    process.kill(old, 'SIGQUIT');
    const line = await until('a process that warms up', () => this.log.find(({ msg }) => msg === 'warming up'));
    process.kill(line.pid, 'SIGKILL');
    await this.#logged('the upgrade has failed; this server goes on');
    if (this.pid !== old) throw new Error(`process ${old} goes on, but the pid file says ${this.pid}`);
  }

  /** What the server has logged so far, in all its processes. */
  get log(): LogLine[] {
    const lines = this.#logText().split('\n');
    return lines
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** What of it are errors of processes that were the server, in words. */
  get errors(): string[] {
    const errors = this.log.filter(({ level, pid }) => level >= ERROR_LEVEL && this.#servers.has(pid));
    return errors.map(({ pid, msg }) => `process ${pid}: ${msg}`);
  }

  /** Stops the server with SIGTERM, and waits until nothing is left of it. @returns what was left after all. */
  async stop(): Promise<string[]> {
    const left: string[] = [];
    if (this.pid > 0) process.kill(this.pid, 'SIGTERM');
    await until('the end of all processes', () => this.#alive().length === 0, 20).catch(() => {});
    for (const pid of this.#alive()) {
      left.push(`process ${pid} had to be killed`);
      process.kill(pid, 'SIGKILL');
    }
    for (const name of ['server.pid', 'server.sock', 'upgrade.sock'].filter((one) => existsSync(this.#path(one)))) {
      left.push(`${name} is still there`);
    }
    this.#origin.kill('SIGKILL');
    return left;
  }

  /** Removes the folder. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  /** Processes that have written to the log, and are not gone. */
  #alive(): number[] {
    const pids = new Set([...this.#servers, ...this.log.map(({ pid }) => pid)]);
    return [...pids].filter((pid) => commandLine(pid).includes(this.folder));
  }

  #logText(): string {
    const path = this.#path('error.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  #logged(text: string): Promise<boolean> {
    return until(`"${text}" in the log`, () => this.#logText().includes(text));
  }

  #serves(pid: number): Promise<boolean> {
    return this.#logged(`this is process ${pid}\n`);
  }

  /** Runs the command that starts a daemon, to its end. */
  async #launch(...options: readonly string[]): Promise<void> {
    const command = run('main.ts', [...this.#args, ...options]);
    const [code] = (await once(command, 'close')) as [number | null];
    if (code !== 0) throw new Error(`the command with ${options.join(' ')} has ended with ${code}`);
  }
}

/** Runs a program of this example as this one was run. */
function run(name: string, args: readonly string[]): ChildProcess {
  const program = join(import.meta.dirname, name);
  return spawn(process.execPath, [...process.execArgv, program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Empty when there is no such process. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
