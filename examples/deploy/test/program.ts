// The example as a process of its own, and what it writes.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Longer than anything here takes. */
const DEADLINE_MS = 30_000;

/** Where the program listens. */
export interface Places {
  readonly traffic: string;
  readonly health: string;
}

export class Program {
  output = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | string>;
  #changed = Promise.withResolvers<void>();

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, ['--conditions=@cirque/source', MAIN, ...args], {
      env: { ...process.env, NODE_OPTIONS: '', CIRQUE_LOG: '', LOG_LEVEL: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.output += chunk;
        this.#notify();
      });
    }
    this.#ended = new Promise((resolve) => {
      // Not `close`: a successor has the same streams.
      this.#child.once('exit', (code, signal) => {
        resolve(code ?? signal ?? '');
        this.#notify();
      });
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Waits until it serves, and answers where. */
  async places(): Promise<Places> {
    const [, traffic = '', health = ''] = await this.writes(/^listening on (\S+), health on (\S+)$/m);
    return { traffic, health };
  }

  /** Waits until what it has written matches. */
  async writes(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`ended before ${pattern}:\n${this.output}`);
      await this.#changed.promise;
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The code, or the signal, that it ends with. */
  ended(): Promise<number | string> {
    return this.#ended;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
