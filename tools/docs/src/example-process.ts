/**
 * A program of a transcript as a child process: started, watched line by line, stopped.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { LineWatch, PATIENCE_MS } from './line-watch.ts';

/** A program that runs: in the foreground, or as a daemon. */
export interface RunningProgram {
  /** See LineWatch. */
  waitFor(line: string): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Asks it to end with SIGTERM, by force when it does not. Resolves with how it ended; 0 is well. */
  stop(): Promise<number | NodeJS.Signals | null>;
}

export class ExampleProcess implements RunningProgram {
  readonly #child: ChildProcess;
  readonly #lines = new LineWatch(['stdout', 'stderr']);

  constructor(args: readonly string[], cwd: string) {
    this.#child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8').on('data', (chunk: string) => this.#lines.push(name, chunk));
    }
    this.#child.once('close', () => this.#lines.close());
  }

  /** What it has written to standard output so far. */
  get text(): string {
    return this.#lines.text('stdout');
  }

  /** What it has written so far, for messages. */
  get output(): string {
    return this.#lines.text();
  }

  waitFor(line: string): Promise<string> {
    return this.#lines.waitFor(line);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until it ends by itself. Resolves as `stop`, which is what happens when it takes too long. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await this.#lines.closed();
    return this.stop();
  }

  async stop(): Promise<number | NodeJS.Signals | null> {
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    while (!(await this.#lines.closed()));
    clearTimeout(force);
    return this.#child.exitCode ?? this.#child.signalCode;
  }
}

/** The environment without what the test runner and package managers put into it. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|VITEST|NODE_|LOG_LEVEL$|CIRQUE_LOG$)/i.test(name),
  );
  return Object.fromEntries(kept);
}
