/**
 * A server as a process of its own, for the tests of signals, exit codes and limits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How a process is started. */
export interface ChildOptions {
  readonly env?: Record<string, string>;
  /** Most file descriptors that it may have. */
  readonly descriptors?: number;
  /** The user it runs as; only root may choose. */
  readonly uid?: number;
}

// Without the cache most of the time goes into compiling the same sources for every process.
const cache = join(tmpdir(), 'cirque-test-compile-cache');

export class ChildServer {
  out = '';
  err = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<{ code: number | null; signal: string | null }>;
  #changed = Promise.withResolvers<void>();

  /** @param fixture the name of a program in the folder `fixtures`. */
  constructor(fixture: string, args: readonly string[], { env = {}, descriptors, uid }: ChildOptions = {}) {
    const own = { NODE_OPTIONS: '', NODE_COMPILE_CACHE: cache, CIRQUE_LOG: '', LOG_LEVEL: '' };
    const program = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url));
    const command = [process.execPath, '--conditions=@cirque/source', program, ...args];
    const limit = descriptors === undefined ? [] : ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh'];
    const [file = '', ...rest] = [...limit, ...command];
    this.#child = spawn(file, rest, { env: { ...process.env, ...own, ...env }, ...(uid === undefined ? {} : { uid }) });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#add('out', chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#add('err', chunk));
    this.#exit = new Promise((resolve) => this.#child.once('close', (code, signal) => resolve({ code, signal })));
    void this.#exit.then(() => this.#changed.resolve());
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Writes to its standard input. */
  tell(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** The code it ends with. */
  async exitCode(): Promise<number | null> {
    const { code, signal } = await this.#exit;
    if (signal !== null) throw new Error(`ended by ${signal}\n${this.out}\n${this.err}`);
    return code;
  }

  /** Waits until standard output matches. */
  prints(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#shows('out', pattern);
  }

  /** Waits until the log on standard error matches. */
  logs(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#shows('err', pattern);
  }

  async #shows(stream: 'out' | 'err', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`ended before ${pattern}\n${this.out}\n${this.err}`);
      await this.#changed.promise;
    }
  }

  #add(stream: 'out' | 'err', chunk: Buffer): void {
    this[stream] += chunk.toString();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
