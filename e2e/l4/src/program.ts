/**
 * A program that runs until it is told to stop: what it prints, and how it ends.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/** A silent process is a failure, however busy the machine is. */
const PATIENCE_MS = 60_000;

export class Program {
  /** Everything on its standard output and its standard error. */
  output = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | string>;
  #changed = Promise.withResolvers<void>();
  #isOver = false;

  constructor(path: string, args: readonly string[], options: SpawnOptions = {}) {
    const child = spawn(path, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    this.#exit = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')));
    void this.#exit.then(() => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** The exit code, or the signal that ended it. */
  get exit(): Promise<number | string> {
    return this.#exit;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it at once, if it still runs. */
  async end(): Promise<void> {
    if (!this.#isOver) this.kill('SIGKILL');
    await this.#exit;
  }

  /** Waits until the output, from a position on, matches. */
  async says(pattern: RegExp, from = 0): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!pattern.test(this.output.slice(from))) {
      if (this.#isOver) throw new Error(`ended before it said ${pattern}:\n${this.output}`);
      if (signal.aborted) throw new Error(`has not said ${pattern}:\n${this.output}`);
      await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
