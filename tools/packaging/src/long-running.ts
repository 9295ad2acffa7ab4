/**
 * Runs the fixture long-running.mjs as its operator would: started as a daemon, replaced by a successor, stopped.
 */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
export class LongRunning {
  readonly #node: string;
  readonly #cwd: string;
  readonly #folder: string;
  readonly #address: string;

  constructor(node: string, cwd: string, address: string) {
    this.#node = node;
    this.#cwd = cwd;
    this.#folder = mkdtempSync(join(cwd, 'run-'));
    this.#address = address;
    const files = { pid_file: 'pid', error_log: 'log', upgrade_sock: 'upgrade.sock' };
    const lines = Object.entries(files).map(([key, name]) => `${key}: ${join(this.#folder, name)}`);
    const rest = ['version: 1', 'threads: 2', 'daemon_wait_for_ready: true'];
    writeFileSync(join(this.#folder, 'conf.yaml'), [...rest, ...lines, ''].join('\n'));
  }

  /** Chooses a port, and writes the configuration. */
  static async prepare(node: string, cwd: string): Promise<LongRunning> {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    return new LongRunning(node, cwd, `127.0.0.1:${port}`);
  }

  /** The process id of the daemon, by its file. */
  get pid(): number {
    return Number(readFileSync(join(this.#folder, 'pid'), 'utf8'));
  }

  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8');
  }

  /** Runs the command that starts a daemon. Answers what it printed. */
  async start(...more: string[]): Promise<string> {
    const words = ['long-running.mjs', '-c', join(this.#folder, 'conf.yaml'), '-d', '--listen', this.#address, ...more];
    const { code, output } = await runProgram(this.#node, words, { cwd: this.#cwd, timeoutMs: 60_000 });
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
    await this.#gone(old);
  }

  async stop(): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGTERM');
    await this.#gone(pid);
  }

  /** Ends it whatever happens. */
  kill(): void {
    const pid = existsSync(join(this.#folder, 'pid')) ? this.pid : 0;
    if (pid > 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
  }

  async #gone(pid: number): Promise<void> {
    for (const end = performance.now() + 20_000; performance.now() < end; await sleep(20)) {
      if (!isAlive(pid)) return;
    }
    throw new Error(`process ${pid} is still there: ${this.log}`);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
