/**
 * `cirque run` as a process: what it logs, its control address, and the signals of an operator.
 */
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool, type ToolRun } from '../../src/run-tool.ts';
import { Program } from './program.ts';

const PROGRAM = fileURLToPath(new URL('../../../packages/cli/src/bin.ts', import.meta.url));
const WORDS = ['--conditions=@cirque/source', PROGRAM] as const;
const OWN_ENVIRONMENT = {
  NODE_OPTIONS: '',
  NODE_COMPILE_CACHE: join(tmpdir(), 'cirque-test-compile-cache'),
  CIRQUE_LOG: '',
  LOG_LEVEL: '',
};
/** A command of `cirque` may take so long, however busy the machine is. */
const PATIENCE_MS = 30_000;

export class GatewayProcess extends Program {
  readonly #controlPath: string;

  /**
   * Starts the program.
   *
   * @param words after the name of the program.
   * @param controlPath the unix socket of its control address.
   */
  constructor(words: readonly string[], controlPath: string) {
    super(process.execPath, [...WORDS, ...words], { env: { ...process.env, ...OWN_ENVIRONMENT } });
    this.#controlPath = controlPath;
  }

  /** Asks for a reload and waits until the log says, with `pattern`, that it is over. */
  async hangUp(pattern: RegExp = /gateway configuration in force/): Promise<void> {
    const before = this.output.length;
    this.kill('SIGHUP');
    await this.says(pattern, before);
  }

  /** Lines of the level error or a higher one. */
  get errors(): string[] {
    return this.output.split('\n').filter((line) => /"level":[56]0/.test(line));
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
}

/** Runs a command of `cirque` to its end. */
export function cirque(...words: readonly string[]): Promise<ToolRun> {
  return runTool(process.execPath, [...WORDS, ...words], { timeoutMs: PATIENCE_MS });
}
