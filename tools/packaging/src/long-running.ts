/**
 * Runs the fixture long-running.mjs as its operator would: started as a daemon, replaced by a successor, stopped.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, InstalledDaemon } from './installed-daemon.ts';
import { runProgram } from './run-program.ts';

/** What the program says of itself. */
export interface Answer {
  readonly pid: number;
  readonly inWorker: boolean;
  /** Whether there are native calls. */
  readonly native: boolean;
  readonly requests: number;
}

/** One life of the program: a daemon, perhaps its successors, the end. */
export class LongRunning extends InstalledDaemon {
  readonly #address: string;

  constructor(node: string, cwd: string, address: string) {
    super(node, cwd);
    this.#address = address;
    writeFileSync(join(this.folder, 'conf.yaml'), [...this.settings, ''].join('\n'));
  }

  /** Chooses a port, and writes the configuration. */
  static async prepare(node: string, cwd: string): Promise<LongRunning> {
    return new LongRunning(node, cwd, `127.0.0.1:${await freePort()}`);
  }

  /** Runs the command that starts a daemon. Answers what it printed. */
  async start(...more: string[]): Promise<string> {
    const words = ['long-running.mjs', '-c', join(this.folder, 'conf.yaml'), '-d', '--listen', this.#address, ...more];
    const { code, output } = await runProgram(this.node, words, { cwd: this.cwd, timeoutMs: 60_000 });
    if (code !== 0) throw new Error(`code ${code}: ${output}`);
    return output;
  }

  async ask(): Promise<Answer> {
    const response = await fetch(`http://${this.#address}/`, { headers: { connection: 'close' } });
    return (await response.json()) as Answer;
  }

  /** Starts a successor, and tells the daemon to hand over to it. Resolves when the old process is gone. */
  async upgrade(): Promise<void> {
    const old = this.pid;
    const started = this.start('-u');
    process.kill(old, 'SIGQUIT');
    await started;
    await this.gone(old);
  }
}
