/**
 * `cirque run` as a process: what it logs, its control address, and the signals of an operator.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool, type ToolRun } from '../../src/run-tool.ts';

const PROGRAM = fileURLToPath(new URL('../../../packages/cli/src/bin.ts', import.meta.url));
const WORDS = ['--conditions=@cirque/source', PROGRAM] as const;
const OWN_ENVIRONMENT = {
  NODE_OPTIONS: '',
  NODE_COMPILE_CACHE: join(tmpdir(), 'cirque-test-compile-cache'),
  CIRQUE_LOG: '',
  LOG_LEVEL: '',
};
/** A silent process is a failure, however busy the machine is. */
const PATIENCE_MS = 30_000;

export class GatewayProcess {
  /** Everything on its standard error. */
  log = '';
  readonly #child: ChildProcess;
  readonly #controlPath: string;
  readonly #exit: Promise<number | string>;
  #changed = Promise.withResolvers<void>();
  #isOver = false;

  /**
   * Starts the program.
   *
   * @param words after the name of the program.
   * @param controlPath the unix socket of its control address.
   */
  constructor(words: readonly string[], controlPath: string) {
    const env = { ...process.env, ...OWN_ENVIRONMENT };
    const child = spawn(process.execPath, [...WORDS, ...words], { env, stdio: ['ignore', 'inherit', 'pipe'] });
    this.#child = child;
    this.#controlPath = controlPath;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
      this.#wake();
    });
    this.#exit = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')));
    void this.#exit.then(() => {
      this.#isOver = true;
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
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
    this.kill('SIGKILL');
    await this.#exit;
  }

  /** Asks for a reload and waits until the log says, with `pattern`, that it is over. */
  async hangUp(pattern: RegExp = /gateway configuration in force/): Promise<void> {
    const before = this.log.length;
    this.kill('SIGHUP');
    await this.logs(pattern, before);
  }

  /** Waits until the log, from a position on, matches. */
  async logs(pattern: RegExp, from = 0): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!pattern.test(this.log.slice(from))) {
      if (this.#isOver) throw new Error(`ended before it logged ${pattern}:\n${this.log}`);
      if (signal.aborted) throw new Error(`has not logged ${pattern}:\n${this.log}`);
      await this.#changed.promise;
    }
  }

  /** Lines of the level error or a higher one. */
  get errors(): string[] {
    return this.log.split('\n').filter((line) => /"level":[56]0/.test(line));
  }

  /** Statistics of a service, found by names: `gateway`, the name of a listener, and so on. Undefined where nothing is counted. */
  async stat(...path: readonly string[]): Promise<unknown> {
    let found = (JSON.parse(await this.#control('GET', '/stats')) as { services: unknown }).services;
    for (const name of path) found = (found as Record<string, unknown> | undefined)?.[name];
    return found;
  }

  /** What `cirque top --once` shows. */
  async top(): Promise<string> {
    const { code, stdout, stderr } = await cirque('top', '--control', `unix:${this.#controlPath}`, '--once');
    if (code !== 0) throw new Error(`cirque top has ended with ${code}: ${stderr}`);
    return stdout;
  }

  #control(method: string, path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { Host: 'localhost' };
      request({ socketPath: this.#controlPath, method, path, headers, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve(body));
      })
        .on('error', reject)
        .end();
    });
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Runs a command of `cirque` to its end. */
export function cirque(...words: readonly string[]): Promise<ToolRun> {
  return runTool(process.execPath, [...WORDS, ...words], { timeoutMs: PATIENCE_MS });
}
