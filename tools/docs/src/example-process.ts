/**
 * A program of a transcript as a child process: started, watched line by line, stopped.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { withoutChance } from './transcript.ts';

/** How long a line may be waited for, and how long a program may take to end. */
const PATIENCE_MS = 20_000;

export class ExampleProcess {
  readonly #child: ChildProcess;
  /** Lines of standard output, and of standard error behind them in another list: their order is chance. */
  readonly #lines: { readonly stdout: string[]; readonly stderr: string[] } = { stdout: [], stderr: [] };
  #cursor = 0;
  #changed = Promise.withResolvers<void>();

  constructor(args: readonly string[], cwd: string) {
    this.#child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
    for (const name of ['stdout', 'stderr'] as const) {
      let rest = '';
      this.#child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
        const pieces = (rest + chunk).split('\n');
        rest = pieces.pop() ?? '';
        this.#lines[name].push(...pieces);
        this.#notify();
      });
    }
    this.#child.once('exit', () => this.#notify());
  }

  /** What it has written so far, for messages. */
  get output(): string {
    return [...this.#lines.stdout, ...this.#lines.stderr].join('\n');
  }

  /**
   * Waits for the next line of standard output that is like the given one, and answers it. Lines that come before it are
   * passed over. Throws when it does not come.
   */
  async waitFor(line: string): Promise<string> {
    const wanted = withoutChance(line);
    const deadline = setTimeout(() => this.#notify(), PATIENCE_MS);
    const until = performance.now() + PATIENCE_MS;
    try {
      while (true) {
        const { stdout } = this.#lines;
        while (this.#cursor < stdout.length) {
          const found = stdout[this.#cursor++] as string;
          if (withoutChance(found) === wanted) return found;
        }
        if (this.#ended || performance.now() >= until) {
          throw new Error(`the program did not write ${JSON.stringify(line)}, but:\n${this.output}`);
        }
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Asks it to end with SIGTERM, by force when it does not. Resolves with its exit code, or the signal that ended it. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    const exited = this.#ended ? undefined : once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    await exited;
    clearTimeout(force);
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** The environment without what the test runner and package managers put into it. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|VITEST|NODE_|LOG_LEVEL$|CIRQUE_LOG$)/i.test(name),
  );
  return Object.fromEntries(kept);
}
