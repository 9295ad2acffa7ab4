/**
 * A program of a transcript as a child process: started, watched line by line, stopped.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { withoutChance } from './transcript.ts';

/** How long a line may be waited for, and how long a program may take to end. */
const PATIENCE_MS = 20_000;

export class ExampleProcess {
  readonly #child: ChildProcess;
  /** Two lists, because the order of lines on different streams is chance. */
  readonly #lines: { readonly stdout: string[]; readonly stderr: string[] } = { stdout: [], stderr: [] };
  readonly #seen = { stdout: 0, stderr: 0 };
  #closed = false;
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
    this.#child.once('close', () => {
      this.#closed = true;
      this.#notify();
    });
  }

  /** What it has written to standard output so far. */
  get text(): string {
    return this.#lines.stdout.join('\n');
  }

  /** What it has written so far, for messages. */
  get output(): string {
    return [...this.#lines.stdout, ...this.#lines.stderr].join('\n');
  }

  /**
   * Waits for the next line that is like the given one, on either stream, and answers it. Lines before it are passed
   * over. Throws when it does not come.
   */
  async waitFor(line: string): Promise<string> {
    const wanted = withoutChance(line);
    const until = performance.now() + PATIENCE_MS;
    const alarm = setTimeout(() => this.#notify(), PATIENCE_MS);
    try {
      while (true) {
        const found = this.#take('stdout', wanted) ?? this.#take('stderr', wanted);
        if (found !== undefined) return found;
        if (this.#closed || performance.now() >= until) {
          throw new Error(`the program did not write ${JSON.stringify(line)}, but:\n${this.output}`);
        }
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(alarm);
    }
  }

  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until it ends by itself. Resolves as `stop`, which is what happens when it takes too long. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    const until = performance.now() + PATIENCE_MS;
    const alarm = setTimeout(() => this.#notify(), PATIENCE_MS);
    while (!this.#closed && performance.now() < until) await this.#changed.promise;
    clearTimeout(alarm);
    return this.stop();
  }

  /** Asks it to end with SIGTERM, by force when it does not. Resolves with its exit code, or the signal that ended it. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    while (!this.#closed) await this.#changed.promise;
    clearTimeout(force);
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  #take(name: 'stdout' | 'stderr', wanted: string): string | undefined {
    const lines = this.#lines[name];
    const at = lines.findIndex((line, index) => index >= this.#seen[name] && withoutChance(line) === wanted);
    if (at < 0) return undefined;
    this.#seen[name] = at + 1;
    return lines[at];
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
