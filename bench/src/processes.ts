/**
 * Starts the programs of a run pinned to one core, and ends each of them by its pid, whatever happens.
 *
 * No shell stands in between, so the pid is the program's. Every child is asked to die with us by the kernel
 * (setpriv --pdeathsig), and lives in a session of its own, so that Ctrl-C reaches only the benchmark, which then stops
 * everything in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processTree } from './cpu-time.ts';

export interface Launch {
  /** For messages and the log file. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** The core that it may use; or several. */
  readonly core: number | readonly number[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** `log` writes stdout to the log file; `pipe` leaves it to the caller. stderr always goes to the log file. */
  readonly stdout?: 'log' | 'pipe';
}

export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves when the program has ended; never rejects. */
  readonly ended: Promise<void>;
  /** Resolves when it has ended and its piped output has been read to the end. */
  readonly closed: Promise<void>;
  readonly logFile: string;
}

export interface ProcessesOptions {
  /** Where log files go. */
  readonly directory: string;
  /** Limit of open descriptors for every child. */
  readonly maxDescriptors: number;
  /** How long a program may take to end after SIGTERM before it is killed. Default 3,000. */
  readonly termGraceMs?: number;
}

/** The command that pins, limits and ties a program to our life, and then becomes that program. */
export function wrapCommand(launch: Launch, maxDescriptors: number): string[] {
  const limit = `--nofile=${maxDescriptors}:${maxDescriptors}`;
  const tie = ['setpriv', '--pdeathsig', 'TERM', 'prlimit', limit];
  return [...tie, 'taskset', '-c', String(launch.core), launch.file, ...launch.args];
}

export class Processes {
  readonly #options: ProcessesOptions;
  readonly #running = new Map<number, Running>();
  #started = 0;

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** Starts a program. Throws when it cannot be spawned at all; that it works is for the caller to find out. */
  start(launch: Launch): Running {
    const logFile = join(this.#options.directory, `${++this.#started}-${launch.name}.log`);
    const log = openSync(logFile, 'a');
    const [file = '', ...args] = wrapCommand(launch, this.#options.maxDescriptors);
    const child = spawn(file, args, {
      cwd: launch.cwd,
      env: { ...process.env, ...launch.env },
      stdio: ['pipe', launch.stdout === 'pipe' ? 'pipe' : log, log],
      detached: true,
    });
    closeSync(log);
    const ended = firstOf(child, 'exit');
    const closed = firstOf(child, 'close');
    const { pid } = child;
    if (pid === undefined) throw new Error(`cannot start ${launch.name}: ${file} is missing`);
    const running: Running = { name: launch.name, pid, child, ended, closed, logFile };
    this.#running.set(pid, running);
    void ended.then(() => this.#running.delete(pid));
    return running;
  }

  /** SIGTERM, then SIGKILL for whatever of the process tree is left. Resolves when the program has ended. */
  async stop(running: Running): Promise<void> {
    if (!isAlive(running)) return;
    const tree = treeIfPresent(running.pid);
    running.child.kill('SIGTERM');
    const graceMs = this.#options.termGraceMs ?? 3000;
    const inTime = await Promise.race([running.ended.then(() => true), delay(graceMs, false, { ref: false })]);
    // A master that ended properly has taken its workers along; one that had to be killed has not.
    if (!inTime) for (const pid of tree) killIfPresent(pid);
    await running.ended;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => this.stop(running)));
  }

  /** For a second Ctrl-C and the end of the process: no waiting. */
  killAllNow(): void {
    for (const running of this.#running.values()) {
      for (const pid of isAlive(running) ? treeIfPresent(running.pid) : []) killIfPresent(pid);
    }
  }
}

function firstOf(child: ChildProcess, event: 'exit' | 'close'): Promise<void> {
  return new Promise((resolve) => {
    child.once('error', () => resolve());
    child.once(event, () => resolve());
  });
}

export function isAlive(running: Running): boolean {
  return running.child.exitCode === null && running.child.signalCode === null;
}

/** Why a program failed, in one line: the last line it wrote that names an error, else its last line. */
export function logTail(running: Running): string {
  const lines = readFileSync(running.logFile, 'utf8')
    .split('\n')
    .map((line) => line.trim());
  const said = lines.findLast((line) => /error|cannot|fail/i.test(line)) ?? lines.findLast((line) => line !== '');
  return said === undefined ? 'it wrote nothing' : `it wrote: ${said.slice(0, 300)}`;
}

/** Empty when it has ended already. */
function treeIfPresent(pid: number): number[] {
  try {
    return processTree(pid);
  } catch {
    return [];
  }
}

function killIfPresent(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile, which is what was wanted.
  }
}
