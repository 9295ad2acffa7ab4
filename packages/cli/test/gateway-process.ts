/**
 * `cirque` as a process of its own, with a configuration file in a folder of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../src/bin.ts', import.meta.url));
const CACHE = join(tmpdir(), 'cirque-test-compile-cache');

/** Runs until it is told to stop; {@link end} leaves nothing behind. */
export class GatewayProcess {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'cirque-cli-'));
  readonly file: string = join(this.folder, 'cirque.yaml');
  out = '';
  log = '';
  #child: ChildProcess | undefined;
  #exit: Promise<number | string> = Promise.resolve(0);
  #changed = Promise.withResolvers<void>();

  /** Writes the configuration. Paths that every server has are put into the folder. */
  configure(yaml: string): this {
    const paths = `upgrade_sock: ${this.folder}/upgrade.sock\npid_file: ${this.folder}/cirque.pid\n`;
    writeFileSync(this.file, `${paths}${yaml}`);
    return this;
  }

  /** Starts `cirque run` with the file, and resolves when it is ready. */
  async run(): Promise<this> {
    this.start(['run', '-c', this.file]);
    await this.logs(/gateway ready/);
    return this;
  }

  /** Starts the program with these words. */
  start(words: readonly string[], env: Record<string, string> = {}): void {
    const own = { NODE_OPTIONS: '', NODE_COMPILE_CACHE: CACHE, CIRQUE_LOG: '', LOG_LEVEL: '' };
    const child = spawn(process.execPath, ['--conditions=@cirque/source', PROGRAM, ...words], {
      cwd: this.folder,
      env: { ...process.env, ...own, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => this.#add('out', chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.#add('log', chunk));
    this.#exit = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')));
    void this.#exit.then(() => this.#changed.resolve());
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** The exit code, or the signal that ended it. */
  exit(): Promise<number | string> {
    return this.#exit;
  }

  /** Asks for a reload and waits until it is over, which the log says with `pattern`. */
  async reload(yaml: string, pattern: RegExp = /gateway configuration in force/): Promise<void> {
    this.configure(yaml);
    const before = this.log.length;
    this.kill('SIGHUP');
    await this.logs(pattern, before);
  }

  /** Waits until the log, from a position on, matches. */
  async logs(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.log.slice(from));
      if (match !== null) return match;
      const child = this.#child;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`ended before ${pattern}\n${this.out}\n${this.log}`);
      }
      await this.#changed.promise;
    }
  }

  /** Ends it at once, if it still runs. */
  async end(): Promise<void> {
    this.kill('SIGKILL');
    await this.#exit;
    rmSync(this.folder, { recursive: true, force: true });
  }

  #add(stream: 'out' | 'log', chunk: Buffer): void {
    this[stream] += chunk.toString();
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
